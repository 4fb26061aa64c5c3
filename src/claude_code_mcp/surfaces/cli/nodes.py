"""What the daemon tells about activity, as far as it is shown: sessions, nodes of the tree, and their order."""

from collections.abc import Iterator

import msgspec

RUNNING, WAITING, FAILED = "running", "waiting", "failed"
LIVE_STATES = frozenset({RUNNING, WAITING})
TASK, MCP, SUBAGENT, APPROVAL = "task", "mcp_call", "subagent", "approval"


class Tokens(msgspec.Struct):
    """Tokens by kind."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


class Times(msgspec.Struct):
    """Where the time went, in milliseconds."""

    total_ms: int = 0
    model_ms: int = 0
    tools_ms: int = 0
    person_ms: int = 0


class Node(msgspec.Struct):
    """One node of the tree; the fields are those of the operation's reply, unknown ones are left out."""

    id: str
    type: str
    name: str
    status: str
    description: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    duration_ms: int | None = None
    self_ms: int | None = None
    input_summary: str = ""
    output_summary: str = ""
    error_message: str = ""
    closed_by: str = ""
    waiting_for: str = ""
    approval_id: str = ""
    tool_use_id: str = ""
    agent_id: str = ""
    mcp_server: str = ""
    background: bool = False
    slow: bool = False
    on_critical_path: bool = False
    times: Times | None = None
    tokens: Tokens | None = None
    cost_microusd: int | None = None
    sources: list[str] = msgspec.field(default_factory=list)
    hidden: int = 0
    children: list["Node"] = msgspec.field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status in LIVE_STATES


class Operation(msgspec.Struct):
    """Something that a session does now."""

    id: str = ""
    type: str = ""
    name: str = ""
    started: str | None = None
    waiting_for: str = ""


class Metrics(msgspec.Struct):
    """Counts of a session."""

    total_tools_used: int = 0
    total_mcp_calls: int = 0
    total_subagents: int = 0
    total_duration_ms: int = 0
    error_count: int = 0
    denied_count: int = 0


class Session(msgspec.Struct):
    """One session in the list."""

    id: str
    status: str = "active"
    start_time: str | None = None
    last_event_at: str | None = None
    live: bool = False
    ours: bool = False
    pid: int | None = None
    project_path: str = ""
    root_task: str = ""
    waiting_for: str = ""
    model: str = ""
    active_operations: list[Operation] = msgspec.field(default_factory=list)
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    times: Times = msgspec.field(default_factory=Times)
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    cost_microusd: int | None = None
    memory_bytes: int | None = None
    cpu_percent: float | None = None

    @property
    def project(self) -> str:
        """The last part of its directory."""
        return self.project_path.rstrip("/").rpartition("/")[2] or self.project_path or "?"


class _Root(msgspec.Struct):
    root_task: Node


class TreeReply(msgspec.Struct):
    """The reply of `activity.tree`."""

    activity_tree: _Root
    session: Session
    cursor: int = 0

    @property
    def root(self) -> Node:
        """The session's node."""
        return self.activity_tree.root_task


class SessionsReply(msgspec.Struct):
    """The reply of `activity.sessions`."""

    items: list[Session]
    cursor: int = 0


class Settings(msgspec.Struct):
    """How a session is to be shown, as far as it is decided here; the daemon decides the rest."""

    show_timings: bool = True
    highlight_errors: bool = True


class SettingsReply(msgspec.Struct):
    """The reply of `activity.configure`."""

    settings: Settings


def in_order(sessions: list[Session]) -> list[Session]:
    """Return them as they are shown: what waits for a person, what works, what is live, then the newest."""
    ordered = sorted(sessions, key=lambda one: (one.start_time or "", one.id), reverse=True)
    ordered.sort(key=lambda one: one.last_event_at or "", reverse=True)
    live = [one for one in ordered if one.live or one.waiting_for]
    # A list that jumps with each event cannot be read: the live ones keep the order in which they began.
    live.sort(key=lambda one: (one.start_time or "", one.id))
    live.sort(key=lambda one: 0 if one.waiting_for else 1 if one.status == "active" else 2)
    shown = {id(one) for one in live}
    return live + [one for one in ordered if id(one) not in shown]


def walk(root: Node) -> Iterator[Node]:
    """Yield every node below `root` in the order of the screen; nesting of any depth."""
    stack = list(reversed(root.children))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
