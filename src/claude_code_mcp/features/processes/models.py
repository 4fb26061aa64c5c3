"""One process, the tree of them, and what is left over."""

from enum import StrEnum

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply, Request


class ProcessKind(StrEnum):
    """What a process is to Claude."""

    CLAUDE = "claude"
    JOB = "job"
    SHELL = "shell"
    MCP_SERVER = "mcp_server"
    SUPERVISOR = "supervisor"
    OTHER = "process"


class ListProcesses(Request):
    """Look at all processes of Claude."""

    session_id: str | None = Field(default=None, max_length=36)
    """Only those of this session."""
    project_path: str | None = Field(default=None, max_length=4096)
    """Only those that belong to sessions and jobs in this folder."""
    sample_s: float = Field(default=0.1, ge=0, le=10)
    """Measure the processor for so long; 0 leaves it out."""
    supervisors: bool = False
    """Show our own small supervising processes too."""


class ListActiveSessions(Request):
    """Look at the sessions that run now, everybody's."""


class ReapProcesses(Request):
    """End what is left over."""

    apply: bool = False
    """Really end them; without it they are only shown."""
    pids: list[int] = Field(default_factory=list, max_length=10_000)
    """Only these, of those that are proven."""
    grace_s: float = Field(default=5, ge=0, le=600)
    """Time between TERM and KILL."""


class ShowHistory(Request):
    """What a session or a job has used over time."""

    subject: str = Field(min_length=4, max_length=36)
    """The session or the job."""
    limit: int = Field(default=100, ge=1, le=10_000)
    """Most samples, the newest."""


class ProcessNode(Reply):
    """One process, and what it started."""

    pid: int
    """Its number."""
    kind: ProcessKind
    """What it is to Claude."""
    command: str
    """What it runs, without secrets."""
    cwd: str = ""
    """Where."""
    state: str = ""
    """running, sleeping, stopped, zombie …"""
    session_id: str | None = None
    """The session it belongs to."""
    job_id: str | None = None
    """The job it belongs to."""
    ours: bool = False
    """Started by this program."""
    cpu_percent: float = 0.0
    """Of one core."""
    cpu_s: float = 0.0
    """Processor time since its start."""
    memory_bytes: int = 0
    """Resident memory."""
    ports: list[int] = Field(default_factory=list)
    """Ports on which it listens."""
    started_at: str = ""
    """Start, UTC."""
    age_s: float = 0.0
    """Since its start."""
    children: list["ProcessNode"] = Field(default_factory=list)
    """What it started and still runs."""


class Orphan(Reply):
    """A process that outlived what started it."""

    pid: int
    """Its number."""
    command: str
    """What it runs, without secrets."""
    cwd: str = ""
    """Where."""
    memory_bytes: int = 0
    """Resident memory."""
    age_s: float = 0.0
    """Since its start."""
    session_id: str | None = None
    """The session that it comes from."""
    proven: bool = False
    """It is known to be left over, so it may be ended."""
    proof: str = ""
    """How that is known, or why it is not."""
    ended: bool | None = None
    """Whether it is gone now; nothing where that was not tried."""


class ProcessTree(Reply):
    """All processes of Claude."""

    roots: list[ProcessNode]
    """Sessions and jobs with what they started."""
    orphans: list[Orphan] = Field(default_factory=list)
    """What is left of others."""
    processes: int = 0
    """How many there are in all."""
    memory_bytes: int = 0
    """What they use together."""

    def text(self) -> str:
        """Return the tree, one line each."""
        lines = [line for root in self.roots for line in _lines(root, "")]
        if self.orphans:
            lines.append(f"left over: {len(self.orphans)}; `processes_reap` shows them")
        total = f"{self.processes} processes, {self.memory_bytes / 2**20:,.0f} MiB"
        return "\n".join([*lines, total]) if lines else "No process of Claude runs."


class ActiveSession(Reply):
    """A session that runs now."""

    session_id: str
    """The session."""
    pid: int
    """Its process."""
    project_path: str
    """Where it works."""
    start_time: str
    """When its process began, UTC."""
    status: str
    """busy, idle or waiting."""
    waiting_for: str = ""
    """For what."""
    ours: bool = False
    """Started by this program."""
    name: str = ""
    """Its name."""
    processes: int = 1
    """Its process and all below it."""
    memory_bytes: int = 0
    """What they use together."""


class ActiveSessions(Reply):
    """The sessions that run now, the newest first."""

    sessions: list[ActiveSession]
    """The sessions."""

    def text(self) -> str:
        """Return one line each."""
        if not self.sessions:
            return "No session runs."
        return "\n".join(
            f"{one.session_id} pid {one.pid} {one.status} {one.project_path}"
            f" ({one.processes} processes, {one.memory_bytes / 2**20:,.0f} MiB)"
            for one in self.sessions
        )


class Reaped(Reply):
    """What is left over, and what was ended of it."""

    orphans: list[Orphan]
    """The processes."""
    applied: bool
    """They were to be ended, not only shown."""

    def text(self) -> str:
        """Return what is proven, one line each, and what to do next; then what is not, which is never touched."""
        proven = [_line(one) for one in self.orphans if one.proven]
        others = [_line(one) for one in self.orphans if not one.proven]
        lines = proven or ["Nothing is left over."]
        if proven and not self.applied:
            lines.append(f"next: processes_reap(apply=true) ends the {len(proven)} that are proven")
        return "\n".join([*lines, *(["Left alone, since it is not proven:", *others] if others else [])])


def _line(one: Orphan) -> str:
    return f"{one.pid} {_ended(one)} {one.age_s:,.0f} s {_mib(one.memory_bytes)}  {one.command}\n    {one.proof}"


class Sample(Reply):
    """What was used at one moment."""

    at: str
    """When, UTC."""
    memory_bytes: int
    """Resident memory of all its processes."""
    cpu_s: float
    """Processor time since its start."""
    processes: int
    """How many they were."""


class History(Reply):
    """What a session or a job has used over time."""

    subject: str
    """The session or the job."""
    samples: list[Sample]
    """Oldest first."""

    def text(self) -> str:
        """Return one line each."""
        if not self.samples:
            return "Nothing was measured: it never ran for long, or too long ago."
        return "\n".join(
            f"{one.at} {one.memory_bytes / 2**20:,.0f} MiB {one.cpu_s:,.1f} s cpu {one.processes} processes"
            for one in self.samples
        )


def _lines(node: ProcessNode, indent: str) -> list[str]:
    owner = f" session {node.session_id}" if node.session_id and not indent else ""
    job = f" job {node.job_id}" if node.job_id and not indent else ""
    ports = f" :{',:'.join(str(port) for port in node.ports)}" if node.ports else ""
    use = f"{node.cpu_percent:.0f}% {node.memory_bytes / 2**20:,.0f} MiB"
    line = f"{indent}{node.pid} {node.kind} {use}{ports}{owner}{job}  {node.command}"
    return [line, *(below for child in node.children for below in _lines(child, indent + "  "))]


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _ended(one: Orphan) -> str:
    if one.ended is not None:
        return "ended" if one.ended else "STILL THERE"
    return "left over" if one.proven else "not proven"
