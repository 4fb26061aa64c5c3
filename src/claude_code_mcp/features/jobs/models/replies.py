"""What the world is told about jobs."""

from typing import Any

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply


class JobInfo(Reply):
    """One job."""

    job_id: str
    """Id."""
    status: str
    """running, completed, failed or killed."""
    state: str
    """The same in more detail: waiting, restarting, timed_out, over_limit, lost …"""
    command: str
    """What runs."""
    started: str
    """When it was accepted, or last started, UTC."""
    completed: str | None = None
    """When it ended, UTC."""
    code: int | None = None
    """Exit code of the main process."""
    signal: str | None = None
    """The signal that ended it."""
    pid: int | None = None
    """Its main process, while it runs."""
    name: str = ""
    """Its name."""
    cwd: str = ""
    """Where it runs."""
    reason: str = ""
    """Why it is as it is, where that is not plain."""
    ready: bool | None = None
    """Whether it is ready; nothing where that was not asked for."""
    session_id: str | None = None
    """The session it belongs to."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels."""
    attempt: int = 0
    """How often it was started."""
    next_at: str | None = None
    """When it is started again, UTC."""
    waits_for: list[str] = Field(default_factory=list)
    """Jobs that must be ready first."""
    stdout_bytes: int = 0
    """Written to standard output, what was cut included."""
    stderr_bytes: int = 0
    """Written to standard error."""
    cut_bytes: int = 0
    """So many bytes in the middle are gone."""
    memory_bytes: int | None = None
    """Resident memory of its processes."""
    cpu_s: float | None = None
    """Processor time it has used."""
    processes: int | None = None
    """How many processes it has."""
    pinned: bool = False
    """It is never cleaned away."""
    sandbox: dict[str, Any] = Field(default_factory=dict)
    """What it is really kept to."""

    def text(self) -> str:
        """Return it in a few lines, the state first."""
        lines = [self.line()]
        details = {
            "cwd": self.cwd,
            "session": self.session_id,
            "why": self.reason,
            "next start": self.next_at,
            "waits for": ", ".join(self.waits_for),
            "sandbox": ", ".join(f"{name} {value}" for name, value in self.sandbox.items()),
            "labels": ", ".join(f"{name}={value}" for name, value in self.labels.items()),
            "output": f"{self.stdout_bytes:,} + {self.stderr_bytes:,} bytes"
            if self.stdout_bytes + self.stderr_bytes
            else "",
            "cut": f"{self.cut_bytes:,} bytes in the middle" if self.cut_bytes else "",
            "uses": _uses(self),
        }
        return "\n".join([*lines, *(f"  {name}: {value}" for name, value in details.items() if value)])

    def line(self) -> str:
        """Return it in one line."""
        end = "" if self.code is None and not self.signal else f" ({self.signal or self.code})"
        ready = "" if self.ready is None or self.completed else " ready" if self.ready else " not ready yet"
        called = f"{self.name}: " if self.name else ""
        return f"{self.job_id} {self.state}{end}{ready}  {called}{self.command}"


class JobHandle(JobInfo):
    """A job that was started; with its output where it has ended already."""

    stdout: str | None = None
    """Its last output, where it was waited for."""
    stderr: str | None = None
    """Likewise."""

    def text(self) -> str:
        """Return the job, what it said, and what to call next."""
        said = "".join(
            f"\n--- {name}\n{text}" for name, text in (("stdout", self.stdout), ("stderr", self.stderr)) if text
        )
        rest = "" if self.completed else f'\nnext: job_tail(job_id="{self.job_id}"), job_kill(job_id="{self.job_id}")'
        return super().text() + said + rest


class JobList(Reply):
    """Jobs, the newest first."""

    jobs: list[JobInfo]
    """The jobs."""
    more: int = 0
    """So many more there are."""

    def text(self) -> str:
        """Return one line each."""
        if not self.jobs:
            return "There are no jobs."
        rest = [f"… and {self.more} more"] if self.more else []
        return "\n".join([*(job.line() for job in self.jobs), *rest])


class JobOutput(Reply):
    """A piece of output."""

    stdout: str
    """Standard output."""
    stderr: str
    """Standard error."""
    cursor: str = ""
    """To read on from here."""
    more: bool = False
    """There is more already."""
    over: bool = False
    """The job is over: nothing more will come."""
    state: str = ""
    """Where the job stands."""
    stdout_gap_bytes: int = 0
    """So many bytes before this piece are gone."""
    stderr_gap_bytes: int = 0
    """Likewise."""

    def text(self) -> str:
        """Return what was said, the streams told apart where both spoke."""
        gaps = self.stdout_gap_bytes + self.stderr_gap_bytes
        parts = [f"[{gaps:,} bytes are gone here]\n"] if gaps else []
        parts.append(self.stdout)
        if self.stderr:
            parts.append(f"{_break(self.stdout)}--- stderr\n{self.stderr}" if self.stdout else self.stderr)
        return "".join(parts)


class Match(Reply):
    """A place in the output."""

    stream: str
    """stdout or stderr."""
    offset: int
    """Where it begins."""
    line: str
    """The line around it."""


class JobMatches(Reply):
    """What a search found."""

    matches: list[Match]
    """The places, in order."""
    more: bool = False
    """There are more; search again after the last offset."""

    def text(self) -> str:
        """Return one line each."""
        if not self.matches:
            return "Nothing fits."
        rest = ["… there is more"] if self.more else []
        return "\n".join([*(f"{match.stream}@{match.offset}: {match.line}" for match in self.matches), *rest])


class JobKilled(Reply):
    """What ending a job came to."""

    status: str
    """killed, or already_terminated."""
    job: JobInfo
    """The job now."""
    killed: int = 0
    """So many processes did not go by themselves."""
    left: list[int] = Field(default_factory=list)
    """Processes that even KILL did not end."""

    def text(self) -> str:
        """Return what happened."""
        left = f"\nStill there: {self.left}" if self.left else ""
        return f"{self.status}\n{self.job.line()}{left}"


class JobWaited(Reply):
    """What a wait came to."""

    reached: bool
    """What was waited for has come."""
    job: JobInfo
    """The job now."""
    line: str | None = None
    """The line that fits."""
    cursor: str = ""
    """Where the output is now."""

    def text(self) -> str:
        """Return the job, and whether it came."""
        came = self.line or "" if self.reached else "Not yet; call again."
        return "\n".join(part for part in (self.job.line(), came) if part)


class JobsRemoved(Reply):
    """What was deleted."""

    removed: list[str]
    """Ids."""

    def text(self) -> str:
        """Return how many."""
        return f"Removed {len(self.removed)}." if self.removed else "Nothing was removed."


class Task(Reply):
    """A background task: a job of ours, or one that Claude Code runs in a session."""

    task_id: str
    """Id."""
    kind: str
    """job, shell, subagent or another word of Claude Code."""
    status: str
    """running, completed, failed or killed."""
    description: str
    """What it is."""
    session_id: str | None = None
    """The session it belongs to."""


class Tasks(Reply):
    """What became of the action."""

    tasks: list[Task] = Field(default_factory=list)
    """The tasks."""
    logs: str | None = None
    """The last lines, for logs."""

    def text(self) -> str:
        """Return the lines of a log, or one line for each task."""
        if self.logs is not None:
            return self.logs
        if not self.tasks:
            return "No background tasks."
        return "\n".join(f"{task.task_id} {task.kind} {task.status}  {task.description}" for task in self.tasks)


class Capabilities(Reply):
    """What this system can limit and confine."""

    limits: dict[str, str]
    """Limit, and for whom it holds: tree, each process or each user."""
    sandboxes: dict[str, str]
    """Level, and how it is put in force; missing levels say why."""
    ring: bool
    """Output can be cut in the middle here."""

    def text(self) -> str:
        """Return one line each."""
        lines = [f"{name}: {how}" for name, how in {**self.limits, **self.sandboxes}.items()]
        return "\n".join(
            [*lines, f"output kept as head and tail: {'yes' if self.ring else 'no, a job over its limit is ended'}"]
        )


def _uses(job: JobInfo) -> str:
    if job.memory_bytes is None:
        return ""
    return f"{job.memory_bytes / 2**20:.0f} MiB, {job.cpu_s or 0:.1f} s cpu, {job.processes} processes"


def _break(text: str) -> str:
    return "" if text.endswith("\n") or not text else "\n"
