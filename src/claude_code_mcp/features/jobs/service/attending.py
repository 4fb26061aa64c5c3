"""Being there while a job's process runs: whether it gets ready, what it says, when its time is up, how it ends."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from claude_code_mcp.features.jobs.events import JobEnded, JobMatched, JobNotReady, JobReady
from claude_code_mcp.features.jobs.models import Alert, Job, JobState
from claude_code_mcp.features.jobs.rules.commands import pattern
from claude_code_mcp.features.jobs.rules.restarting import failures_after, pause_s
from claude_code_mcp.features.jobs.rules.states import end_of, moved
from claude_code_mcp.features.jobs.rules.telling import remember, remember_end
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.metering import over_limit, to_measure
from claude_code_mcp.features.jobs.service.readiness import SHOWN, STREAMS, lines, ready
from claude_code_mcp.features.jobs.service.stopping import stop, stop_over_limit
from claude_code_mcp.features.jobs.service.trimming import trim
from claude_code_mcp.kernel.clock import parse, stamp
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.claude.redaction import redact
from claude_code_mcp.platform.procs.errors import OutputGone
from claude_code_mcp.platform.procs.models import Exit
from claude_code_mcp.platform.procs.patterns import Pattern
from claude_code_mcp.platform.procs.run import Run, Stream

MATCHES_MOST = 1000
"""Lines of one attempt that become events; a pattern that fits everything must not fill the log."""
LAST_LINES_S = 30.0
"""How long the lines of a job that is over are still compared with its pattern."""
log = logging.getLogger(__name__)


class Attendant:
    """Attends the process of one job to its end. `hit_limit` tells which limit of its control groups ended something
    in the run of an id, "" for none."""

    def __init__(self, book: Book, job: Job, run: Run, hit_limit: Callable[[str], str]) -> None:
        self._book = book
        self._job = job
        self._run = run
        self._hit_limit = hit_limit
        self._limits = to_measure(job, run)

    async def attend(self) -> Job:
        """Return the job as it is once its process is over, everything noted."""
        side = {name: asyncio.ensure_future(self._guarded(name, work)) for name, work in self._side_work().items()}
        try:
            await self._run.wait_exit()
            if "matches" in side:  # a quick job is over before its lines were read; they end with it
                await asyncio.wait({side["matches"]}, timeout=LAST_LINES_S)
        finally:
            for task in side.values():
                task.cancel()
            if side:
                await asyncio.wait(side.values())
        with contextlib.suppress(OSError):  # it was deleted, or cannot be cut: then it stays as it is
            await trim(self._book, self._book.job(self._job.id), self._run, again=True)
        return await self._ended()

    def _side_work(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        job = self._job
        work = {
            "readiness": (self._readiness, job.readiness.wished and job.ready_at is None),
            "matches": (self._matches, job.match is not None),
            "time": (self._time, job.timeout_s is not None),
            "limits": (self._measure, bool(self._limits)),
            "stop": (self._stop, job.stopping is not None),
        }
        return {name: do for name, (do, wanted) in work.items() if wanted}

    async def _guarded(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except OutputGone:
            log.warning("job %s: its output was deleted, %s is not watched any more", self._job.id, name)

    async def _stop(self) -> None:
        """Go on with ending what an earlier daemon began to end."""
        await self._run.stop()

    async def _time(self) -> None:
        await asyncio.sleep(self._left_of(self._job.timeout_s or 0))
        await stop(self._book, self._job, self._run, "timed_out")

    def _left_of(self, span_s: float) -> float:
        started = parse(self._job.started_at or self._job.created_at)
        return max(0.0, span_s - (self._book.now() - started).total_seconds())

    async def _measure(self) -> None:
        said = await over_limit(self._run, self._limits)
        await stop_over_limit(self._book, self._job, self._run, said)

    async def _readiness(self) -> None:
        wish, began = self._job.readiness, parse(self._job.started_at or self._job.created_at)
        late = asyncio.ensure_future(self._late())
        try:
            by = await ready(self._run, wish)
        finally:
            late.cancel()
            await asyncio.wait([late])
        passed = int((self._book.now() - began).total_seconds() * 1000)

        def note(job: Job) -> Sequence[Fact]:
            job.ready_at = self._book.stamp()
            remember(job, Alert.READY, "is ready")
            return [JobReady(job_id=job.id, by=by, after_ms=passed)]

        await self._book.change(self._job.id, note)

    async def _late(self) -> None:
        """Say, once, that it is not ready in time; it may become so later."""
        most_s = self._job.readiness.timeout_s
        await asyncio.sleep(self._left_of(most_s))

        def note(job: Job) -> Sequence[Fact]:
            if job.overdue:
                return []
            job.overdue = True
            remember(job, Alert.READY, f"is not ready after {most_s:g} s; it goes on", "late")
            return [JobNotReady(job_id=job.id, waited_s=most_s)]

        await self._book.change(self._job.id, note)

    async def _matches(self) -> None:
        wanted = pattern(self._job.match or "")
        async with asyncio.TaskGroup() as group:
            for stream in STREAMS:
                group.create_task(self._matches_of(stream, wanted))

    async def _matches_of(self, stream: Stream, wanted: Pattern) -> None:
        async with aclosing(lines(self._run, stream)) as found:
            async for line in found:
                if wanted.search(line.data) and not await self._matched(stream, line.offset, line.data):
                    return

    async def _matched(self, stream: str, offset: int, data: bytes) -> bool:
        shown = one_line(redact(data.decode("utf-8", "replace")), SHOWN)
        place = f"{stream}:{offset}"

        def note(job: Job) -> Sequence[Fact]:
            # After a restart of the daemon the output is read from its beginning.
            if place in job.matched or len(job.matched) >= MATCHES_MOST:
                return []
            job.matched.append(place)
            remember(job, Alert.MATCH, f"printed a line that fits {job.match!r}", place)
            return [JobMatched(job_id=job.id, stream=stream, offset=offset, line=shown)]

        return len((await self._book.change(self._job.id, note)).matched) < MATCHES_MOST

    async def _ended(self) -> Job:
        found, failure = self._run.exit, self._run.start_failure
        never_ran = failure.message if failure is not None else ""
        confined, hit = self._run.files.confined(), self._hit_limit(self._run.run_id)
        lost = "" if found is not None or never_ran else self._run.files.why_lost()

        def note(job: Job) -> Sequence[Fact]:
            if job.stopping is None:
                job.stopping, job.stopped_because = self._book.unnoted.get(job.id, (None, ""))
            now = self._book.now()
            code = found.code if found is not None else None
            after = end_of(job.stopping, code, lost=bool(lost))
            ran_s = (now - parse(job.started_at or job.created_at)).total_seconds()
            job.failures = failures_after(job.failures, ran_s) if after is not JobState.COMPLETED else 0
            pause = pause_s(job.restart, after, job.failures or 1) if job.stopping in {None, "timed_out"} else None
            job.exit = {"code": code, "signal": found.signal if found is not None else None}
            job.reason = lost or never_ran or _reason(job, after, hit, found)
            job.cpu_s = found.tree_cpu_s if found is not None else 0.0
            job.peak_bytes = found.max_rss_bytes if found is not None else 0
            job.confinement.in_force = confined
            if job.stopping != "restart":
                remember_end(job, after, pause)
            _settle(job, after, now, pause)
            return [_fact(job, after, pause, int(ran_s * 1000), found)]

        over = await self._book.change(self._job.id, note)
        self._book.unnoted.pop(over.id, None)
        return over


def _reason(job: Job, after: JobState, hit: str, found: Exit | None) -> str:
    """Return why a job ended as it did, where its exit does not say. `hit`: what its control groups tell."""
    if after is JobState.TIMED_OUT:
        return f"it took longer than {job.timeout_s:g} s"
    if after is JobState.OVER_LIMIT:
        return job.stopped_because
    if hit and after is not JobState.COMPLETED:
        return hit
    if found is not None and found.killed and not found.stopped:
        return f"{found.killed} processes that it left behind were killed"
    return ""


def _settle(job: Job, after: JobState, now: datetime, pause: float | None) -> None:
    """Bring the job into the state that its end makes, or let it wait for its next attempt."""
    restart = job.stopping == "restart"
    job.stopping, job.stopped_because = None, ""
    if restart or pause is not None:
        job.state, job.ended_at = moved(job.state, JobState.RESTARTING), None  # it is not over: nothing clears it away
        job.next_at = None if pause is None else stamp(now + timedelta(seconds=pause))
    else:
        job.state, job.ended_at, job.next_at = moved(job.state, after), stamp(now), None


def _fact(job: Job, after: JobState, pause: float | None, ran_ms: int, found: Exit | None) -> JobEnded:
    return JobEnded(
        job_id=job.id,
        run_id=job.run_id or "",
        state=after.value,
        code=found.code if found is not None else None,
        signal=found.signal if found is not None else None,
        reason=job.reason,
        duration_ms=ran_ms,
        killed=found.killed if found is not None else 0,
        restarts_in_s=pause,
    )
