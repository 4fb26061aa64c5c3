"""Hooks around tool calls: begun, finished, failed, denied, asked about."""

from typing import Any

import msgspec

from claude_code_mcp.platform.claude.bounds import BODY_BYTES, NOTE_BYTES, bounded, clip
from claude_code_mcp.platform.claude.facts import (
    AgentLinked,
    ApprovalAsked,
    ApprovalWithdrawn,
    SubagentFinished,
    TaskStarted,
    ToolDenied,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnStopped,
)
from claude_code_mcp.platform.claude.fields import dict_of, id_of, int_of, path_of, text_of, word_of
from claude_code_mcp.platform.claude.hooks.hook import Hook
from claude_code_mcp.platform.claude.hooks.payload import input_digest
from claude_code_mcp.platform.claude.hooks.unknown import unknown
from claude_code_mcp.platform.claude.stream.results import STOPS, changed_lines, content_of, stopped_task
from claude_code_mcp.platform.claude.summaries import mcp_parts, summary

_NEEDS_PERSON = frozenset(("AskUserQuestion", "ExitPlanMode"))
_TEXTS = ("content", "result", "output", "text", "message")
"""Where tools whose answers we do not know keep what they say, the likeliest first."""


def started(hook: Hook) -> None:
    """Take a call that is about to run, or to be asked about."""
    call, name = id_of(hook.obj, "tool_use_id"), word_of(hook.obj, "tool_name")
    if call is None or not name:
        unknown(hook)
        return
    given = hook.obj.get("tool_input")
    arguments, size = bounded(given, BODY_BYTES)
    server, tool = mcp_parts(name)
    fact = ToolStarted(
        name=name,
        summary=summary(name, given),
        input=arguments,
        input_bytes=size,
        mcp_server=server,
        mcp_tool=tool,
        prompt_id=hook.prompt_id,
        input_digest=input_digest(name, given),
    )
    hook.emit(fact, call, call=call)


def finished(hook: Hook) -> None:
    """Take a call that ran well, and what it left running."""
    call, name = id_of(hook.obj, "tool_use_id"), word_of(hook.obj, "tool_name")
    if call is None or not name:
        unknown(hook)
        return
    response = hook.obj.get("tool_response")
    details = response if isinstance(response, dict) else {}
    text, images = _told(response)
    shown, size = clip(text, BODY_BYTES)
    server, tool = mcp_parts(name)
    added, removed = changed_lines(details)
    agent = word_of(details, "agentId")
    left_running = agent if details.get("isAsync") is True else word_of(details, "backgroundTaskId")
    fact = ToolFinished(
        name=name,
        output=shown,
        output_bytes=size,
        images=images,
        mcp_server=server,
        mcp_tool=tool,
        started_task_id=left_running,
        saved_at=path_of(details, "persistedOutputPath"),
        lines_added=added,
        lines_removed=removed,
        ran_ms=_ran_ms(hook),
    )
    hook.emit(fact, call, call=call)
    if name == STOPS and (stopped := stopped_task(details)):
        hook.emit(stopped, stopped.task_id)
    elif agent:
        _agent(hook, call, agent, details, text)
    elif left_running:
        described = summary(name, hook.obj.get("tool_input"))
        task = TaskStarted(
            task_id=left_running,
            task_type="local_bash" if name == "Bash" else "",
            description=clip(text_of(dict_of(hook.obj, "tool_input"), "description"), NOTE_BYTES)[0] or described,
            background=True,
            parent_task_id=hook.agent_id or "",
        )
        hook.emit(task, left_running, call=call)


def failed(hook: Hook) -> None:
    """Take a call that ran and failed, or was stopped while it ran."""
    call, name = id_of(hook.obj, "tool_use_id"), word_of(hook.obj, "tool_name")
    if call is None or not name:
        unknown(hook)
        return
    shown, size = clip(text_of(hook.obj, "error"), BODY_BYTES)
    server, tool = mcp_parts(name)
    fact = ToolFailed(
        name=name,
        output=shown,
        output_bytes=size,
        interrupted=hook.obj.get("is_interrupt") is True,
        mcp_server=server,
        mcp_tool=tool,
        ran_ms=_ran_ms(hook),
    )
    hook.emit(fact, call, call=call)
    if fact.interrupted and not hook.agent_id:
        # Who stops a call stops the turn, and no other hook says so. Should it go on after all, that is told.
        hook.emit(TurnStopped(prompt_id=hook.prompt_id, interrupted=True), hook.prompt_id or hook.session)


def denied(hook: Hook) -> None:
    """Take a call that Claude Code's own check refused (auto mode); what a person or a rule refuses has no hook."""
    call, name = id_of(hook.obj, "tool_use_id"), word_of(hook.obj, "tool_name")
    if call is None or not name:
        unknown(hook)
        return
    server, tool = mcp_parts(name)
    fact = ToolDenied(
        name=name,
        decided_by=word_of(hook.obj, "permission_mode"),
        reason=clip(text_of(hook.obj, "reason"), NOTE_BYTES)[0],
        mcp_server=server,
        mcp_tool=tool,
    )
    hook.emit(fact, call, call=call)


def asked(hook: Hook) -> None:
    """Take a question whether a call may run. It does not say which call, so it is known by what it is about."""
    name = word_of(hook.obj, "tool_name")
    if not name:
        unknown(hook)
        return
    given = hook.obj.get("tool_input")
    arguments, size = bounded(given, BODY_BYTES)
    suggestions, _ = bounded(hook.obj.get("permission_suggestions"), BODY_BYTES)
    server, tool = mcp_parts(name)
    request_id = f"hook:{hook.stem}"
    fact = ApprovalAsked(
        request_id=request_id,
        name=name,
        summary=summary(name, given),
        input=arguments,
        input_bytes=size,
        mcp_server=server,
        mcp_tool=tool,
        suggestions=suggestions if suggestions is not None else [],
        description=clip(text_of(dict_of(hook.obj, "tool_input"), "description"), NOTE_BYTES)[0],
        interactive=name in _NEEDS_PERSON,
        prompt_id=hook.prompt_id,
        input_digest=input_digest(name, given),
    )
    hook.emit(fact, request_id)


def elicited(hook: Hook) -> None:
    """Take a question of an MCP server to the person. Its answer names the same server, so that is its id."""
    server = word_of(hook.obj, "mcp_server_name")
    form, size = bounded(hook.obj.get("requested_schema"), BODY_BYTES)
    text = clip(text_of(hook.obj, "message"), NOTE_BYTES)[0]
    request_id = _elicitation(hook, server)
    fact = ApprovalAsked(
        request_id=request_id,
        name="Elicitation",
        summary=summary("Elicitation", {"text": text}),
        input=form,
        input_bytes=size,
        mcp_server=server,
        description=text,
        reason=path_of(hook.obj, "url"),
        interactive=True,
        prompt_id=hook.prompt_id,
    )
    hook.emit(fact, request_id)


def elicitation_answered(hook: Hook) -> None:
    """Take that an MCP server's question is settled, however it was."""
    request_id = _elicitation(hook, word_of(hook.obj, "mcp_server_name"))
    hook.emit(ApprovalWithdrawn(request_id=request_id), request_id)


def _elicitation(hook: Hook, server: str) -> str:
    named = word_of(hook.obj, "elicitation_id") or input_digest(server, [hook.session, hook.prompt_id, hook.agent_id])
    return f"elicitation:{server}:{named}"


def _agent(hook: Hook, call: str, agent: str, details: dict[str, Any], text: str) -> None:
    """Take what the answer of an Agent call tells of the subagent: which it is and, unless it runs on, how it ended."""
    given = dict_of(hook.obj, "tool_input")
    linked = AgentLinked(
        agent_type=word_of(details, "agentType") or word_of(given, "subagent_type"),
        description=clip(text_of(details, "description") or text_of(given, "description"), NOTE_BYTES)[0],
        parent_agent_id=hook.agent_id or "",
        # The depth of an agent's own agents is in no answer; more than two was never seen.
        depth=2 if hook.agent_id else 1,
    )
    hook.emit(linked, agent, call=call, agent_id=agent)
    if details.get("isAsync") is True:
        return
    finished_ = SubagentFinished(
        task_id=agent,
        status=word_of(details, "status"),
        summary=clip(text, NOTE_BYTES)[0],
        total_tokens=int_of(details, "totalTokens") or 0,
        tool_uses=int_of(details, "totalToolUseCount") or 0,
        duration_ms=int_of(details, "totalDurationMs") or 0,
    )
    hook.emit(finished_, agent, call=call, agent_id=agent)


def _told(response: Any) -> tuple[str, int]:
    """Return what a tool answered as text, and how many pictures: each tool's answer has a shape of its own."""
    if not isinstance(response, dict):
        return content_of(response)
    if "structuredPatch" in response:
        return "", 0  # the lines that it changed are counted
    if response.get("isImage") is True or response.get("type") == "image":
        return "", 1
    if "stdout" in response:
        return "\n".join(part for name in ("stdout", "stderr") if (part := text_of(response, name))), 0
    if isinstance(response.get("file"), dict):
        return text_of(response["file"], "content"), 0
    return _other(response)


def _other(response: dict[str, Any]) -> tuple[str, int]:
    for name in _TEXTS:
        if isinstance(response.get(name), (str, list)):
            return content_of(response[name])
    try:
        return msgspec.json.encode(response).decode(), 0
    except (ValueError, RecursionError):
        return "", 0


def _ran_ms(hook: Hook) -> int | None:
    ran = int_of(hook.obj, "duration_ms")
    return None if ran is None or ran < 0 else ran
