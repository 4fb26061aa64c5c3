"""Events in the document's shape, made from recorded ones and from nodes."""

from collections.abc import Mapping

from claude_code_mcp.features.activity.models import ActivityNode, NodeStatus, NodeType
from claude_code_mcp.features.activity.models.events_out import (
    ActivityEvent,
    DisplayInfo,
    EventDetails,
    EventStatus,
    EventType,
    ResourceUsage,
)
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.rules.phrases import icon_of
from claude_code_mcp.features.activity.rules.view import OPEN
from claude_code_mcp.features.activity.rules.wording import short
from claude_code_mcp.features.approvals.events import ApprovalAnswered, ApprovalClosed
from claude_code_mcp.kernel.clock import parse
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.platform.claude.facts import (
    ApiRetried,
    ApprovalAsked,
    ApprovalWithdrawn,
    CompactionFailed,
    CompactionStarted,
    ContextCompacted,
    NoticeShown,
    ProcessGone,
    PromptTaken,
    RateLimitChanged,
    SessionClosed,
    SessionOpened,
    SubagentFinished,
    SubagentProgressed,
    SubagentStarted,
    TaskFinished,
    TaskStarted,
    ToolAbandoned,
    ToolDenied,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)

_STEP = Mapping[NodeType, EventType]
_BEGUN: _STEP = {
    NodeType.SESSION: EventType.SESSION_STARTED,
    NodeType.TASK: EventType.TASK_STARTED,
    NodeType.TOOL: EventType.TOOL_PRE_CALL,
    NodeType.MCP: EventType.MCP_REQUEST,
    NodeType.SUBAGENT: EventType.SUBAGENT_SPAWN,
    NodeType.BACKGROUND: EventType.BACKGROUND_STARTED,
    NodeType.APPROVAL: EventType.APPROVAL_ASKED,
    NodeType.COMPACTION: EventType.COMPACTION_STARTED,
    NodeType.RETRY: EventType.API_RETRY,
    NodeType.NOTICE: EventType.NOTICE,
}
_DONE: _STEP = {
    **_BEGUN,
    NodeType.SESSION: EventType.SESSION_ENDED,
    NodeType.TASK: EventType.TASK_COMPLETE,
    NodeType.TOOL: EventType.TOOL_POST_CALL,
    NodeType.MCP: EventType.MCP_RESPONSE,
    NodeType.SUBAGENT: EventType.SUBAGENT_COMPLETE,
    NodeType.BACKGROUND: EventType.BACKGROUND_COMPLETE,
    NodeType.APPROVAL: EventType.APPROVAL_ANSWERED,
    NodeType.COMPACTION: EventType.COMPACTION_COMPLETE,
}
_WRONG: _STEP = {
    **_DONE,
    NodeType.TASK: EventType.TASK_FAILED,
    NodeType.TOOL: EventType.TOOL_ERROR,
    NodeType.MCP: EventType.MCP_ERROR,
    NodeType.SUBAGENT: EventType.SUBAGENT_FAILED,
    NodeType.BACKGROUND: EventType.BACKGROUND_FAILED,
    NodeType.COMPACTION: EventType.COMPACTION_FAILED,
}
_STATUS: Mapping[NodeStatus, EventStatus] = {
    NodeStatus.RUNNING: EventStatus.RUNNING,
    NodeStatus.WAITING: EventStatus.RUNNING,
    NodeStatus.COMPLETED: EventStatus.SUCCESS,
    NodeStatus.FAILED: EventStatus.ERROR,
    NodeStatus.DENIED: EventStatus.ERROR,
    NodeStatus.INTERRUPTED: EventStatus.ERROR,
    NodeStatus.ABANDONED: EventStatus.TIMEOUT,
}
_COLORS: Mapping[NodeStatus, str] = {
    NodeStatus.RUNNING: "blue",
    NodeStatus.WAITING: "yellow",
    NodeStatus.COMPLETED: "green",
    NodeStatus.FAILED: "red",
    NodeStatus.DENIED: "red",
    NodeStatus.INTERRUPTED: "yellow",
    NodeStatus.ABANDONED: "gray",
}
_FAST_MS = 100
_BEGINNINGS = frozenset(
    (
        ToolStarted.kind,
        SubagentStarted.kind,
        TaskStarted.kind,
        TurnStarted.kind,
        PromptTaken.kind,
        ApprovalAsked.kind,
        CompactionStarted.kind,
        SessionOpened.kind,
    )
)
_MARKS: Mapping[str, EventType] = {
    CompactionStarted.kind: EventType.COMPACTION_STARTED,
    ContextCompacted.kind: EventType.COMPACTION_COMPLETE,
    CompactionFailed.kind: EventType.COMPACTION_FAILED,
    ApiRetried.kind: EventType.API_RETRY,
    RateLimitChanged.kind: EventType.RATE_LIMIT,
    NoticeShown.kind: EventType.NOTICE,
}
_CALLS = frozenset((ToolStarted.kind, ToolFinished.kind, ToolFailed.kind, ToolDenied.kind, ToolAbandoned.kind))
_TASKS = frozenset(
    (SubagentStarted.kind, SubagentProgressed.kind, SubagentFinished.kind, TaskStarted.kind, TaskFinished.kind)
)
_QUESTIONS = frozenset((ApprovalAsked.kind, ApprovalWithdrawn.kind, ApprovalAnswered.kind, ApprovalClosed.kind))


def event_of(event: Recorded, fold: SessionFold) -> ActivityEvent | None:
    """Return what is exported for a recorded event of the fold's session; None where it is not worth an event.

    What the fold knows of the node by now names it; how it stood then is what the event itself says.
    """
    if event.kind in _MARKS:
        return _mark_event(event, fold)
    node_id = _about(event, fold)
    node = fold.glance(node_id, parse(event.at)) if node_id else None
    if node is None:
        return None
    path = fold.path(node.id)
    made = node_event(node, fold.session_id, path[-2] if len(path) > 1 else None, max(0, len(path) - 1))
    made.timestamp = event.at
    if event.kind in _BEGINNINGS:
        return _begun(made, node)
    if event.kind == SubagentProgressed.kind:
        made.event_type, made.status, made.duration_ms = EventType.TASK_PROGRESS, EventStatus.RUNNING, None
        made.details.output_summary = made.details.error_message = ""
    usage = fold.measured()
    if usage is not None:
        made.details.resource_usage = ResourceUsage(memory_mb=round(usage[0] / 2**20, 1), cpu_percent=usage[1])
    return made


def node_event(node: ActivityNode, session_id: str, parent_id: str | None, depth: int) -> ActivityEvent:
    """Return the event that says how a node stands now; `depth` is 0 for the session."""
    well = node.status is NodeStatus.COMPLETED
    sort = _BEGUN if node.status in OPEN else _DONE if well else _WRONG
    return ActivityEvent(
        timestamp=node.ended_at or node.started_at or "",
        session_id=session_id,
        event_type=sort[node.type],
        status=_STATUS[node.status],
        duration_ms=node.duration_ms if node.status not in OPEN else None,
        parent_id=parent_id,
        correlation_id=node.id,
        details=EventDetails(
            name=node.name,
            description=node.description,
            input_summary=node.input_summary,
            output_summary=node.output_summary,
            error_message=node.error_message,
        ),
        display_info=DisplayInfo(
            icon=icon_of(node),
            color=_COLORS[node.status],
            indent_level=depth,
            should_collapse=node.status is NodeStatus.COMPLETED and (node.duration_ms or 0) < _FAST_MS,
        ),
    )


def _begun(made: ActivityEvent, node: ActivityNode) -> ActivityEvent:
    made.event_type, made.status, made.duration_ms = _BEGUN[node.type], EventStatus.STARTED, None
    made.details.output_summary = made.details.error_message = ""
    made.display_info.color, made.display_info.should_collapse = _COLORS[NodeStatus.RUNNING], False
    return made


def _about(event: Recorded, fold: SessionFold) -> str:
    """Return the id of the node that an event is about, "" where it is about none."""
    kind, payload = event.kind, event.payload
    if kind in _CALLS:
        return event.tool_use_id or event.subject
    if kind in _TASKS:
        return str(payload.get("task_id") or event.subject)
    if kind in _QUESTIONS:
        return fold.question(payload.get("approval_id") or payload.get("request_id") or event.subject)
    if kind in (TurnStarted.kind, TurnFinished.kind):
        return f"turn-{(event.source_key or event.id).partition(':')[0]}-{payload.get('turn', 0)}"
    if kind == TurnStopped.kind or (kind == PromptTaken.kind and not payload.get("absorbed")):
        uuid = payload.get("message_uuid", "")
        return f"turn-{payload.get('prompt_id') or f'u-{uuid}'}"
    return fold.session_id if kind in (SessionOpened.kind, SessionClosed.kind, ProcessGone.kind) else ""


def _mark_event(event: Recorded, fold: SessionFold) -> ActivityEvent | None:
    sort = _MARKS[event.kind]
    turn = fold.turn_at(parse(event.at))
    wrong = sort is EventType.COMPACTION_FAILED or event.payload.get("status") == "rejected"
    status = EventStatus.STARTED if sort is EventType.COMPACTION_STARTED else EventStatus.SUCCESS
    said = event.payload.get("text") or event.payload.get("error") or event.payload.get("trigger") or ""
    if sort is EventType.API_RETRY:
        said = f"attempt {event.payload.get('attempt', 1)} of {event.payload.get('max_retries', 0)}: {said}"
        status = EventStatus.RUNNING
    return ActivityEvent(
        timestamp=event.at,
        session_id=fold.session_id,
        event_type=sort,
        status=EventStatus.ERROR if wrong else status,
        duration_ms=event.payload.get("duration_ms"),
        parent_id=turn or fold.session_id,
        correlation_id=f"{turn or fold.session_id}/{event.kind.partition('.')[0]}",
        details=EventDetails(name=sort.value, description=short(str(said))),
        display_info=DisplayInfo(icon="💬", color="red" if wrong else "gray", indent_level=2 if turn else 1),
    )
