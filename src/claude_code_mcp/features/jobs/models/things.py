"""A job as the store keeps it: the wish, where it stands, and how its last process ended."""

from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from claude_code_mcp.kernel.ids import JobId, RunId, SessionId


class JobState(StrEnum):
    """Where a job stands.

    `waiting` waits for the jobs it depends on, `restarting` for its next attempt. `killed` was ended on request,
    `timed_out` and `over_limit` by a limit of its own; `lost` lost its supervisor (a reboot, kill -9).
    """

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    COMPLETED = "completed"
    FAILED = "failed"
    KILLED = "killed"
    TIMED_OUT = "timed_out"
    OVER_LIMIT = "over_limit"
    LOST = "lost"


ALIVE = frozenset({JobState.WAITING, JobState.STARTING, JobState.RUNNING, JobState.RESTARTING})


class Restart(StrEnum):
    """When a job that ended is started again."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


class Alert(StrEnum):
    """What a session is told of."""

    EXIT = "exit"
    FAILURE = "failure"
    READY = "ready"
    MATCH = "match"


class Telling(msgspec.Struct, frozen=True):
    """Something that the job's session is yet to be told. `key` names it among all of the job: the same key is told
    once; `said` is what happened, in words."""

    alert: Alert
    key: str
    said: str


class Readiness(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What tells that a job is ready: a line, a port that listens, a URL that answers; all that are given."""

    log: str | None = None
    port: int | None = None
    http: str | None = None
    timeout_s: float = 60.0

    @property
    def wished(self) -> bool:
        """Whether anything is to be waited for."""
        return bool(self.log or self.port or self.http)


class Policy(msgspec.Struct, kw_only=True, omit_defaults=True):
    """When and how often it is started again; the pause doubles with each attempt up to `most_s`."""

    when: Restart = Restart.NO
    attempts: int | None = None
    pause_s: float = 1.0
    most_s: float = 60.0
    after_reboot: bool = False


class Confinement(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What it may use and reach. `in_force` is what the last process was really kept to, by name."""

    sandbox: str = "none"
    writable: list[str] = msgspec.field(default_factory=list)
    hidden: list[str] = msgspec.field(default_factory=list)
    limits: dict[str, int] = msgspec.field(default_factory=dict)
    in_force: dict[str, Any] = msgspec.field(default_factory=dict)


class Job(msgspec.Struct, kw_only=True):
    """One job. `command` is a shell command; without one `argv` is run as it is. Its environment is in the vault.

    `cuts` names the bytes that are gone from each output (start, end), `past_cuts` those of earlier attempts;
    `ready_at`, `exit` and `matched` (the places that fitted, stream:offset) are of the last attempt; `overdue`: it was
    said that it is not ready in time. `stdin` is open, text (from the vault) or none. `untold` has not reached the
    session yet. `stopping` is why it is being ended, `stopped_because` the same in words where a limit does it.
    """

    id: JobId
    state: JobState
    created_at: str
    updated_at: str
    cwd: str
    command: str | None = None
    argv: list[str] = msgspec.field(default_factory=list)
    name: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    session_id: SessionId | None = None
    client: str = ""
    stdin: str = "open"
    keep_rest: bool = False
    rows: int | None = None
    cols: int | None = None
    timeout_s: float | None = None
    output_limit_bytes: int = 0
    readiness: Readiness = msgspec.field(default_factory=Readiness)
    depends_on: list[JobId] = msgspec.field(default_factory=list)
    restart: Policy = msgspec.field(default_factory=Policy)
    alerts: list[Alert] = msgspec.field(default_factory=list)
    match: str | None = None
    confinement: Confinement = msgspec.field(default_factory=Confinement)
    pinned: bool = False
    attempt: int = 0
    failures: int = 0
    run_id: RunId | None = None
    started_at: str | None = None
    ready_at: str | None = None
    ended_at: str | None = None
    next_at: str | None = None
    stopping: str | None = None
    stopped_because: str = ""
    overdue: bool = False
    exit: dict[str, Any] | None = None
    reason: str = ""
    matched: list[str] = msgspec.field(default_factory=list)
    cuts: dict[str, list[int]] = msgspec.field(default_factory=dict)
    past_cuts: dict[int, dict[str, list[int]]] = msgspec.field(default_factory=dict)
    untold: list[Telling] = msgspec.field(default_factory=list)
    peak_bytes: int = 0
    cpu_s: float = 0.0

    @property
    def title(self) -> str:
        """What to call it: its name, else its command."""
        return self.name or self.command or " ".join(self.argv)

    @property
    def alive(self) -> bool:
        """Whether it runs or will run by itself."""
        return self.state in ALIVE


class JobProcess(NamedTuple):
    """A job that runs: its main process and that of its supervisor, None before they are known."""

    job_id: JobId
    run_id: str
    pid: int | None
    supervisor_pid: int | None
