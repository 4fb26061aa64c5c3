"""One event as it is exported: the document's fields, with its event types and ours beyond them."""

from enum import StrEnum

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply

ACTIVITY_EVENT_SCHEMA_VERSION = 1
"""Grows when a field changes its meaning or goes; new fields and new event types do not change it."""


class EventType(StrEnum):
    """What happened. A turn of a session is a task; what is beyond the document's list has names of its own."""

    TASK_STARTED = "task_started"
    TASK_PROGRESS = "task_progress"
    TASK_COMPLETE = "task_complete"
    TASK_FAILED = "task_failed"
    TOOL_PRE_CALL = "tool_pre_call"
    TOOL_POST_CALL = "tool_post_call"
    TOOL_ERROR = "tool_error"
    MCP_REQUEST = "mcp_request"
    MCP_RESPONSE = "mcp_response"
    MCP_ERROR = "mcp_error"
    SUBAGENT_SPAWN = "subagent_spawn"
    SUBAGENT_COMPLETE = "subagent_complete"
    SUBAGENT_FAILED = "subagent_failed"
    SESSION_STARTED = "session_started"
    SESSION_ENDED = "session_ended"
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_ANSWERED = "approval_answered"
    COMPACTION_STARTED = "compaction_started"
    COMPACTION_COMPLETE = "compaction_complete"
    COMPACTION_FAILED = "compaction_failed"
    BACKGROUND_STARTED = "background_task_started"
    BACKGROUND_COMPLETE = "background_task_complete"
    BACKGROUND_FAILED = "background_task_failed"
    API_RETRY = "api_retry"
    RATE_LIMIT = "rate_limit"
    NOTICE = "notice"


class EventStatus(StrEnum):
    """How it stands: `error` covers what failed and what was denied, `timeout` what will never tell its end."""

    STARTED = "started"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"


class ResourceUsage(Reply):
    """What the session's process and its children used when it was measured last."""

    memory_mb: float
    """Resident memory in MiB."""
    cpu_percent: float
    """Of one core."""


class EventDetails(Reply):
    """What it was about; one line each, without secrets."""

    name: str = ""
    """Tool, agent, prompt or title."""
    description: str = ""
    """What for."""
    input_summary: str = ""
    """What it was called with."""
    output_summary: str = ""
    """What it gave."""
    error_message: str = ""
    """Why it failed."""
    resource_usage: ResourceUsage | None = None
    """Measured, where the process can be seen."""


class DisplayInfo(Reply):
    """How it is best shown."""

    icon: str
    """One sign."""
    color: str
    """green, red, yellow, blue or gray."""
    indent_level: int = Field(default=0, ge=0)
    """How deep in the tree: 0 is the session."""
    should_collapse: bool = False
    """It ended quickly and well, so that a short display may leave it out."""


class ActivityEvent(Reply):
    """One event of a session."""

    timestamp: str
    """When, UTC, ISO 8601."""
    session_id: str
    """Claude Code's id of the session."""
    event_type: EventType
    """What happened."""
    status: EventStatus
    """How it stands."""
    duration_ms: int | None = None
    """How long it took, where it has ended."""
    parent_id: str | None = None
    """The node that it is part of; None for the session itself."""
    correlation_id: str
    """The node that it is about: the same from its start to its end, and from every source."""
    details: EventDetails = Field(default_factory=EventDetails)
    """What it was about."""
    display_info: DisplayInfo
    """How it is best shown."""
