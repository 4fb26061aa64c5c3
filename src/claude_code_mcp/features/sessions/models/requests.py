"""What the world may ask about sessions. Field docstrings are help text, tool schema and reference at once."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from claude_code_mcp.kernel.ids import session_id
from claude_code_mcp.kernel.operation import Request

SessionRef = Annotated[str, AfterValidator(session_id)]
Text = Annotated[str, Field(max_length=12 * 1024 * 1024)]
Wait = Annotated[float, Field(ge=0, le=1500)]


class PermissionMode(StrEnum):
    """How Claude Code decides about tools; `bypassPermissions` never asks."""

    DEFAULT = "default"
    ACCEPT_EDITS = "acceptEdits"
    PLAN = "plan"
    AUTO = "auto"
    DONT_ASK = "dontAsk"
    BYPASS = "bypassPermissions"


class Priority(StrEnum):
    """Who is started first when sessions wait for a free place."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Steering(StrEnum):
    """When a message to a running session is taken up: at once, at the next tool boundary, or after the turn."""

    NOW = "now"
    NEXT = "next"
    LATER = "later"


class ThinkingLevel(StrEnum):
    """The documents' words for how hard to think."""

    NONE = "none"
    THINK = "think"
    THINK_HARD = "think-hard"
    THINK_HARDER = "think-harder"
    ULTRATHINK = "ultrathink"


class Effort(StrEnum):
    """Claude Code's own scale of effort."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"
    MAX = "max"


class WaitUntil(StrEnum):
    """What ends a wait."""

    IDLE = "idle"
    APPROVAL = "approval"
    RESULT = "result"
    EVENT = "event"


class AbortMode(StrEnum):
    """How hard to stop: the turn only, the process in good order, or at once."""

    INTERRUPT = "interrupt"
    STOP = "stop"
    KILL = "kill"


class EventDetail(StrEnum):
    """How much of each event: one line, or everything recorded."""

    COMPACT = "compact"
    FULL = "full"


class LaunchWish(Request):
    """How a session's process is to run; kept with the session and used again whenever it is resumed."""

    model: str | None = Field(default=None, max_length=128)
    """Model alias (opus, sonnet, haiku …) or full id."""
    permission_mode: PermissionMode | None = None
    """Default asks; bypassPermissions only on purpose."""
    allowed_tools: list[str] | None = Field(default=None, max_length=200)
    """Tool rules allowed without asking, e.g. Read or Bash(git *)."""
    disallowed_tools: list[str] | None = Field(default=None, max_length=200)
    """Tool rules that are refused."""
    tools: list[str] | None = Field(default=None, max_length=200)
    """The exact set of built-in tools."""
    agent: str | None = Field(default=None, max_length=128)
    """Agent (subagent definition) that leads the session."""
    agents: dict[str, JsonValue] | None = Field(default=None)
    """Agents defined inline: name to {description, prompt, tools, model}."""
    system_prompt: Text | None = Field(default=None)
    """Replaces Claude Code's system prompt."""
    append_system_prompt: Text | None = Field(default=None)
    """Added to the system prompt."""
    thinking_level: ThinkingLevel | None = Field(default=None)
    """How hard to think, in the documents' words."""
    effort: Effort | None = Field(default=None)
    """How hard to think, on Claude Code's scale."""
    fallback_model: str | None = Field(default=None, max_length=128)
    """Model used when the first is overloaded."""
    max_turns: int | None = Field(default=None, ge=1, le=100_000)
    """Model calls that one turn may take."""
    max_budget_usd: Decimal | None = Field(default=None, gt=0, le=1_000_000, decimal_places=6)
    """Spending limit in US dollars."""
    json_schema: dict[str, JsonValue] | None = Field(default=None)
    """JSON schema that the final answer must fit; the result then carries `structured_output`."""
    add_dirs: list[str] | None = Field(default=None, max_length=100)
    """Further directories that the tools may use."""
    settings: dict[str, JsonValue] | None = Field(default=None)
    """Claude Code settings for this session only."""
    hooks: dict[str, str] | None = Field(default=None)
    """Commands to run on events: preToolUse, postToolUse, sessionStart, preCompact, onError."""
    mcp_config: dict[str, JsonValue] | None = Field(default=None)
    """MCP servers for this session: {"mcpServers": {...}}."""
    strict_mcp_config: bool = Field(default=False)
    """Use only the MCP servers of mcp_config."""
    worktree: str | None = Field(default=None, max_length=64)
    """Work in a new git worktree of this name."""
    env: dict[str, str] | None = Field(default=None)
    """Further environment variables."""
    partial: bool = Field(default=False)
    """Record partial text while the model writes."""
    timeout_s: float | None = Field(default=None, gt=0, le=30 * 86400)
    """Longest time in seconds that one busy period may take before it is stopped."""
    idle_s: float | None = Field(default=None, ge=0, le=7 * 86400)
    """Seconds that the process stays warm after a turn."""


class StartSession(LaunchWish):
    """Start a session, or go on with one."""

    prompt: Text
    """What Claude Code shall do."""
    project_path: str | None = Field(default=None, max_length=4096)
    """Folder to work in; default: the client's."""
    session_id: SessionRef | None = Field(default=None)
    """Continue this session instead of starting one."""
    continue_last: bool = Field(default=False)
    """Continue the newest session of the project."""
    fork: bool = Field(default=False)
    """With session_id or continue_last: copy it and leave the original as it is."""
    resume_at: str | None = Field(default=None, max_length=64)
    """With fork: cut the history after this message uuid."""
    checkpoint_id: str | None = Field(default=None, max_length=64)
    """Continue from a checkpoint: its files and its conversation."""
    priority: Priority = Field(default=Priority.NORMAL)
    """Place in the queue when all places are taken."""
    title: str | None = Field(default=None, max_length=200)
    """Name to find it by."""
    labels: dict[str, str] = Field(default_factory=dict, max_length=50)
    """Labels to find it by."""
    trust_project: bool = Field(default=False)
    """Trust the project's own settings, hooks and MCP servers as they are now."""
    background: bool = Field(default=True)
    """False: wait for the answer like claude_ask does."""


class AskSession(StartSession):
    """Start or continue a session and wait for its answer."""

    wait_s: Wait | None = None
    """Longest wait in seconds (default 45); after it you get the handle, and the session goes on."""
    stream: bool | None = Field(default=None)
    """Send `claude.stream` notifications while the call waits."""


class PlanSession(AskSession):
    """Let Claude Code plan without changing anything."""


class SessionById(Request):
    """One session."""

    session_id: SessionRef
    """The session."""


class ResumeSession(SessionById, LaunchWish):
    """Go on with a session, ours or anybody's."""

    prompt: Text | None = None
    """Next message; without it the session is only made ready."""
    wait_s: Wait = 0
    """Wait up to so many seconds for the answer."""
    stream: bool | None = Field(default=None)
    """Send `claude.stream` notifications while the call waits."""
    trust_project: bool = Field(default=False)
    """Trust the project's own settings, hooks and MCP servers as they are now."""


class SendMessage(SessionById):
    """Send a message to a session."""

    prompt: Text
    """The message."""
    steering: Steering = Steering.NEXT
    """now aborts the running turn, next is taken up at the next tool boundary, later after the turn."""
    message_id: str | None = Field(default=None, max_length=36)
    """Your own UUID for the message; the same one is never run twice."""


class WaitSession(SessionById):
    """Wait for something to happen."""

    cursor: int = Field(default=0, ge=0)
    """Only events after this one count; take it from the last reply."""
    until: WaitUntil = WaitUntil.IDLE
    """idle or result: the turn is over; approval: it waits for an answer; event: anything new."""
    wait_s: Wait | None = None
    """Longest wait in seconds (default 45)."""
    limit: int = Field(default=100, ge=1, le=1000)
    """Most events in the reply."""
    detail: EventDetail = EventDetail.COMPACT
    """compact lines or full events."""
    stream: bool | None = Field(default=None)
    """Send `claude.stream` notifications while the call waits."""


class ReadEvents(SessionById):
    """Read what happened."""

    cursor: int = Field(default=0, ge=0)
    """Events after this one."""
    limit: int = Field(default=100, ge=1, le=1000)
    """Most events in the reply."""
    detail: EventDetail = EventDetail.COMPACT
    """compact lines or full events."""
    kinds: list[str] = Field(default_factory=list, max_length=100)
    """Only these kinds, e.g. tool.finished."""


class ShowSession(SessionById):
    """Look at one session."""


class ListSessions(Request):
    """Find sessions."""

    scope: Literal["ours", "live", "all"] = "ours"
    """ours, every live one on this machine, or past ones of everybody too."""
    project_path: str | None = Field(default=None, max_length=4096)
    """Only of this folder."""
    state: list[str] = Field(default_factory=list, max_length=10)
    """Only in these states."""
    text: str | None = Field(default=None, max_length=200)
    """Only with this text in title, prompt, path or id."""
    labels: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Only with these labels."""
    limit: int = Field(default=50, ge=1, le=500)
    """Most sessions in the reply."""


class AbortSession(SessionById):
    """Stop what a session does."""

    mode: AbortMode = AbortMode.INTERRUPT
    """interrupt the turn, stop the process in good order, or kill it."""
    reason: str | None = Field(default=None, max_length=500)
    """Why; kept with the event."""


class ForkSession(SessionById):
    """Copy a session into a new one."""

    prompt: Text | None = None
    """First message of the copy."""
    resume_at: str | None = Field(default=None, max_length=64)
    """Cut the history after this message uuid (see session_events)."""
    title: str | None = Field(default=None, max_length=200)
    """Name of the copy."""


class SetSession(SessionById):
    """Change a session, also while it runs."""

    model: str | None = Field(default=None, max_length=128)
    """Model from the next turn on."""
    permission_mode: PermissionMode | None = None
    """Permission mode from now on."""
    title: str | None = Field(default=None, max_length=200)
    """New name."""
    priority: Priority | None = None
    """New place in the queue."""
    labels: dict[str, str] | None = Field(default=None, max_length=50)
    """New labels, replacing the old."""
