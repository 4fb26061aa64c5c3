"""What a run is started from, what is known of it, and the states it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from claude_code_mcp.platform.procs.identity import Identity


class RunState(StrEnum):
    """Where a run stands; `exited`, `failed_to_start` and `lost` are final."""

    STARTING = "starting"
    RUNNING = "running"
    EXITED = "exited"
    FAILED_TO_START = "failed_to_start"
    LOST = "lost"
    """Its supervisor ended without a word: kill -9, a reboot, another process under its pid."""

    @property
    def over(self) -> bool:
        """Whether this is a last state."""
        return self in {RunState.EXITED, RunState.FAILED_TO_START, RunState.LOST}


class Stdin(StrEnum):
    """Where a run's standard input comes from."""

    FIFO = "fifo"
    """A FIFO that the run itself holds open: no end of file, whoever dies."""
    PIPE = "pipe"
    """A FIFO that its supervisor holds open until `close_stdin` ends it."""
    NULL = "null"
    FILE = "file"
    """The spec's `input`, then its end."""


class Stderr(StrEnum):
    """Where a run's standard error goes."""

    FILE = "file"
    STDOUT = "stdout"


class OnExit(StrEnum):
    """What happens to the other processes of a run when its main process has ended."""

    END = "end"
    """TERM, `rest_grace_s`, KILL."""
    WAIT = "wait"
    """The run goes on until the last of them ends."""
    LEAVE = "leave"
    """They are left alone, unsupervised."""


class Sandbox(StrEnum):
    """How far a run is kept from the rest of the machine. `fs`: it writes only where it may and cannot read what is
    hidden; `fs+net`: nor use the network. A level that the system cannot put in force refuses the start."""

    NONE = "none"
    LIMITS = "limits"
    FS = "fs"
    FS_NET = "fs+net"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may use, None for no limit. Memory and the number of processes hold for its whole tree where there
    are control groups, else for each process, or each user. `nice`: 0 to 19, the higher the more it yields."""

    memory_bytes: int | None = None
    cpu_s: int | None = None
    processes: int | None = None
    file_bytes: int | None = None
    open_files: int | None = None
    nice: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSize:
    """The size of a pseudo-terminal in characters."""

    rows: int = 24
    cols: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A run to start. `run_id` is ours and new; `argv[0]` is looked up on the PATH of `env`; `env` is the whole
    environment, and is deleted from disk once the run has it, unless `keep_env`. `grace_s` is the time between TERM
    and KILL of a stop that names none. `adopt` off is how systems without subreapers work. `pty` gives it a terminal:
    its output is all in `stdout` then. `sandbox`, with the folders that stay `writable` and the paths that are
    `hidden`, and `limits` confine it; `cgroups` (controller to directory) are groups made for it to enter.
    """

    run_id: str
    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(repr=False)
    stdin: Stdin = Stdin.FIFO
    input: bytes = field(default=b"", repr=False)
    stderr: Stderr = Stderr.FILE
    on_exit: OnExit = OnExit.END
    grace_s: float = 5.0
    rest_grace_s: float = 2.0
    umask: int = 0o022
    keep_env: bool = False
    adopt: bool = True
    pty: TerminalSize | None = None
    limits: Limits | None = None
    cgroups: Mapping[str, str] = field(default_factory=dict)
    sandbox: Sandbox = Sandbox.NONE
    writable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Members:
    """The two processes that a run always has: its supervisor and its main process."""

    shim: Identity
    child: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFailure:
    """Why the program never ran. `stage`: fork, record, session, stdio, cwd, confine, exec, stopped, abandoned (the
    daemon died while it asked). `error` is the errno's name (ENOENT, EACCES, E2BIG, ENOEXEC), "" when it has none."""

    stage: str
    error: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a run ended: `code` or `signal` of the main process, when (unix seconds), its cpu and largest memory (10 MB
    at least: it begins as a copy of its supervisor), the cpu of the whole tree; whether it was asked to stop, how
    many processes had to be killed, and the pids that not even that ended."""

    code: int | None
    signal: int | None
    at: float
    cpu_s: float = 0.0
    max_rss_bytes: int = 0
    tree_cpu_s: float = 0.0
    stopped: bool = False
    killed: int = 0
    left: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What stopping a run came to: its last state, whether its supervisor had to be killed too, and the processes
    of the run that still live (none, unless the system could not end them)."""

    state: RunState
    exit: Exit | None
    forced: bool
    left: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the processes of a run use: how many live, the sum of their resident memory (shared pages count for
    each), and the cpu that the run has used since its start, that of ended processes included."""

    processes: int
    rss_bytes: int
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """The size of a run's output on disk."""

    stdout_bytes: int
    stderr_bytes: int

    @property
    def total_bytes(self) -> int:
        """Both together."""
        return self.stdout_bytes + self.stderr_bytes
