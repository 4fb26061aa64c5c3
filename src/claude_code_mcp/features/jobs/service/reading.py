"""Reading what jobs say: from a cursor, the last lines, a search, and waiting for a line."""

import asyncio

from claude_code_mcp.features.jobs.models import (
    Job,
    JobMatches,
    JobOutput,
    JobState,
    ReadOutput,
    SearchOutput,
    TailOutput,
    WaitJob,
)
from claude_code_mcp.features.jobs.rules.commands import pattern
from claude_code_mcp.features.jobs.service import outputs
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.outputs import Place, Told
from claude_code_mcp.features.jobs.service.supervisor import Supervisor
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.platform.procs.run import Run

NOTED_S = 2.0
"""How long the end of a process that is over may take to be noted."""
BEFORE = frozenset({JobState.WAITING, JobState.STARTING})


class Reading:
    """The outputs of jobs."""

    def __init__(self, book: Book, supervisor: Supervisor) -> None:
        self._book = book
        self._supervisor = supervisor

    async def output(self, wish: ReadOutput) -> JobOutput:
        """Return what was said after a cursor, waiting for it where that is wished."""
        job, place = self._book.job(wish.job_id), Place.of(wish.cursor)
        attempt = wish.attempt or place.attempt or job.attempt
        if wish.wait_s and job.alive and attempt in {0, job.attempt}:
            await self._more(job, wish, place)
            job = self._book.job(job.id)
        attempt = attempt or job.attempt
        return outputs.read(self._told(job, attempt), wish, place)

    async def _more(self, job: Job, wish: ReadOutput, place: Place) -> None:
        """Wait for more output of the job's attempt, its end, or the next attempt."""
        began = asyncio.get_running_loop().time()
        run = await self.present(job, wish.wait_s)
        await outputs.grown(run, place, wish.stream, wish.wait_s)
        if run is not None and not run.ended():
            return
        attempt = self._book.job(job.id).attempt
        # Its end is about to be noted: nobody needs to ask once more for that.
        await self._supervisor.settled(job.id, attempt=attempt, timeout_s=NOTED_S)
        told = self._told(self._book.job(job.id), attempt)
        if all(told.size(stream) <= place.at(stream) for stream in outputs.wanted_streams(wish.stream)):
            left = wish.wait_s - (asyncio.get_running_loop().time() - began)
            await self._supervisor.until(job.id, lambda: self._goes_on(job.id, attempt), max(0.0, left))

    def _goes_on(self, job_id: str, attempt: int) -> bool:
        job = self._book.job(job_id)
        return not job.alive or job.attempt > attempt

    def tail(self, wish: TailOutput) -> JobOutput:
        """Return the last lines."""
        job = self._book.job(wish.job_id)
        return outputs.tail(self._told(job, wish.attempt or job.attempt), wish)

    async def search(self, wish: SearchOutput) -> JobMatches:
        """Search in the output; a large one is read on a thread."""
        job = self._book.job(wish.job_id)
        return await asyncio.to_thread(outputs.search, job, self._supervisor.run_of(job), wish)

    async def line(self, job: Job, wish: WaitJob) -> tuple[str | None, Place]:
        """Wait for a line that fits; return it, and where the output is then.

        Raises:
            BadPattern, Invalid: there is no usable pattern.
        """
        text = wish.pattern or job.match
        if not text:
            raise Invalid("There is no pattern to wait for.", remedy="Give `pattern`.")
        wanted = pattern(text)
        run = await self.present(job, wish.wait_s)
        return await outputs.matching(run, wanted, Place.of(wish.cursor), wish.wait_s)

    async def present(self, job: Job, wait_s: float) -> Run | None:
        """Return the job's process, waiting for the start of one that has yet to come."""
        await self._supervisor.until(job.id, lambda: self._book.job(job.id).state not in BEFORE, wait_s)
        return self._supervisor.run_of(self._book.job(job.id))

    def _told(self, job: Job, attempt: int) -> Told:
        return Told(job, attempt, self._supervisor.run_of(job, attempt))
