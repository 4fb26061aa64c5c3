"""What may be asked of jobs. Each public method is one operation."""

import asyncio
import signal
from collections.abc import Awaitable, Sequence
from functools import partial

from claude_code_mcp.features.jobs import store
from claude_code_mcp.features.jobs.errors import JobAlive, JobHasNoTerminal, JobOver, JobTakesNoInput
from claude_code_mcp.features.jobs.events import JobChanged, JobSignalled, JobStopping
from claude_code_mcp.features.jobs.models import (
    Capabilities,
    ExecuteJob,
    InteractJob,
    Job,
    JobHandle,
    JobInfo,
    JobKilled,
    JobList,
    JobMatches,
    JobOutput,
    JobProcess,
    JobsRemoved,
    JobState,
    JobWaited,
    KillJob,
    ListJobs,
    PinJob,
    ReadOutput,
    RemoveJob,
    RestartJob,
    SearchOutput,
    ShowJob,
    SignalJob,
    TailOutput,
    WaitJob,
)
from claude_code_mcp.features.jobs.rules import keys
from claude_code_mcp.features.jobs.rules.states import moved
from claude_code_mcp.features.jobs.service import outputs
from claude_code_mcp.features.jobs.service.accepting import Accepting
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.clearing import Clearing
from claude_code_mcp.features.jobs.service.readiness import listening
from claude_code_mcp.features.jobs.service.reading import BEFORE, Reading
from claude_code_mcp.features.jobs.service.supervisor import Supervisor
from claude_code_mcp.features.jobs.service.views import Views
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.procs.errors import StdinClosed, StdinStalled
from claude_code_mcp.platform.procs.models import TerminalSize
from claude_code_mcp.platform.procs.run import Run

STILL_S = 0.2
"""Output that stands still for so long after input counts as the answer."""
SHOWN_LINES = 200
START_S = 2.0
"""How long a call waits for a process that is being started, so that what it returns tells whether it runs."""


class Jobs:
    """Background jobs."""

    def __init__(
        self, book: Book, accepting: Accepting, supervisor: Supervisor, views: Views, clearing: Clearing
    ) -> None:
        self._reading = Reading(book, supervisor)
        self._book = book
        self._accepting = accepting
        self._supervisor = supervisor
        self._views = views
        self._clearing = clearing

    def busy(self) -> bool:
        """Tell whether any job runs or will run."""
        return self._supervisor.busy()

    async def execute(self, wish: ExecuteJob, caller: Caller) -> JobHandle:
        """Start a job and return at once, or with its end where that comes within `wait_s`."""
        job = await self._accepting.accept(wish, caller)
        self._supervisor.serve(job.id)
        if not wish.wait_s:
            if not job.depends_on:
                await self._supervisor.until(job.id, partial(self._begun, job.id), START_S)
            return JobHandle(**self._views.info(self._book.job(job.id)).model_dump())
        over = await self._supervisor.settled(job.id, attempt=1, timeout_s=wish.wait_s)
        job = self._book.job(job.id)
        said = self._reading.tail(TailOutput(job_id=job.id, lines=SHOWN_LINES))
        handle = JobHandle(**self._views.info(job).model_dump())
        return handle.model_copy(update={"stdout": said.stdout, "stderr": said.stderr}) if over else handle

    def _begun(self, job_id: str) -> bool:
        """Tell whether the first process of a job runs, or came to nothing; its run knows before the store does."""
        job = self._book.job(job_id)
        run = self._supervisor.run_of(job)
        return job.state not in BEFORE or (run is not None and not run.starting and run.members is not None)

    async def list(self, wish: ListJobs) -> JobList:
        """Return jobs, the newest first."""
        found = self._book.database.read(lambda db: store.jobs(db, session_id=wish.session_id))
        found = [job for job in found if (wish.all or job.alive) and _labelled(job, wish.label)]
        usage = await self._views.usage() if any(job.alive for job in found[: wish.limit]) else {}
        shown = [self._views.info(job, usage) for job in found[: wish.limit]]
        return JobList(jobs=shown, more=max(0, len(found) - wish.limit))

    async def status(self, wish: ShowJob) -> JobInfo:
        """Return one job."""
        job = self._book.job(wish.job_id)
        return self._views.info(job, await self._views.usage() if job.alive else None)

    async def output(self, wish: ReadOutput) -> JobOutput:
        """Return what was said after a cursor, waiting for it where that is wished."""
        return await self._reading.output(wish)

    async def tail(self, wish: TailOutput) -> JobOutput:
        """Return the last lines."""
        return self._reading.tail(wish)

    async def search(self, wish: SearchOutput) -> JobMatches:
        """Search in the output."""
        return await self._reading.search(wish)

    async def interact(self, wish: InteractJob) -> JobOutput:
        """Send input and return what came after it.

        Raises:
            JobOver, JobTakesNoInput, JobHasNoTerminal, BadKeys: it cannot be sent.
        """
        job = self._book.job(wish.job_id)
        await self._reading.present(job, START_S)
        job = self._book.job(job.id)
        run, data = self._running(job), _input(job, wish)
        place = outputs.end_of(run, job.attempt)
        if wish.rows or wish.cols:
            self._resize(job, run, wish)
        try:
            if data:
                await run.write_bytes(data)
        except (StdinClosed, StdinStalled) as exc:
            raise JobTakesNoInput(
                f"Job {job.id} took no input: {exc.message}", remedy=exc.remedy, job_id=job.id
            ) from exc
        if wish.eof and job.rows is None:
            run.close_stdin()
        if wish.wait_s and await outputs.grown(run, place, "both", wish.wait_s):
            await outputs.quiet(run, "both", STILL_S, wish.wait_s)
        return await self._reading.output(ReadOutput(job_id=job.id, cursor=str(place)))

    def _resize(self, job: Job, run: Run, wish: InteractJob) -> None:
        if job.rows is None or job.cols is None:
            raise JobHasNoTerminal(
                f"Job {job.id} has no terminal.",
                remedy="Only jobs that were started with pty=true have one.",
                job_id=job.id,
            )
        run.resize(TerminalSize(rows=wish.rows or job.rows, cols=wish.cols or job.cols))

    async def kill(self, wish: KillJob, caller: Caller) -> JobKilled:
        """End a job with its whole tree, and see that it is gone."""
        job = self._book.job(wish.job_id)
        if not job.alive:
            return JobKilled(status="already_terminated", job=self._views.info(job))
        ended = await self._supervisor.end(job, "killed", by=caller.client, grace_s=wish.grace_s)
        left = [one.pid for one in ended.left] if ended is not None else []
        killed = ended.exit.killed if ended is not None and ended.exit is not None else 0
        await self._supervisor.settled(job.id, attempt=job.attempt, timeout_s=wish.grace_s + 10)
        return JobKilled(status="killed", job=self._views.info(self._book.job(job.id)), killed=killed, left=left)

    async def wait(self, wish: WaitJob) -> JobWaited:
        """Wait for a job's end, readiness, a line, or a port."""
        job = self._book.job(wish.job_id)
        if wish.pattern is not None or wish.until == "match":
            return await self._wait_for_line(job, wish)
        if wish.port is not None:
            reached = await _in_time(listening(wish.port), wish.wait_s)
        elif wish.until == "ready":
            await self._supervisor.until(job.id, partial(self._ready_or_over, job.id), wish.wait_s)
            reached = self._book.job(job.id).ready_at is not None
        else:
            reached = await self._supervisor.until(job.id, lambda: not self._book.job(job.id).alive, wish.wait_s)
        job = self._book.job(job.id)
        place = outputs.end_of(self._supervisor.run_of(job), job.attempt)
        return JobWaited(reached=reached, job=self._views.info(job), cursor=str(place))

    def _ready_or_over(self, job_id: str) -> bool:
        job = self._book.job(job_id)
        return job.ready_at is not None or not job.alive

    async def _wait_for_line(self, job: Job, wish: WaitJob) -> JobWaited:
        line, place = await self._reading.line(job, wish)
        info = self._views.info(self._book.job(job.id))
        return JobWaited(reached=line is not None, job=info, line=line, cursor=str(place))

    async def restart(self, wish: RestartJob, caller: Caller) -> JobInfo:
        """Start a job again, ending it first where it runs."""
        job = self._book.job(wish.job_id)
        if job.state in {JobState.RUNNING, JobState.STARTING}:
            await self._supervisor.end(job, "restart", by=caller.client, grace_s=wish.grace_s)
        elif job.state is not JobState.RESTARTING:
            if not job.alive:
                self._book.room_for_one(self._accepting.most(caller))
            await self._book.change(job.id, self._again)
        else:
            await self._book.change(job.id, self._at_once)
        self._supervisor.serve(job.id)
        attempt = job.attempt
        await self._supervisor.until(job.id, lambda: self._book.job(job.id).attempt > attempt, 10)
        return self._views.info(self._book.job(job.id))

    def _again(self, job: Job) -> Sequence[Fact]:
        job.state = moved(job.state, JobState.WAITING)
        job.ended_at = None
        job.failures = 0
        return [JobStopping(job_id=job.id, why="restart")]

    def _at_once(self, job: Job) -> Sequence[Fact]:
        job.next_at = None
        return [JobStopping(job_id=job.id, why="restart")]

    async def signal(self, wish: SignalJob) -> JobInfo:
        """Send a signal to the main process."""
        job = self._book.job(wish.job_id)
        number = _signal(wish.signal)
        await self._reading.present(job, START_S)
        run = self._running(self._book.job(job.id))
        if not run.signal(number):
            raise JobOver(
                f"Job {job.id} has no main process any more.", remedy="It is ending; look again.", job_id=job.id
            )
        name = signal.Signals(number).name
        job = await self._book.change(job.id, lambda found: [JobSignalled(job_id=found.id, signal=name)])
        return self._views.info(job)

    async def remove(self, wish: RemoveJob, caller: Caller) -> JobsRemoved:
        """Delete jobs that are over, and their output."""
        if (wish.job_id is None) is not wish.ended:
            raise Invalid("Name a job, or say `ended`.", remedy="job_rm(job_id=…) or job_rm(ended=true).")
        if wish.job_id is None:
            over = [job for job in self._book.database.read(store.jobs) if not job.alive and not job.pinned]
            for job in over:
                await self._clearing.remove(job, "asked")
            return JobsRemoved(removed=[job.id for job in over])
        job = self._book.job(wish.job_id)
        if job.alive and not wish.force:
            raise JobAlive(
                f"Job {job.id} still runs.", remedy="End it first with job_kill, or say force.", job_id=job.id
            )
        if job.alive:
            await self.kill(KillJob(job_id=job.id), caller)
        await self._clearing.remove(self._book.job(job.id), "asked")
        return JobsRemoved(removed=[job.id])

    async def pin(self, wish: PinJob) -> JobInfo:
        """Keep a job from being cleaned away, or no longer."""

        def note(job: Job) -> Sequence[Fact]:
            job.pinned = not wish.off
            return [JobChanged(job_id=job.id, pinned=job.pinned)]

        return self._views.info(await self._book.change(self._book.job(wish.job_id).id, note))

    def capabilities(self) -> Capabilities:
        """Return what this system can limit and confine."""
        return self._views.capabilities()

    def processes(self) -> Sequence[JobProcess]:
        """Return the process of each job that runs, those included that are about to be noted as running."""
        running = [job for job in self._book.living() if job.state in {JobState.STARTING, JobState.RUNNING}]
        found = [(job, self._supervisor.run_of(job)) for job in running]
        return [
            JobProcess(job.id, run.run_id, run.members.child.pid, run.members.shim.pid)
            for job, run in found
            if run is not None and run.members is not None
        ]

    def _running(self, job: Job) -> Run:
        run = self._supervisor.run_of(job) if job.state is JobState.RUNNING else None
        if run is None:
            raise JobOver(
                f"Job {job.id} does not run ({job.state}).", remedy="job_restart starts it again.", job_id=job.id
            )
        return run


def _labelled(job: Job, label: str | None) -> bool:
    if label is None:
        return True
    name, given, value = label.partition("=")
    return name in job.labels and (not given or job.labels[name] == value)


def _input(job: Job, wish: InteractJob) -> bytes:
    """Return the bytes that a wish stands for.

    Raises:
        BadKeys: a key has no such name.
        JobTakesNoInput: the job was started without open input.
    """
    if job.rows is None and job.stdin != "open" and (wish.input or wish.keys or wish.eof):
        raise JobTakesNoInput(
            f"Job {job.id} has no open standard input.", remedy="Start it without stdin and no_stdin.", job_id=job.id
        )
    text = wish.input
    ends = text.endswith(("\n", "\r")) or wish.no_newline or not text
    newline = "" if ends else "\r" if job.rows is not None else "\n"
    eof = b"\x04" if wish.eof and job.rows is not None else b""
    return (text + newline).encode("utf-8", "surrogateescape") + keys.sent(wish.keys) + eof


def _signal(named: str) -> int:
    text = named.strip().upper().removeprefix("SIG")
    try:
        return signal.Signals(int(text)) if text.isdecimal() else signal.Signals[f"SIG{text}"]
    except (KeyError, ValueError):
        raise Invalid(f"There is no signal {named!r}.", remedy="HUP, INT, TERM, KILL, USR1, STOP, CONT …") from None


async def _in_time(wait: Awaitable[object], wait_s: float) -> bool:
    try:
        async with asyncio.timeout(wait_s):
            await wait
    except TimeoutError:
        return False
    return True
