"""What the world may ask about jobs. Field docstrings are help text, tool schema and reference at once."""

from typing import Annotated, Literal

from pydantic import Field

from claude_code_mcp.features.jobs.models.things import Alert, Restart
from claude_code_mcp.kernel.operation import Request

JobRef = Annotated[str, Field(min_length=4, max_length=36, pattern=r"^[0-9a-fA-F-]+$")]
WaitSeconds = Annotated[float, Field(ge=0, le=1500)]
Cursor = Annotated[str, Field(max_length=60, pattern=r"^(\d+(:\d+)?(@\d+)?)?$")]
Attempt = Annotated[int | None, Field(ge=1, le=1_000_000)]
Word = Annotated[str, Field(max_length=200)]
Stream = Literal["stdout", "stderr", "both"]
Sandboxing = Literal["none", "limits", "fs", "fs+net"]


class ExecuteJob(Request):
    """Start a background job."""

    command: str | None = Field(default=None, max_length=4_000_000)
    """Shell command, as typed: pipes, && and redirects work."""
    argv: list[str] = Field(default_factory=list, max_length=10_000)
    """Instead of a command: program and arguments, without a shell."""
    project_path: str | None = Field(default=None, max_length=4096)
    """Working directory; yours when left out."""
    name: str = Field(default="", max_length=100)
    """A name to show."""
    wait_s: WaitSeconds = 0
    """Wait so long for its end, and return it if it came."""
    timeout_s: float | None = Field(default=None, gt=0, le=31_622_400)
    """End it after so long."""
    env: dict[str, str] = Field(default_factory=dict, max_length=1000)
    """More variables; it sees few of yours."""
    stdin: str | None = Field(default=None, max_length=16_000_000)
    """Text for its standard input, which ends then."""
    no_stdin: bool = False
    """Its standard input is empty."""
    pty: bool = False
    """It sees a terminal."""
    rows: int = Field(default=24, ge=1, le=999)
    """Rows of the terminal."""
    cols: int = Field(default=80, ge=1, le=999)
    """Columns of the terminal."""
    labels: dict[str, Word] = Field(default_factory=dict, max_length=50)
    """Labels to find it by."""
    session_id: str | None = Field(default=None, max_length=36)
    """The session it belongs to: listed with it, told of alerts; yours when you are one."""
    alerts: list[Alert] = Field(default_factory=list, max_length=4)
    """Send the session a message on: exit, failure, ready, match."""
    match: str | None = Field(default=None, max_length=2000)
    """Regular expression: lines that fit become events."""
    ready_log: str | None = Field(default=None, max_length=2000)
    """It is ready when a line fits this regular expression."""
    ready_port: int | None = Field(default=None, ge=1, le=65535)
    """It is ready when this local port listens."""
    ready_http: str | None = Field(
        default=None, max_length=2000, pattern=r"^https?://(127\.0\.0\.1|localhost|\[::1\])[:/]"
    )
    """It is ready when this local URL answers with less than 400."""
    ready_timeout_s: float = Field(default=60, gt=0, le=86_400)
    """Say so when it is not ready by then."""
    depends_on: list[JobRef] = Field(default_factory=list, max_length=50)
    """Start when these are ready, or completed where they say nothing about readiness."""
    restart: Restart = Restart.NO
    """no, on-failure or always."""
    restart_attempts: int | None = Field(default=None, ge=1, le=1_000_000)
    """Give up after so many attempts in a row."""
    restart_pause_s: float = Field(default=1, ge=0.05, le=3600)
    """Pause before the first new attempt; doubles, to a minute at most."""
    after_reboot: bool = False
    """Start it again after a reboot or when its supervisor was killed."""
    memory_bytes: int | None = Field(default=None, ge=1 << 20, le=1 << 50)
    """Memory it may use."""
    cpu_s: int | None = Field(default=None, ge=1, le=31_622_400)
    """Processor time it may use."""
    processes: int | None = Field(default=None, ge=1, le=1_000_000)
    """Processes it may have."""
    file_bytes: int | None = Field(default=None, ge=4096, le=1 << 50)
    """Largest file it may write."""
    nice: int | None = Field(default=None, ge=0, le=19)
    """How much it yields to others."""
    sandbox: Sandboxing | None = None
    """none, limits, fs (writes in its directory only), fs+net (no network either)."""
    writable: list[str] = Field(default_factory=list, max_length=100)
    """With a sandbox: more folders it may write to."""
    keep_rest: bool = False
    """When its main process ends, wait for those it left behind instead of ending them."""
    output_limit_bytes: int | None = Field(default=None, ge=4096, le=1 << 50)
    """Output kept of each stream: head and tail, the middle goes."""
    pin: bool = False
    """Never clean it away."""
    consent: bool = False
    """A person agreed to a command that the policy asks about."""


class ListJobs(Request):
    """Find jobs."""

    all: bool = True
    """Ended ones too."""
    session_id: str | None = Field(default=None, max_length=36)
    """Only of this session."""
    label: str | None = Field(default=None, max_length=300)
    """Only with this label: name, or name=value."""
    limit: int = Field(default=50, ge=1, le=1000)
    """Most jobs in the reply."""


class ShowJob(Request):
    """One job."""

    job_id: JobRef
    """The job."""


class ReadOutput(Request):
    """Read a job's output from a cursor on."""

    job_id: JobRef
    """The job."""
    stream: Stream = "both"
    """stdout, stderr or both."""
    cursor: Cursor = ""
    """From here on: the cursor of an earlier reply."""
    attempt: Attempt = None
    """Of this attempt, not the last one."""
    limit_bytes: int = Field(default=65_536, ge=1, le=4_000_000)
    """Most bytes of each stream."""
    wait_s: WaitSeconds = 0
    """Wait so long for something new."""
    raw: bool = False
    """Keep escape sequences."""


class TailOutput(Request):
    """The last lines of a job's output."""

    job_id: JobRef
    """The job."""
    lines: int = Field(default=50, ge=1, le=10_000)
    """Lines of each stream."""
    stream: Stream = "both"
    """stdout, stderr or both."""
    attempt: Attempt = None
    """Of this attempt, not the last one."""
    limit_bytes: int = Field(default=65_536, ge=1, le=4_000_000)
    """Most bytes of each stream."""
    raw: bool = False
    """Keep escape sequences."""


class SearchOutput(Request):
    """Search in a job's output."""

    job_id: JobRef
    """The job."""
    pattern: str = Field(min_length=1, max_length=2000)
    """Regular expression."""
    stream: Stream = "both"
    """stdout, stderr or both."""
    after: int = Field(default=0, ge=0)
    """Only from this offset on."""
    limit: int = Field(default=50, ge=1, le=1000)
    """Most matches."""


class InteractJob(Request):
    """Send a job input."""

    job_id: JobRef
    """The job."""
    input: str = Field(default="", max_length=4_000_000)
    """Text; a newline is added unless it ends with one."""
    keys: list[Word] = Field(default_factory=list, max_length=1000)
    """Keys after the text: enter, up, ctrl-c, f1, one character …"""
    no_newline: bool = False
    """Send the text as it is."""
    eof: bool = False
    """Then end its input."""
    rows: int | None = Field(default=None, ge=1, le=999)
    """Give its terminal so many rows."""
    cols: int | None = Field(default=None, ge=1, le=999)
    """Give its terminal so many columns."""
    wait_s: WaitSeconds = 1
    """Return what it says within so long."""


class KillJob(Request):
    """End a job."""

    job_id: JobRef
    """The job."""
    grace_s: float = Field(default=5, ge=0, le=3600)
    """Time between TERM and KILL; 0 kills at once."""


class WaitJob(Request):
    """Wait for a job."""

    job_id: JobRef
    """The job."""
    until: Literal["exit", "ready", "match"] = "exit"
    """exit, ready, or a line that fits `pattern`."""
    pattern: str | None = Field(default=None, min_length=1, max_length=2000)
    """Regular expression of a line."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Wait until this local port listens instead."""
    wait_s: WaitSeconds = 45
    """Longest wait."""
    cursor: Cursor = ""
    """For a pattern: only output after this."""


class RestartJob(Request):
    """Start a job again."""

    job_id: JobRef
    """The job; it is ended first where it runs."""
    grace_s: float = Field(default=5, ge=0, le=3600)
    """Time between TERM and KILL."""


class SignalJob(Request):
    """Send a signal to a job's main process."""

    job_id: JobRef
    """The job."""
    signal: str = Field(min_length=1, max_length=20)
    """Name or number: HUP, USR1, 2 …"""


class RemoveJob(Request):
    """Delete ended jobs and their output."""

    job_id: JobRef | None = None
    """The job; without it, `ended`."""
    ended: bool = False
    """All that are over and not pinned."""
    force: bool = False
    """End it first where it runs."""


class PinJob(Request):
    """Keep a job from being cleaned away, or no longer."""

    job_id: JobRef
    """The job."""
    off: bool = False
    """No longer."""


class ManageTasks(Request):
    """Background tasks by action, as the second document has it."""

    action: Literal["list", "stop", "logs", "restart"]
    """list, stop, logs or restart."""
    task_id: str | None = Field(default=None, max_length=64)
    """The task, for all but list."""
    lines: int = Field(default=50, ge=1, le=10_000)
    """For logs."""


class ShowCapabilities(Request):
    """What this system can limit and confine."""
