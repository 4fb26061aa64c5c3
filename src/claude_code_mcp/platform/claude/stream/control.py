"""Lines of the control protocol: answers to us, questions to us, withdrawals."""

from typing import Any

import msgspec

from claude_code_mcp.platform.claude.bounds import BODY_BYTES, NOTE_BYTES, bounded, clip
from claude_code_mcp.platform.claude.facts import ApprovalAsked, ApprovalWithdrawn, SessionStateChanged, ToolDenied
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, id_of, path_of, text_of, word_of
from claude_code_mcp.platform.claude.requests import (
    Answer,
    HookCall,
    McpCall,
    OtherQuestion,
    Question,
    ToolQuestion,
    Withdrawal,
)
from claude_code_mcp.platform.claude.stream.state import Line, added, without
from claude_code_mcp.platform.claude.stream.unknown import unknown_line
from claude_code_mcp.platform.claude.summaries import mcp_parts, summary


def control_request(line: Line, original: dict[str, Any]) -> None:
    """Take a question. Its event is made from the object at hand, its item from the unredacted `original`."""
    question = _question(original)
    if question is None:
        unknown_line(line)
        return
    line.control.append(question)
    if isinstance(question, ToolQuestion):
        _asked(line, line.obj, question)


def control_response(line: Line, original: dict[str, Any]) -> None:
    """Take the answer to a request of ours, and the questions that an `initialize` gives along."""
    shown = dict_of(line.obj, "response")
    response = dict_of(original, "response")
    request_id = id_of(response, "request_id")
    if request_id is None:
        unknown_line(line)
        return
    pending = []
    for sent, told in zip(
        dicts_of(response, "pending_permission_requests"),
        dicts_of(shown, "pending_permission_requests"),
        strict=False,
    ):
        question = _question(sent)
        if question is None:
            continue
        pending.append(question)
        # One that was read as a line of its own already is known; nothing happened anew.
        if isinstance(question, ToolQuestion) and question.request_id not in line.state.approvals:
            _asked(line, told, question)
    _stands(line, dict_of(response, "response"))
    answer = Answer(
        request_id=request_id,
        ok=response.get("subtype") == "success",
        response=dict_of(response, "response"),
        error=text_of(response, "error"),
        error_code=word_of(response, "error_code"),
        pending=tuple(pending),
    )
    line.control.append(answer)


def _stands(line: Line, answered: dict[str, Any]) -> None:
    """Take from the answer to an `initialize` how the session stands, where the lines that told of it were lost."""
    told, known = word_of(answered, "session_state"), line.state.told
    if told and line.state.muddled:
        line.change(muddled=False, told=told)
        if told != known:
            line.emit(SessionStateChanged(state=told), line.session)


def control_cancel(line: Line) -> None:
    """Take the withdrawal of a question."""
    request_id = id_of(line.obj, "request_id")
    if request_id is None:
        unknown_line(line)
        return
    line.control.append(Withdrawal(request_id=request_id))
    call = line.state.approvals.get(request_id)
    if call is None:
        return
    line.emit(ApprovalWithdrawn(request_id=request_id), request_id, tool_use_id=call or None)
    line.change(approvals=without(line.state.approvals, request_id))


def permission_denied(line: Line) -> None:
    """Remember why a call was denied without asking; the call's result, which follows, makes it an event.

    Calls of a subagent's subagent are not written, nor are their results: then this line is all there is.
    """
    obj = line.obj
    call = id_of(obj, "tool_use_id")
    if call is None:
        unknown_line(line)
        return
    opened = line.state.tools.get(call)
    reason = text_of(obj, "decision_reason") or text_of(obj, "message")
    if opened is None:
        name = word_of(obj, "tool_name")
        server, tool = mcp_parts(name)
        fact = ToolDenied(
            name=name,
            output=clip(text_of(obj, "message"), NOTE_BYTES)[0],
            decided_by=word_of(obj, "decision_reason_type"),
            reason=clip(text_of(obj, "decision_reason"), NOTE_BYTES)[0],
            mcp_server=server,
            mcp_tool=tool,
        )
        line.emit(fact, call, tool_use_id=call)
        return
    denied = msgspec.structs.replace(
        opened, denial=clip(reason, NOTE_BYTES)[0], denied_by=word_of(obj, "decision_reason_type")
    )
    line.change(tools={**line.state.tools, call: denied})


def _asked(line: Line, told: dict[str, Any], question: ToolQuestion) -> None:
    request = dict_of(told, "request")
    arguments, size = bounded(request.get("input"), BODY_BYTES)
    suggestions, _ = bounded(request.get("permission_suggestions"), BODY_BYTES)
    name = question.tool_name
    server, tool = mcp_parts(name)
    opened = line.state.tools.get(question.tool_use_id or "")
    fact = ApprovalAsked(
        request_id=question.request_id,
        name=name,
        summary=summary(name, request.get("input")),
        input=arguments,
        input_bytes=size,
        mcp_server=server,
        mcp_tool=tool,
        suggestions=suggestions if suggestions is not None else [],
        description=clip(text_of(request, "description"), NOTE_BYTES)[0],
        reason=clip(text_of(request, "decision_reason"), NOTE_BYTES)[0],
        reason_type=word_of(request, "decision_reason_type"),
        blocked_path=path_of(request, "blocked_path"),
        interactive=question.interactive,
    )
    line.emit(
        fact,
        question.request_id,
        tool_use_id=question.tool_use_id,
        parent=opened.parent if opened else None,
        agent_id=question.agent_id or (opened.agent_id if opened else None),
    )
    line.change(approvals=added(line.state.approvals, question.request_id, question.tool_use_id or ""))


def _question(obj: dict[str, Any]) -> Question | None:
    request_id = id_of(obj, "request_id")
    request = dict_of(obj, "request")
    subtype = word_of(request, "subtype")
    if request_id is None or not subtype:
        return None
    if subtype == "can_use_tool":
        suggestions = request.get("permission_suggestions")
        return ToolQuestion(
            request_id=request_id,
            tool_name=word_of(request, "tool_name"),
            input=dict_of(request, "input"),
            tool_use_id=id_of(request, "tool_use_id"),
            agent_id=id_of(request, "agent_id"),
            suggestions=suggestions if isinstance(suggestions, list) else [],
            interactive=request.get("requires_user_interaction") is True,
            request=request,
        )
    if subtype == "hook_callback":
        return HookCall(
            request_id=request_id,
            callback_id=word_of(request, "callback_id"),
            input=dict_of(request, "input"),
            tool_use_id=id_of(request, "tool_use_id"),
        )
    if subtype == "mcp_message":
        server = word_of(request, "server_name")
        return McpCall(request_id=request_id, server_name=server, message=dict_of(request, "message"))
    return OtherQuestion(request_id=request_id, subtype=subtype, request=request)
