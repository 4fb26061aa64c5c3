"""One line of a run's output to facts and control items. Pure: no clock, no disk, and nothing is ever raised."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import LineGarbled, LineOversized, TaskAbandoned, ToolAbandoned
from claude_code_mcp.platform.claude.redaction import PLAIN, Scrubber
from claude_code_mcp.platform.claude.stream import control, messages, system, tasks, turns
from claude_code_mcp.platform.claude.stream.decode import decode
from claude_code_mcp.platform.claude.stream.results import duration_ms
from claude_code_mcp.platform.claude.stream.state import Line, Reading, StreamState
from claude_code_mcp.platform.claude.stream.unknown import unknown_line

_Take = Callable[[Line], None]

_BY_TYPE: Mapping[str, _Take] = {
    "assistant": messages.assistant,
    "user": messages.user,
    "stream_event": messages.partial,
    "result": turns.turn_finished,
    "rate_limit_event": turns.rate_limit,
    "command_lifecycle": system.lifecycle,
    "conversation_reset": system.conversation_reset,
    "control_cancel_request": control.control_cancel,
    "tool_progress": system.tool_progress,
    "tool_use_summary": system.notice,
    "keep_alive": system.nothing,
}

_BY_SUBTYPE: Mapping[str, _Take] = {
    "init": turns.turn_started,
    "api_retry": turns.api_retry,
    "model_fallback": turns.model_fallback,
    "model_refusal_fallback": turns.model_fallback,
    "model_consent_fallback": turns.model_fallback,
    "model_refusal_no_fallback": turns.model_refusal,
    "session_state_changed": system.session_state,
    "session_title_changed": system.session_title,
    "session_writes_lost": system.writes_lost,
    "status": system.status,
    "compact_boundary": system.compact_boundary,
    "hook_started": system.hook_started,
    "hook_response": system.hook_finished,
    "hook_progress": system.nothing,
    "informational": system.notice,
    "notification": system.notice,
    "local_command_output": system.notice,
    "scheduled_task_fire": system.notice,
    "commands_changed": system.commands_changed,
    "thinking_tokens": system.nothing,
    "control_request_progress": system.nothing,
    "permission_check_status": system.nothing,
    "permission_denied": control.permission_denied,
    "task_started": tasks.task_started,
    "task_progress": tasks.task_progress,
    "task_updated": tasks.task_updated,
    "task_notification": tasks.task_notification,
    "background_tasks_changed": tasks.background_changed,
}


def read_line(
    state: StreamState,
    data: bytes,
    *,
    run_id: str,
    offset: int,
    at: datetime,
    scrubber: Scrubber | None = PLAIN,
) -> Reading:
    """Return what the line `data` (without or with its line end) says, and the state after it.

    `offset` is where the line begins in the run's output file. It and `run_id` name each event: reading the
    same bytes from the same state again gives the same events under the same keys. `at` is when it was read;
    lines that carry a time of their own use that. `scrubber` takes secrets out of the events, not out of the
    control items; None says that it was asked already, and there are none in `data`.
    """
    line = Line(state, run_id=run_id, offset=offset, at=at)
    decoded = decode(data)
    secrets = scrubber if scrubber is not None and scrubber.hits(data) else None
    for original in decoded.objects:
        line.take(secrets.value(original) if secrets is not None else original)
        _read_object(line, original)
    if decoded.garbage:
        raw, size = clip(secrets.text(decoded.garbage) if secrets is not None else decoded.garbage, NOTE_BYTES)
        line.take({})
        fact = LineGarbled(raw=raw, raw_bytes=size, recovered=len(decoded.objects))
        line.emit(fact, run_id)
        line.change(muddled=True)
    return line.reading()


class Oversized(NamedTuple):
    """A line too long to be kept in memory: how it began, its length in bytes, the hash of all of it."""

    head: bytes
    line_bytes: int
    sha256: str = ""


def read_oversized(
    state: StreamState, oversized: Oversized, *, run_id: str, offset: int, at: datetime, scrubber: Scrubber = PLAIN
) -> Reading:
    """Return the event for a line that was too long to be read. The state stays as it is."""
    line = Line(state, run_id=run_id, offset=offset, at=at)
    head = oversized.head[: NOTE_BYTES * 2].decode("utf-8", "backslashreplace")
    raw, _ = clip(scrubber.text(head), NOTE_BYTES)
    line.emit(LineOversized(raw=raw, line_bytes=oversized.line_bytes, sha256=oversized.sha256), run_id)
    return line.reading()


def end_of_stream(state: StreamState, *, run_id: str, offset: int, at: datetime) -> Reading:
    """Return the events for what is still open when the process is gone, and the state with nothing open.

    `offset` is the length of the output file; nothing may be written to it any more.
    """
    line = Line(state, run_id=run_id, offset=offset, at=at)
    for tool_use_id, tool in state.tools.items():
        fact = ToolAbandoned(name=tool.name, duration_ms=duration_ms(line, tool))
        line.emit(fact, tool_use_id, tool_use_id=tool_use_id, parent=tool.parent, agent_id=tool.agent_id)
    for task_id, task in state.tasks.items():
        agent = task_id if task.subagent else None
        line.emit(TaskAbandoned(task_id=task_id), task_id, parent=task.tool_use_id, agent_id=agent)
    if state.tools or state.tasks or state.approvals or state.turn_open:
        line.change(tools={}, tasks={}, approvals={}, turn_open=False)
    return line.reading()


def _read_object(line: Line, original: dict[str, Any]) -> None:
    kind = line.obj.get("type")
    if kind == "control_request":
        control.control_request(line, original)
        return
    if kind == "control_response":
        control.control_response(line, original)
        return
    name = line.obj.get("subtype") if kind == "system" else kind
    table = _BY_SUBTYPE if kind == "system" else _BY_TYPE
    take = table.get(name) if isinstance(name, str) else None
    (take or unknown_line)(line)
