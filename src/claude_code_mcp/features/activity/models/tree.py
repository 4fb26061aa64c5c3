"""The tree as it is given out: one node per thing that took time, and one summary per session."""

from enum import StrEnum

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply


class NodeType(StrEnum):
    """What a node stands for. A session's root and each of its turns are tasks, in the document's words."""

    SESSION = "session"
    TASK = "task"
    TOOL = "tool_call"
    MCP = "mcp_call"
    SUBAGENT = "subagent"
    BACKGROUND = "background_task"
    APPROVAL = "approval"
    COMPACTION = "compaction"
    RETRY = "api_retry"
    NOTICE = "notice"


class NodeStatus(StrEnum):
    """Where a node stands. `waiting` waits for a person; `abandoned` will never tell its end."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    DENIED = "denied"
    INTERRUPTED = "interrupted"
    ABANDONED = "abandoned"


class Lifecycle(StrEnum):
    """Where a session stands: `active` works, `paused` waits for a person or for its next prompt."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"


class Tokens(Reply):
    """Tokens by kind."""

    input_tokens: int = 0
    """Read by the model, without what came from the cache."""
    output_tokens: int = 0
    """Written by the model."""
    cache_read_tokens: int = 0
    """Read from the cache."""
    cache_write_tokens: int = 0
    """Written to the cache."""


class SlowCall(Reply):
    """A call that took long."""

    id: str
    """The node."""
    name: str
    """Tool."""
    ms: int
    """How long, waiting for a person left out."""


class Times(Reply):
    """Where the time went; the three parts do not overlap, what is in none of them is Claude Code's own."""

    total_ms: int = 0
    """From the start to the end, or to now."""
    model_ms: int = 0
    """Waiting for the model."""
    tools_ms: int = 0
    """In tools, those of subagents included, overlaps counted once."""
    person_ms: int = 0
    """Waiting for a person."""
    slowest: list[SlowCall] = Field(default_factory=list)
    """The three calls that took longest, the longest first."""


class ActivityNode(Reply):
    """One node of the tree."""

    # Lists by default value, not by factory: pydantic looks at a factory's signature each time a node is constructed,
    # which costs more than all the rest of the node. It copies the empty list.

    id: str
    """Stable name: the same from every source and after a restart."""
    type: NodeType
    """What it is."""
    name: str
    """Tool, agent or title, in one line."""
    status: NodeStatus
    """Where it stands."""
    description: str = ""
    """What it is for, in one line."""
    started_at: str | None = None
    """When it began, UTC; None where its start was not seen."""
    ended_at: str | None = None
    """When it ended, UTC."""
    duration_ms: int | None = None
    """How long it took, or has taken until now while it runs."""
    self_ms: int | None = None
    """The part of it in none of its children."""
    input_summary: str = ""
    """What it was called with, in one line, without secrets."""
    output_summary: str = ""
    """What it gave, in one line, without secrets."""
    error_message: str = ""
    """Why it failed."""
    closed_by: str = ""
    """Why it counts as ended though its end was not seen: turn_end, session_end, process_death or next_prompt."""
    waiting_for: str = ""
    """What it waits for, where it waits for a person."""
    approval_id: str = ""
    """The question to answer with approval_answer, where it waits for one of ours."""
    tool_use_id: str = ""
    """The call's id."""
    agent_id: str = ""
    """The subagent that it is, or that made it."""
    mcp_server: str = ""
    """The MCP server, for an MCP call."""
    background: bool = False
    """Nothing waits for it."""
    slow: bool = False
    """It took longer than the threshold."""
    on_critical_path: bool = False
    """Its parent could not have ended earlier without it."""
    times: Times | None = None
    """Where the time went, for a session and a task."""
    tokens: Tokens | None = None
    """Tokens, where known."""
    cost_microusd: int | None = None
    """Cost in micro-dollars, where known."""
    sources: list[str] = Field(default=[])
    """Who saw it: stream, transcript, hook, otlp, daemon."""
    hidden: int = 0
    """Children that a filter left out."""
    children: list["ActivityNode"] = Field(default=[])
    """What happened in it, in the order of the starts."""


class ActiveOperation(Reply):
    """Something that runs now."""

    id: str
    """The node."""
    type: NodeType
    """What it is."""
    name: str
    """Tool or agent."""
    started: str | None = None
    """When it began, UTC."""
    waiting_for: str = ""
    """What it waits for, where it waits for a person."""


class Metrics(Reply):
    """Counts of a session."""

    total_tools_used: int = 0
    """Tool calls, MCP calls included."""
    total_mcp_calls: int = 0
    """MCP calls."""
    total_subagents: int = 0
    """Subagents."""
    total_duration_ms: int = 0
    """Sum of its turns."""
    error_count: int = 0
    """Calls that failed."""
    denied_count: int = 0
    """Calls that were not allowed."""


class SessionActivity(Reply):
    """One session: the lifecycle, what runs, and the counts."""

    id: str
    """The session."""
    start_time: str | None = None
    """When it began, UTC."""
    last_event_at: str | None = None
    """Its last sign of life, UTC."""
    status: Lifecycle
    """active, paused, completed or failed."""
    live: bool = False
    """A process works on it now."""
    ours: bool = False
    """Started by this program; others can be watched, not steered."""
    pid: int | None = None
    """Its process, while it is live."""
    project_path: str = ""
    """Where it works."""
    root_task: str = ""
    """Its title, else its first prompt, in one line."""
    waiting_for: str = ""
    """What it waits for, where it waits for a person."""
    model: str = ""
    """The model that answered last."""
    active_operations: list[ActiveOperation] = Field(default=[])
    """What runs now."""
    metrics: Metrics = Field(default_factory=Metrics)
    """Counts."""
    times: Times = Field(default_factory=Times)
    """Where the time went."""
    tokens: Tokens = Field(default_factory=Tokens)
    """Tokens, where known."""
    cost_microusd: int | None = None
    """Cost in micro-dollars, where known."""
    memory_bytes: int | None = None
    """Resident memory of its process and their children, while it is live."""
    cpu_percent: float | None = None
    """Of one core, likewise."""
    sources: list[str] = Field(default=[])
    """Who saw it."""
