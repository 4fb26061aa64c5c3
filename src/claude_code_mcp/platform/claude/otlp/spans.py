"""Spans of the tracing beta: interactions, tool calls with what happened in them, the tries of a model request."""

from collections.abc import Callable, Mapping

from claude_code_mcp.platform.claude.bounds import BODY_BYTES, NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import (
    AgentLinked,
    ApiRetried,
    PromptTaken,
    ToolBlocked,
    ToolDenied,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnStopped,
)
from claude_code_mcp.platform.claude.fields import dicts_of, text_of, word_of
from claude_code_mcp.platform.claude.otlp.links import Links, Within
from claude_code_mcp.platform.claude.otlp.record import Record, attributes, number_in
from claude_code_mcp.platform.claude.summaries import mcp_parts, summary

_BY_ITSELF = ("config", "")
"""Who decided where nobody was asked."""
_TRIED = "gen_ai.request.attempt"
_TELLING = {"full_command": "command", "file_path": "file_path", "subagent_type": "description"}
_HIDDEN = "<REDACTED>"
MOST_HELD = 256


def take_span(record: Record, links: Links) -> None:
    """Add the events of a span that ended; what only its parent can name waits in `links`."""
    teller = _TELLERS.get(text_of(record.obj, "name"))
    if teller is None or record.session_id is None or not record.span:
        return
    record.stem = f"span:{record.span}"
    teller(record, links)


def release(record: Record, links: Links) -> None:
    """Add the events of an interaction that was held: its prompt was told by now, or never will be."""
    prompt_id = links.prompts.get(record.span)
    if prompt_id is None:
        prompt_id = ""
        text = text_of(record.attrs, "user_prompt")
        taken = PromptTaken(text="" if text == _HIDDEN else clip(text, NOTE_BYTES)[0])
        record.emit(taken, record.session_id or "", "taken", at=record.time("startTimeUnixNano"))
    error = links.errors.pop(record.span) or ""
    stopped = TurnStopped(prompt_id=prompt_id, ok=not error, error=error)
    record.emit(stopped, prompt_id or record.session_id or "", "stopped", at=record.time("endTimeUnixNano"))


def _interaction(record: Record, links: Links) -> None:
    links.held[record.span] = record
    if len(links.held) > MOST_HELD:
        oldest = links.held.pop(next(iter(links.held)))
        release(oldest, links)
        record.events += oldest.events


def _blocked(record: Record, links: Links) -> None:
    within = links.of_call(record.parent_span)
    within.decision = word_of(record.attrs, "decision")
    within.decided_by = word_of(record.attrs, "source")
    within.waited_ms = record.number("duration_ms") or 0
    within.asked_at = record.time("startTimeUnixNano")


def _execution(record: Record, links: Links) -> None:
    within = links.of_call(record.parent_span)
    within.ok = record.yes("success")
    within.error = text_of(record.attrs, "error")
    within.ran_ms = record.number("duration_ms")
    call = word_of(record.attrs, "tool_use_id")
    if not call:
        return
    links.calls.put(record.span, call)
    for agent, seen in (links.agents.pop(record.span) or {}).items():
        _link(record, links, agent, seen, call)


def _tool(record: Record, links: Links) -> None:
    _agent(record, links)
    call, name = word_of(record.attrs, "tool_use_id"), word_of(record.attrs, "tool_name")
    within = links.within.pop(record.span) or Within()
    if not call or not name:
        return
    server, tool = mcp_parts(name)
    given = {known: record.attrs[told] for told, known in _TELLING.items() if told in record.attrs}
    begun = ToolStarted(name=name, summary=summary(name, given), mcp_server=server, mcp_tool=tool)
    record.emit(begun, call, "started", at=record.time("startTimeUnixNano"), call=call)
    if within.asked_at is not None and within.decided_by not in _BY_ITSELF:
        blocked = ToolBlocked(waited_ms=within.waited_ms, decision=within.decision)
        record.emit(blocked, call, "blocked", at=within.asked_at, call=call)
    _ended(record, within, call, name)


def _ended(record: Record, within: Within, call: str, name: str) -> None:
    server, tool = mcp_parts(name)
    took_ms = record.number("duration_ms")
    at = record.time("endTimeUnixNano")
    if within.decision == "reject":
        denied = ToolDenied(
            name=name, decided_by=within.decided_by, duration_ms=took_ms, mcp_server=server, mcp_tool=tool
        )
        record.emit(denied, call, "denied", at=at, call=call)
    elif within.ok is False:
        error = clip(within.error, BODY_BYTES)[0]
        failed = ToolFailed(
            name=name, output=error, duration_ms=took_ms, mcp_server=server, mcp_tool=tool, ran_ms=within.ran_ms
        )
        record.emit(failed, call, "failed", at=at, call=call)
    else:
        done = ToolFinished(name=name, duration_ms=took_ms, mcp_server=server, mcp_tool=tool, ran_ms=within.ran_ms)
        record.emit(done, call, "finished", at=at, call=call)


def _request(record: Record, links: Links) -> None:
    _agent(record, links)
    for number, event in enumerate(dicts_of(record.obj, "events")[:100]):
        attempt = number_in(attributes(event).get("attempt")) or 0
        if event.get("name") != _TRIED or attempt < 2:
            continue
        # The second try says that the first one failed.
        again = Record(record.signal, event, {}, None, "", record.at).time("timeUnixNano")
        record.emit(ApiRetried(attempt=attempt - 1), record.session_id or "", f"again{number}", at=again)


def _agent(record: Record, links: Links) -> None:
    """Note below which call a subagent works."""
    agent = record.agent_id
    if agent is None:
        return
    call = links.calls.get(record.parent_span)
    if call is not None:
        _link(record, links, agent, record, call)
    elif record.parent_span:
        waiting = links.agents.get(record.parent_span) or {}
        waiting.setdefault(agent, record)
        links.agents.put(record.parent_span, waiting)


def _link(record: Record, links: Links, agent: str, seen: Record, call: str) -> None:
    name = f"{record.session_id}:{agent}"
    if links.linked.get(name):
        return
    links.linked.put(name, True)
    parent = word_of(seen.attrs, "parent_agent_id")
    fact = AgentLinked(parent_agent_id=parent, depth=2 if parent else 1)
    stem, record.stem = record.stem, "agent"
    record.emit(fact, agent, name, at=seen.time("startTimeUnixNano"), call=call, agent=parent)
    record.stem = stem


_TELLERS: Mapping[str, Callable[[Record, Links], None]] = {
    "claude_code.interaction": _interaction,
    "claude_code.tool": _tool,
    "claude_code.tool.blocked_on_user": _blocked,
    "claude_code.tool.execution": _execution,
    "claude_code.llm_request": _request,
}
