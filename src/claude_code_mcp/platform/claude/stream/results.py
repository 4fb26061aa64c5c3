"""What a tool call came to: finished, failed, stopped or denied."""

from typing import Any

import msgspec

from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.claude.bounds import BODY_BYTES, NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import TaskFinished, ToolDenied, ToolFailed, ToolFinished
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, id_of, path_of, text_of, word_of
from claude_code_mcp.platform.claude.stream.state import Line, OpenTool, without
from claude_code_mcp.platform.claude.stream.unknown import unknown_part
from claude_code_mcp.platform.claude.summaries import mcp_parts

STOPS = "TaskStop"
"""The tool that stops background work. Its answer names what it stopped, and so tells that end."""
_STOPPED = frozenset(("interrupted", "cancelled"))
_STOPPED_TEXT = "this call was stopped while running, not refused before it ran"
"""Claude Code marks such a call "user-rejected" like a refused one; only this sentence tells them apart."""


def stopped_task(details: dict[str, Any]) -> TaskFinished | None:
    """Return the end of the work that a call of `STOPS` stopped, None where its answer names none."""
    task = word_of(details, "task_id")
    said = clip(text_of(details, "message"), NOTE_BYTES)[0]
    return TaskFinished(task_id=task, status="stopped", summary=said) if task else None


def tool_result(line: Line, block: dict[str, Any]) -> None:
    """Take one result block; the call is closed with it."""
    tool_use_id = id_of(block, "tool_use_id")
    if tool_use_id is None:
        unknown_part(line, text_of(line.obj, "type"), "tool_result", block)
        return
    state = line.state
    opened = state.tools.get(tool_use_id)
    fact = _outcome(line, block, tool_use_id, opened)
    line.emit(
        fact,
        tool_use_id,
        tool_use_id=tool_use_id,
        parent=opened.parent if opened else None,
        agent_id=opened.agent_id if opened else None,
    )
    if opened:
        line.change(tools=without(state.tools, tool_use_id))
    if tool_use_id in state.approvals.values():
        line.change(approvals={key: call for key, call in state.approvals.items() if call != tool_use_id})


def _outcome(line: Line, block: dict[str, Any], tool_use_id: str, opened: OpenTool | None) -> Fact:
    meta = next((item for item in dicts_of(line.obj, "tool_result_meta") if item.get("id") == tool_use_id), {})
    text, images = content_of(block.get("content"))
    name = opened.name if opened else ""
    duration = duration_ms(line, opened) if opened else None
    server, tool = mcp_parts(name)
    cause = word_of(meta, "non_execution_kind")
    by = _decision(meta)
    if block.get("is_error") is not True and not cause:
        return _finished(line, name, text, images, duration, by)
    if cause and cause not in _STOPPED and _STOPPED_TEXT not in text:
        shown, _ = clip(text, NOTE_BYTES)
        reason = opened.denial if opened else ""
        return ToolDenied(
            name=name,
            output=shown,
            cause=cause,
            decided_by=by or (opened.denied_by if opened else ""),
            reason="" if reason == text else clip(reason, NOTE_BYTES)[0],
            duration_ms=duration,
            mcp_server=server,
            mcp_tool=tool,
        )
    shown, size = clip(text, BODY_BYTES)
    return ToolFailed(
        name=name,
        output=shown,
        output_bytes=size,
        duration_ms=duration,
        interrupted=bool(cause),
        mcp_server=server,
        mcp_tool=tool,
        permitted_by=by,
    )


def _finished(line: Line, name: str, text: str, images: int, duration: int | None, by: str) -> ToolFinished:
    server, tool = mcp_parts(name)
    shown, size = clip(text, BODY_BYTES)
    # An object, a string or a list; one for the whole line, so it is only trusted to be about this call when it
    # fits: lines with several results were not seen.
    details = dict_of(line.obj, "tool_use_result")
    added, removed = changed_lines(details)
    task = word_of(details, "backgroundTaskId")
    if not task and details.get("isAsync") is True:
        task = word_of(details, "agentId")
    return ToolFinished(
        name=name,
        output=shown,
        output_bytes=size,
        images=images,
        duration_ms=duration,
        mcp_server=server,
        mcp_tool=tool,
        permitted_by=by,
        started_task_id=task,
        saved_at=path_of(details, "persistedOutputPath"),
        lines_added=added,
        lines_removed=removed,
    )


def content_of(content: Any) -> tuple[str, int]:
    """Return the text of a result that the model was given, and how many pictures came with it."""
    if isinstance(content, str):
        return content, 0
    if not isinstance(content, list):
        return "", 0
    texts: list[str] = []
    images = 0
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, dict) and block.get("type") == "image":
            images += 1
        elif isinstance(block, dict) and isinstance(block.get("text"), str):
            texts.append(block["text"])
        elif isinstance(block, dict):
            texts.append(msgspec.json.encode(block).decode())
    return "\n".join(texts), images


def _decision(meta: dict[str, Any]) -> str:
    decision = dict_of(meta, "permission_decision")
    source, reason = word_of(decision, "source"), word_of(decision, "reason_type")
    return f"{source}/{reason}" if reason else source


def changed_lines(details: dict[str, Any]) -> tuple[int, int]:
    """Return how many lines an Edit or Write added and removed; a new file counts with all its lines."""
    added = removed = 0
    for hunk in dicts_of(details, "structuredPatch"):
        changes = hunk.get("lines")
        for change in changes if isinstance(changes, list) else ():
            if isinstance(change, str):
                added += change.startswith("+")
                removed += change.startswith("-")
    if not added and not removed and details.get("type") == "create":
        content = text_of(details, "content")
        added = content.count("\n") + (bool(content) and not content.endswith("\n"))
    return added, removed


def duration_ms(line: Line, opened: OpenTool) -> int:
    """Return the time from the call to the line at hand; never negative, whatever the clocks said."""
    return max(0, round((line.at.timestamp() - opened.started_s) * 1000))
