"""What happened to a job. The subject is the job."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class JobAccepted(Fact, frozen=True, kw_only=True):
    """A job was taken on. `title`: its name or command, without secrets."""

    kind: ClassVar[str] = "job.accepted"

    job_id: str
    title: str
    cwd: str
    name: str = ""


class JobStarting(Fact, frozen=True, kw_only=True):
    """A process is about to be started for the job, under this run id; `attempt` counts from 1."""

    kind: ClassVar[str] = "job.starting"

    job_id: str
    run_id: str
    attempt: int


class JobStarted(Fact, frozen=True, kw_only=True):
    """The job's process runs. `run_id`, `attempt`: which one. `pid`: its main process."""

    kind: ClassVar[str] = "job.started"

    job_id: str
    run_id: str
    attempt: int
    pid: int | None = None


class JobReady(Fact, frozen=True, kw_only=True):
    """What was to tell that the job is ready has come. `by`: log, port, http, or several of them."""

    kind: ClassVar[str] = "job.ready"

    job_id: str
    by: str
    after_ms: int = 0


class JobNotReady(Fact, frozen=True, kw_only=True):
    """The job was not ready in time; it goes on."""

    kind: ClassVar[str] = "job.not_ready"

    job_id: str
    waited_s: float


class JobMatched(Fact, frozen=True, kw_only=True):
    """A line of the output fits the job's pattern. `stream`, `offset`: where it stands. `line`: its first 500
    characters."""

    kind: ClassVar[str] = "job.matched"

    job_id: str
    stream: str
    offset: int
    line: str


class JobOutputCut(Fact, frozen=True, kw_only=True):
    """The middle of an output was given back to the disk, for the first time."""

    kind: ClassVar[str] = "job.output_cut"

    job_id: str
    stream: str
    limit_bytes: int


class JobEnded(Fact, frozen=True, kw_only=True):
    """The job's process is over. `state`: how; `restarts_in_s`: it will be started again, after so long."""

    kind: ClassVar[str] = "job.ended"

    job_id: str
    run_id: str
    state: str
    code: int | None = None
    signal: int | None = None
    reason: str = ""
    duration_ms: int | None = None
    killed: int = 0
    restarts_in_s: float | None = None


class JobSignalled(Fact, frozen=True, kw_only=True):
    """Somebody sent the job's main process a signal."""

    kind: ClassVar[str] = "job.signalled"

    job_id: str
    signal: str


class JobStopping(Fact, frozen=True, kw_only=True):
    """Somebody, or a limit, ends the job. `why`: killed, timed_out, over_limit, restart or removed."""

    kind: ClassVar[str] = "job.stopping"

    job_id: str
    why: str
    by: str = ""


class JobChanged(Fact, frozen=True, kw_only=True):
    """A job was pinned or unpinned."""

    kind: ClassVar[str] = "job.changed"

    job_id: str
    pinned: bool


class JobRemoved(Fact, frozen=True, kw_only=True):
    """The job and its output were deleted. `why`: asked or old."""

    kind: ClassVar[str] = "job.removed"

    job_id: str
    why: str


class JobTold(Fact, frozen=True, kw_only=True):
    """A session was told of what happened to the job. `about`: the alert; `error`: why it could not be told."""

    kind: ClassVar[str] = "job.told"

    job_id: str
    to: str
    about: str
    error: str = ""
