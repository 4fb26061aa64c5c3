"""Lines of the conversation in a transcript: prompts, answers with their usage, results of tools."""

from typing import Any

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, TEXT_BYTES, clip
from claude_code_mcp.platform.claude.facts import (
    AgentLinked,
    MessageSaid,
    ModelAnswered,
    PermissionModeChanged,
    PromptTaken,
    SubagentFinished,
    SubagentStarted,
    TaskFinished,
    TaskStarted,
    TurnStopped,
)
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, id_of, int_of, path_of, text_of, word_of
from claude_code_mcp.platform.claude.stream import messages
from claude_code_mcp.platform.claude.stream.results import STOPS, stopped_task, tool_result
from claude_code_mcp.platform.claude.stream.state import added, without
from claude_code_mcp.platform.claude.stream.turns import usage_of
from claude_code_mcp.platform.claude.transcript import notices
from claude_code_mcp.platform.claude.transcript.entry import Entry

_LAST = frozenset(("end_turn", "stop_sequence", "max_tokens", "refusal", "model_context_window_exceeded"))
"""Reasons to stop after which the model is not asked again by itself."""
_SYNTHETIC = "<synthetic>"
_PERSON = "human"


def assistant(entry: Entry) -> None:
    """Take what the model said, thought or called, what it took, and that it had nothing more to do."""
    message = dict_of(entry.obj, "message")
    _answered(entry, message)
    messages.assistant(entry)
    blocks = dicts_of(message, "content")
    for block in blocks:
        call = id_of(block, "id")
        what = text_of(dict_of(block, "input"), "description")
        if call and what and block.get("type") == "tool_use":
            entry.change(notes=added(entry.memory.notes, call, clip(what, 300)[0]))
    if entry.agent_id or entry.sidechain:
        return
    if entry.obj.get("isApiErrorMessage") is True:
        stopped(entry, ok=False, error=word_of(entry.obj, "error"))
    elif message.get("stop_reason") in _LAST and any(block.get("type") == "text" for block in blocks):
        stopped(entry)


def user(entry: Entry) -> None:
    """Take what tools answered, and what a person or Claude Code in a person's name said."""
    obj = entry.obj
    mode(entry)
    content = dict_of(obj, "message").get("content")
    if isinstance(content, str):
        _said(entry, content, ())
        return
    texts: list[str] = []
    attachments: list[str] = []
    for block in dicts_of(dict_of(obj, "message"), "content"):
        kind = block.get("type")
        if kind == "tool_result":
            _result(entry, block)
        elif kind == "text":
            texts.append(text_of(block, "text"))
        elif kind in ("image", "document"):
            attachments.append(word_of(dict_of(block, "source"), "media_type") or str(kind))
    if texts or attachments:
        _said(entry, "\n".join(texts), tuple(attachments))
    if obj.get("toolEndsTurn") is True and not entry.agent_id:
        stopped(entry)


def stopped(
    entry: Entry, *, ok: bool = True, error: str = "", interrupted: bool = False, prompt_id: str | None = None
) -> None:
    """Tell that the running turn is over, or the one named."""
    which = entry.memory.prompt_id if prompt_id is None else prompt_id
    entry.change(resting=True)
    entry.emit(TurnStopped(prompt_id=which, ok=ok, error=error, interrupted=interrupted), which or entry.session)


def noticed(entry: Entry, text: str) -> bool:
    """Take the end of a background task or subagent; tell whether `text` was about one."""
    notice = notices.task_notice(text)
    if notice is None:
        return False
    call = notice.tool_use_id or None
    if notice.subagent:
        finished = SubagentFinished(
            task_id=notice.task_id,
            status=notice.status,
            summary=notice.result or notice.summary,
            output_file=notice.output_file,
            total_tokens=notice.total_tokens,
            tool_uses=notice.tool_uses,
            duration_ms=notice.duration_ms,
        )
        entry.emit(finished, notice.task_id, tool_use_id=call, parent=call, agent_id=notice.task_id)
    else:
        task = TaskFinished(
            task_id=notice.task_id,
            status=notice.status,
            summary=notice.summary,
            output_file=notice.output_file,
        )
        entry.emit(task, notice.task_id, tool_use_id=call, parent=call)
    return True


def mode(entry: Entry) -> None:
    """Take by which rule tools are allowed from here on."""
    told = word_of(entry.obj, "permissionMode")
    previous = entry.state.permission_mode
    if not told or told == previous or entry.agent_id:
        return
    if previous:
        entry.emit(PermissionModeChanged(mode=told, previous=previous), entry.session)
    entry.change(permission_mode=told)


def _said(entry: Entry, text: str, attachments: tuple[str, ...]) -> None:
    obj = entry.obj
    if obj.get("isMeta") is True:
        return
    if entry.agent_id or entry.sidechain:
        _spoke(entry, text, attachments, synthetic=False)
        return
    prompt_id = word_of(obj, "promptId")
    if text.startswith(notices.INTERRUPTED):
        _spoke(entry, text, attachments, synthetic=True)
        stopped(entry, interrupted=True, prompt_id=prompt_id or None)
        return
    if notices.is_output(text):
        _spoke(entry, text, attachments, synthetic=True, command=True)
        stopped(entry, prompt_id=prompt_id or None)
        return
    told = noticed(entry, text)
    shown, origin = notices.command(text)
    if obj.get("isCompactSummary") is True:
        origin = "compact"
    sender = word_of(dict_of(obj, "origin"), "kind")
    origin = ("" if sender == _PERSON else sender) or origin or ("task-notification" if told else "")
    running = bool(prompt_id) and prompt_id == entry.memory.prompt_id and not entry.memory.resting
    entry.change(prompt_id=prompt_id, resting=False)
    uuid = word_of(obj, "uuid")
    fact = PromptTaken(
        prompt_id=prompt_id,
        message_uuid=uuid,
        text=clip(shown or text, NOTE_BYTES)[0],
        origin=origin,
        absorbed=running,
        permission_mode=word_of(obj, "permissionMode"),
        cwd=path_of(obj, "cwd"),
    )
    entry.emit(fact, prompt_id or uuid or entry.session)
    if not told:
        _spoke(entry, shown or text, attachments, synthetic=bool(origin))


def _spoke(entry: Entry, text: str, attachments: tuple[str, ...], *, synthetic: bool, command: bool = False) -> None:
    shown, size = clip(text, TEXT_BYTES)
    fact = MessageSaid(
        role="user",
        text=shown,
        text_bytes=size,
        synthetic=synthetic,
        local_command=command,
        attachments=attachments,
    )
    entry.emit(fact, word_of(entry.obj, "uuid"))


def _answered(entry: Entry, message: dict[str, Any]) -> None:
    """Take the tokens of an answer, once: each of its blocks is a line that repeats them."""
    message_id = word_of(message, "id")
    model = word_of(message, "model")
    if not message_id or model == _SYNTHETIC or message_id == entry.memory.message_id:
        return
    entry.change(message_id=message_id)
    fact = ModelAnswered(
        message_id=message_id,
        model=model,
        usage=usage_of(dict_of(message, "usage")),
        stop_reason=word_of(message, "stop_reason"),
        request_id=word_of(entry.obj, "requestId"),
        prompt_id="" if entry.agent_id else entry.memory.prompt_id,
    )
    entry.add(fact, message_id, f"t:{entry.conversation}:{entry.agent_id}:{message_id}")


def _result(entry: Entry, block: dict[str, Any]) -> None:
    call = id_of(block, "tool_use_id")
    note = entry.memory.notes.get(call or "", "")
    opened = entry.state.tools.get(call or "")
    tool_result(entry, block)
    if call is None:
        return
    if note:
        entry.change(notes=without(entry.memory.notes, call))
    details = dict_of(entry.obj, "tool_use_result")
    if agent := id_of(details, "agentId"):
        _delegated(entry, call, agent, details)
    elif task := id_of(details, "backgroundTaskId"):
        started = TaskStarted(task_id=task, task_type="local_bash", description=note, background=True)
        entry.emit(started, task, tool_use_id=call, parent=call)
    elif opened is not None and opened.name == STOPS and (stopped_ := stopped_task(details)):
        entry.emit(stopped_, stopped_.task_id)


def _delegated(entry: Entry, call: str, agent: str, details: dict[str, Any]) -> None:
    """Take which subagent a call launched, and its report where the call waited for it."""
    description = clip(text_of(details, "description"), NOTE_BYTES)[0]
    kind = word_of(details, "agentType")
    linked = AgentLinked(agent_type=kind, description=description, parent_agent_id=entry.agent_id)
    entry.emit(linked, agent, tool_use_id=call, parent=call, agent_id=agent)
    if details.get("isAsync") is True:
        started = SubagentStarted(
            task_id=agent,
            agent_type=kind,
            description=description,
            prompt=clip(text_of(details, "prompt"), NOTE_BYTES)[0],
            background=True,
            parent_task_id=entry.agent_id,
        )
        entry.emit(started, agent, tool_use_id=call, parent=call, agent_id=agent)
        return
    report = "\n".join(text_of(block, "text") for block in dicts_of(details, "content"))
    finished = SubagentFinished(
        task_id=agent,
        status=word_of(details, "status"),
        summary=clip(report, NOTE_BYTES)[0],
        output_file=path_of(details, "outputFile"),
        total_tokens=int_of(details, "totalTokens") or 0,
        tool_uses=int_of(details, "totalToolUseCount") or 0,
        duration_ms=int_of(details, "totalDurationMs") or 0,
    )
    entry.emit(finished, agent, tool_use_id=call, parent=call, agent_id=agent)
