"""Where jobs are at work, for whoever wants to change a folder under them."""

from collections.abc import Sequence
from typing import NamedTuple

from claude_code_mcp.features.jobs.models import JobState
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.supervisor import Supervisor

GONE_S = 15.0


class JobPlace(NamedTuple):
    """A job that runs, its folder, and what it does."""

    job_id: str
    folder: str
    what: str


class JobPlaces:
    """The jobs that run, by folder."""

    def __init__(self, book: Book, supervisor: Supervisor) -> None:
        self._book = book
        self._supervisor = supervisor

    def working(self) -> Sequence[JobPlace]:
        """Return every job that has a process, or is about to have one."""
        return [
            JobPlace(job.id, job.cwd, job.name or job.command or " ".join(job.argv))
            for job in self._book.living()
            if job.state in {JobState.RUNNING, JobState.STARTING}
        ]

    async def stop(self, job_id: str, by: str) -> None:
        """End a job with its whole tree, and return when it is gone."""
        job = self._book.job(job_id)
        if job.alive:
            await self._supervisor.end(job, "killed", by=by)
            await self._supervisor.settled(job.id, attempt=job.attempt, timeout_s=GONE_S)
