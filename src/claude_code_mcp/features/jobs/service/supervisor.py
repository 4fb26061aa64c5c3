"""The life of every job: one task each, from its acceptance to the end that nothing follows."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from claude_code_mcp.features.jobs.errors import JobNotFound, SandboxMissing
from claude_code_mcp.features.jobs.events import JobEnded, JobStarted, JobStarting, JobStopping
from claude_code_mcp.features.jobs.models import Job, JobState
from claude_code_mcp.features.jobs.rules.restarting import pause_s
from claude_code_mcp.features.jobs.rules.states import begin, moved
from claude_code_mcp.features.jobs.rules.telling import remember_end
from claude_code_mcp.features.jobs.service.attending import Attendant
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.news import News
from claude_code_mcp.features.jobs.service.starting import Starter
from claude_code_mcp.features.jobs.service.stopping import stop
from claude_code_mcp.kernel.clock import parse, stamp
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.kernel.ids import JobId, RunId, uuid7
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.models import Ended, RunState
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.tasks import Tasks

S = JobState
ABANDONED = "abandoned"
SETTLED_S = 60.0
"""How long the end of a job may take to be noted, once its processes are gone."""
STORE_S = 1.0
"""How long to wait for a store that takes no writes."""
log = logging.getLogger(__name__)


class Supervisor:
    """Runs the jobs of the book. `told` is called whenever a job may have something to tell its session."""

    def __init__(self, book: Book, starter: Starter, tasks: Tasks) -> None:
        self._book = book
        self._starter = starter
        self._tasks = tasks
        self._caring: dict[JobId, asyncio.Task[None]] = {}
        self._news = News()
        self.told: Callable[[JobId], None] = lambda _: None
        book.changed = self._changed

    def busy(self) -> bool:
        """Tell whether any job runs or will run."""
        return bool(self._caring)

    async def end_all(self, grace_s: float | None = None) -> None:
        """End every job that runs or will run, all at once."""
        async with asyncio.TaskGroup() as group:
            for job in self._book.living():
                group.create_task(self._end(job, grace_s))

    async def _end(self, job: Job, grace_s: float | None) -> None:
        await self.end(job, "killed", by="daemon", grace_s=grace_s)

    def recover(self) -> int:
        """Take up the jobs of an earlier daemon; return how many."""
        living = self._book.living()
        for job in living:
            self.serve(job.id)
        return len(living)

    def serve(self, job_id: JobId) -> None:
        """See to it that somebody cares for the job."""
        if job_id not in self._caring:
            task = self._caring[job_id] = self._tasks.start(f"job {job_id}", self._care(job_id))
            task.add_done_callback(lambda done: self._left(job_id, done))

    def _left(self, job_id: JobId, task: asyncio.Task[None]) -> None:
        if self._caring.get(job_id) is task:
            del self._caring[job_id]

    def run_of(self, job: Job, attempt: int | None = None) -> Run | None:
        """Return the process of the job's last attempt, or of that of a number; None where its files are gone or it
        never had one."""
        run_id = self._book.run_of(job, attempt or job.attempt)
        return self._starter.find(run_id) if run_id is not None else None

    async def _care(self, job_id: JobId) -> None:
        steps = {
            S.WAITING: self._await_others,
            S.RESTARTING: self._pause,
            S.STARTING: self._start,
            S.RUNNING: self._attend,
        }
        while True:
            try:
                job = self._book.job(job_id)
                step = steps.get(job.state)
                if step is None:
                    return
                await step(job)
            except JobNotFound:
                return
            except StoreUnavailable as exc:
                log.warning("job %s: what became of it cannot be noted yet: %s", job_id, exc.message)
                await asyncio.sleep(STORE_S)

    async def _await_others(self, job: Job) -> None:
        """Wait until the jobs that it depends on are ready; one that will never be makes this one fail."""
        with self._news.of(None) as news:
            while self._book.job(job.id).state is S.WAITING:
                news.clear()
                verdicts = {other: self._verdict(other) for other in job.depends_on}
                lost = [other for other, verdict in verdicts.items() if verdict is False]
                if lost:
                    await self._fail(job, f"it depends on {lost[0]}, which did not get ready")
                elif all(verdicts.values()):
                    await self._to_start(job)
                else:
                    await news.wait()

    def _verdict(self, other: JobId) -> bool | None:
        """Tell whether a job that another one depends on is ready; None while it may become so."""
        try:
            job = self._book.job(other)
        except JobNotFound:
            return False
        if job.readiness.wished and job.ready_at is not None and job.alive:
            return True
        if job.state is S.COMPLETED:
            return True
        return None if job.alive else False

    async def _pause(self, job: Job) -> None:
        left = (parse(job.next_at) - self._book.now()).total_seconds() if job.next_at is not None else 0.0
        if left > 0:
            await self._news.until(job.id, lambda: not self._pauses(job), left)
        if self._book.job(job.id).state is S.RESTARTING:
            await self._to_start(job)

    def _pauses(self, job: Job) -> bool:
        """Tell whether the job still waits for the time at which it did; somebody may want it at once."""
        found = self._book.job(job.id)
        return found.state is S.RESTARTING and found.next_at == job.next_at

    async def _to_start(self, job: Job) -> None:
        """Note under which id the next process runs, before it does: a daemon killed meanwhile finds it."""
        run_id = RunId(uuid7())

        def note(found: Job) -> Sequence[Fact]:
            if found.state not in {S.WAITING, S.RESTARTING}:
                return []
            found.state = moved(found.state, S.STARTING)
            begin(found, run_id, self._book.stamp())
            return [JobStarting(job_id=found.id, run_id=run_id, attempt=found.attempt)]

        await self._book.change(job.id, note)

    async def _start(self, job: Job) -> None:
        run = self.run_of(job)
        if run is None and job.stopping is not None:
            await self._fail(job, "it was ended before it ran")
            return
        try:
            run = run or await self._starter.spawn(job, job.run_id or "")
        except SandboxMissing as exc:
            await self._fail(job, exc.message)
        except ClaudeCodeMcpError as exc:
            await self._fail(job, exc.message, again=True)
        else:
            await self._started(job, run)

    async def _started(self, job: Job, run: Run) -> None:
        if run.state() is not RunState.FAILED_TO_START:
            self._news.wake(job.id)  # who waits for the start sees it in the run itself
            await self._running(job, run)
            return
        failure = run.start_failure
        if failure is None or failure.stage != ABANDONED or job.stopping is not None:
            await self._fail(job, failure.message if failure is not None else "it could not be started", again=True)
            return

        def once_more(found: Job) -> Sequence[Fact]:
            found.state, found.next_at = moved(found.state, S.RESTARTING), None
            return [JobEnded(job_id=found.id, run_id=run.run_id, state=S.LOST.value, reason=failure.message)]

        await self._book.change(job.id, once_more)  # the daemon that began to start it was killed; nothing ran

    async def _running(self, job: Job, run: Run) -> None:
        in_force = run.files.confined()
        pid = run.members.child.pid if run.members is not None else None

        def note(found: Job) -> Sequence[Fact]:
            if found.state is not S.STARTING:
                return []
            found.state = moved(found.state, S.RUNNING)
            found.confinement.in_force = in_force
            return [JobStarted(job_id=found.id, run_id=run.run_id, attempt=found.attempt, pid=pid)]

        await self._book.change(job.id, note)

    async def _attend(self, job: Job) -> None:
        run = self.run_of(job)
        if run is None:
            await self._fail(job, "its files were deleted", S.LOST)
            return
        ended = await Attendant(self._book, job, run, self._starter.hit_limit).attend()
        self._starter.let_go(run)
        log.info("job %s attempt %d ended: %s", ended.id, ended.attempt, ended.state.value)

    async def _fail(self, job: Job, reason: str, state: JobState = S.FAILED, *, again: bool = False) -> None:
        """Note that a job came to nothing; `again`: it may be tried again, if its policy says so."""

        def note(found: Job) -> Sequence[Fact]:
            if not found.alive:
                return []
            after = S.KILLED if found.stopping == "killed" else state
            found.failures += 1
            pause = pause_s(found.restart, after, found.failures) if again and found.stopping is None else None
            found.reason, found.stopping = reason, None
            remember_end(found, after, pause)
            if pause is None:
                found.state, found.ended_at, found.next_at = moved(found.state, after), self._book.stamp(), None
            else:
                found.state = moved(found.state, S.RESTARTING)
                found.next_at = stamp(self._book.now() + timedelta(seconds=pause))
            run_id = found.run_id or ""
            return [JobEnded(job_id=found.id, run_id=run_id, state=after.value, reason=reason, restarts_in_s=pause)]

        await self._book.change(job.id, note)

    async def end(self, job: Job, why: str, *, by: str = "", grace_s: float | None = None) -> Ended | None:
        """End a job, whatever it does, and return when that is noted; None where no process ran."""
        run = self.run_of(job) if job.state in {S.RUNNING, S.STARTING} else None
        if run is None:
            await self._call_off(job, why)
            return None
        await stop(self._book, job, run, why, by=by, grace_s=grace_s)
        ended = await run.stop(grace_s)
        if not await self.settled(job.id, attempt=job.attempt, timeout_s=SETTLED_S):
            raise StoreUnavailable(
                f"The processes of job {job.id} are ended; the store takes no note of it.",
                remedy="Free disk space or check the disk; it is noted then by itself.",
                job_id=job.id,
            )
        return ended

    async def _call_off(self, job: Job, why: str) -> None:
        def note(found: Job) -> Sequence[Fact]:
            if found.state is S.STARTING:
                found.stopping = why
                return [JobStopping(job_id=found.id, why=why)]
            if found.state not in {S.WAITING, S.RESTARTING}:
                return []
            found.state = moved(found.state, S.KILLED)
            found.ended_at, found.next_at, found.reason = self._book.stamp(), None, "it was called off before it ran"
            return [JobEnded(job_id=found.id, run_id=found.run_id or "", state=found.state.value, reason=found.reason)]

        await self._book.change(job.id, note)

    async def settled(self, job_id: JobId, *, attempt: int, timeout_s: float | None = None) -> bool:
        """Wait until this attempt of the job is over and noted; False when `timeout_s` passed before."""

        def over() -> bool:
            job = self._book.job(job_id)
            return not job.alive or job.attempt > attempt or (job.attempt == attempt and job.state is S.RESTARTING)

        return await self.until(job_id, over, timeout_s)

    async def until(self, job_id: JobId, true: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until `true` of a job, looking after each change of it; False when `timeout_s` passed before."""
        return await self._news.until(job_id, true, timeout_s)

    def _changed(self, job_id: JobId) -> None:
        self._news.wake(job_id)
        self.told(job_id)
