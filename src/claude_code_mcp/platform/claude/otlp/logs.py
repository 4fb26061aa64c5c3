"""Log records: prompts, answers of the model, decisions about tools and their results, subagents, compaction."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from claude_code_mcp.platform.claude.bounds import BODY_BYTES, NOTE_BYTES, bounded, clip
from claude_code_mcp.platform.claude.facts import (
    ApiRetried,
    CompactionFailed,
    ContextCompacted,
    ModelAnswered,
    PromptTaken,
    SubagentFinished,
    ToolDenied,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    Usage,
)
from claude_code_mcp.platform.claude.fields import text_of, word_of
from claude_code_mcp.platform.claude.otlp.links import Links
from claude_code_mcp.platform.claude.otlp.record import Record
from claude_code_mcp.platform.claude.summaries import mcp_parts, summary

_HIDDEN = "<REDACTED>"
_NOTIFICATION = "<task-notification>"
_MCP_TOOL = "mcp_tool"
"""How Claude Code calls tools of MCP servers where it does not tell their names; the parameters do."""


def take_log(record: Record, links: Links) -> None:
    """Add the events of a log record; kinds that tell nothing of the work add none."""
    name = text_of(record.attrs, "event.name")
    teller = _TELLERS.get(name)
    if teller is None or record.session_id is None:
        return
    sequence = record.number("event.sequence")
    record.stem = f"log:{record.session_id}:{record.obj.get('timeUnixNano')!s:.20}:{sequence}:{name}"
    teller(record, links)


def _prompt(record: Record, links: Links) -> None:
    prompt_id = word_of(record.attrs, "prompt.id")
    text = text_of(record.attrs, "prompt")
    shown = "" if text == _HIDDEN else clip(text, NOTE_BYTES)[0]
    uuid = word_of(record.attrs, "message.uuid")
    links.prompts.put(record.span, prompt_id)
    origin = "task-notification" if text.startswith(_NOTIFICATION) else ""
    fact = PromptTaken(prompt_id=prompt_id, message_uuid=uuid, text=shown, origin=origin)
    record.emit(fact, prompt_id or uuid, "taken", at=record.time("timeUnixNano"))


def _answered(record: Record, links: Links) -> None:
    request_id = word_of(record.attrs, "request_id")
    links.errors.pop(record.span)  # what failed before was made good
    fact = ModelAnswered(
        model=word_of(record.attrs, "model"),
        usage=Usage(
            input_tokens=record.number("input_tokens") or 0,
            output_tokens=record.number("output_tokens") or 0,
            cache_read_tokens=record.number("cache_read_tokens") or 0,
            cache_write_tokens=record.number("cache_creation_tokens") or 0,
            cache_write_1h_tokens=record.number("cache_creation_1h_tokens") or 0,
        ),
        cost_microusd=record.number("cost_usd_micros"),
        duration_ms=record.number("duration_ms"),
        ttft_ms=record.number("ttft_ms"),
        request_id=request_id,
    )
    record.emit(fact, request_id, "answered", at=record.time("timeUnixNano"))


def _api_failed(record: Record, links: Links) -> None:
    error = clip(text_of(record.attrs, "error"), NOTE_BYTES)[0]
    if record.agent_id is None:
        links.errors.put(record.span, error or "api_error")
    attempt = record.number("attempt") or record.number("total_attempts") or 0
    # It is told when Claude Code gives up, so the last attempt is the most there were.
    fact = ApiRetried(attempt=attempt, max_retries=attempt, status=record.number("status_code"), error=error)
    record.emit(fact, record.session_id or "", "failed", at=record.time("timeUnixNano"))


def _decided(record: Record, _: Links) -> None:
    call, name = word_of(record.attrs, "tool_use_id"), _tool(record)
    if not call or not name:
        return
    server, tool = mcp_parts(name)
    at = record.time("timeUnixNano")
    if word_of(record.attrs, "decision") == "reject":
        fact = ToolDenied(name=name, decided_by=word_of(record.attrs, "source"), mcp_server=server, mcp_tool=tool)
        record.emit(fact, call, "denied", at=at, call=call)
        return
    begun = ToolStarted(
        name=name,
        summary=summary(name, _telling(record)),
        mcp_server=server,
        mcp_tool=tool,
        prompt_id=word_of(record.attrs, "prompt.id"),
    )
    record.emit(begun, call, "started", at=at, call=call)


def _result(record: Record, _: Links) -> None:
    call, name = word_of(record.attrs, "tool_use_id"), _tool(record)
    if not call or not name:
        return
    server, tool = mcp_parts(name)
    at, ran_ms = record.time("timeUnixNano"), record.number("duration_ms")
    given = _json(record.attrs.get("tool_input"))
    if given:
        arguments, size = bounded(given, BODY_BYTES)
        begun = ToolStarted(
            name=name,
            summary=summary(name, given),
            input=arguments,
            input_bytes=size,
            mcp_server=server,
            mcp_tool=tool,
            prompt_id=word_of(record.attrs, "prompt.id"),
        )
        started = at - timedelta(milliseconds=min(max(ran_ms or 0, 0), 86_400_000))
        record.emit(begun, call, "started", at=started, call=call)
    if record.yes("success") is False:
        failed = ToolFailed(
            name=name,
            output=clip(text_of(record.attrs, "error"), BODY_BYTES)[0],
            mcp_server=server,
            mcp_tool=tool,
            ran_ms=ran_ms,
        )
        record.emit(failed, call, "failed", at=at, call=call)
        return
    done = ToolFinished(
        name=name,
        output_bytes=record.number("tool_result_size_bytes") or 0,
        mcp_server=server,
        mcp_tool=tool,
        ran_ms=ran_ms,
    )
    record.emit(done, call, "finished", at=at, call=call)


def _agent_done(record: Record, links: Links) -> None:
    agent = record.agent_id
    if agent is None:
        return
    fact = SubagentFinished(
        task_id=agent,
        status="completed",
        total_tokens=record.number("total_tokens") or 0,
        tool_uses=record.number("total_tool_uses") or 0,
        duration_ms=record.number("duration_ms") or 0,
    )
    parent = word_of(record.attrs, "parent_agent_id")
    call = links.calls.get(record.span)
    record.emit(fact, agent, "finished", at=record.time("timeUnixNano"), call=call, agent=parent)


def _compacted(record: Record, _: Links) -> None:
    at = record.time("timeUnixNano")
    if record.yes("success") is False:
        error = clip(text_of(record.attrs, "error"), NOTE_BYTES)[0]
        record.emit(CompactionFailed(error=error), record.session_id or "", "failed", at=at)
        return
    fact = ContextCompacted(
        trigger=word_of(record.attrs, "trigger"),
        pre_tokens=record.number("pre_tokens") or 0,
        post_tokens=record.number("post_tokens") or 0,
        duration_ms=record.number("duration_ms") or 0,
    )
    record.emit(fact, record.session_id or "", "compacted", at=at)


def _tool(record: Record) -> str:
    name = word_of(record.attrs, "tool_name")
    if name != _MCP_TOOL:
        return name
    said = _json(record.attrs.get("tool_parameters"))
    server, tool = word_of(said, "mcp_server_name"), word_of(said, "mcp_tool_name")
    return f"mcp__{server}__{tool}" if server and tool else name


def _telling(record: Record) -> Mapping[str, Any]:
    """Return what a decision tells of the call's arguments, under the names that the tool has for them."""
    said = _json(record.attrs.get("tool_parameters"))
    command = said.get("full_command")
    return {"command": command} if isinstance(command, str) else said


def _json(value: object) -> dict[str, Any]:
    if not isinstance(value, str):
        return {}
    try:
        found = msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


_TELLERS: Mapping[str, Callable[[Record, Links], None]] = {
    "user_prompt": _prompt,
    "api_request": _answered,
    "api_error": _api_failed,
    "tool_decision": _decided,
    "tool_result": _result,
    "subagent_completed": _agent_done,
    "compaction": _compacted,
}
