"""Requests and replies about the daemon."""

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply, Request


class ShowDaemon(Request):
    """Look at the daemon."""


class ShowHttp(Request):
    """Look where the daemon listens for HTTP."""


class StopDaemon(Request):
    """Stop the daemon."""

    sessions: bool = False
    """Stop the running sessions and jobs too; without it they go on and the next daemon takes them up."""


class DaemonStatus(Reply):
    """How the daemon does."""

    pid: int
    """Its process."""
    version: str
    """Its version."""
    store_id: str
    """Id of its store; tells machines apart."""
    state_dir: str
    """Where its data is."""
    started_at: str
    """Start, UTC."""
    uptime_s: float
    """Seconds since its start."""
    connections: int
    """Clients connected now."""
    sessions: dict[str, int] = Field(default_factory=dict)
    """Sessions by state."""
    live: int
    """Processes that serve sessions now."""
    events: int
    """Events in the log."""
    rss_bytes: int
    """Its memory."""
    cpu_s: float
    """Processor seconds it has used."""
    disk_free_bytes: int
    """Free space where its data is."""
    blocked: str | None = None
    """Why nothing new is started, if so."""
    http: str | None = None
    """Where it listens for HTTP; none where it does not."""
    http_problem: str | None = None
    """Why it does not listen for HTTP though it should."""

    def text(self) -> str:
        """Return a short report."""
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.sessions.items())) or "none"
        blocked = f"\nnothing new is started: {self.blocked}" if self.blocked else ""
        http = f"\nhttp: {self.http}" if self.http else ""
        problem = f"\nno http: {self.http_problem}" if self.http_problem else ""
        return (
            f"daemon {self.version}, pid {self.pid}, up {self.uptime_s:.0f} s, {self.rss_bytes / 1e6:.0f} MB, "
            f"{self.connections} clients\nsessions: {states}; {self.live} processes; {self.events} events\n"
            f"state: {self.state_dir}, {self.disk_free_bytes / 1e9:.1f} GB free{http}{problem}{blocked}"
        )


class HttpAccess(Reply):
    """Where the daemon listens for HTTP, and what opens its door."""

    url: str
    """Where it listens; only programs of this machine reach it."""
    token: str
    """Send it as `Authorization: Bearer TOKEN`. Who has it can do all that you can."""
    file: str
    """Where both stand, readable for you alone; they stay the same when the daemon is started anew."""

    def text(self) -> str:
        """Return three lines."""
        return f"url: {self.url}\ntoken: {self.token}\nfile: {self.file}"


class DaemonStopped(Reply):
    """The daemon is on its way out."""

    pid: int
    """The process that ends."""
    live: int
    """Sessions that go on without it."""

    def text(self) -> str:
        """Return one line."""
        rest = f"; {self.live} running sessions go on, the next daemon takes them up" if self.live else ""
        return f"The daemon (pid {self.pid}) stops{rest}."
