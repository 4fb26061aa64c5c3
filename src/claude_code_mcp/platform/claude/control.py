"""Lines for a run's stdin: messages, control requests, answers. Each is one JSON object and one line end.

A malformed line kills Claude Code, so every line is made here from data and never from text. The forms were
measured on 2.1.328 (control requests by subtype, permission answers); answers are returned by `request_id`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from claude_code_mcp.platform.claude.requests import ToolQuestion

PRIORITIES = ("now", "next", "later")
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a host says about itself with `initialize`.

    `hooks`: hook callbacks by event; the empty default clears those of a host before us, which None would keep.
    `agents`, `system_prompt`, `append_system_prompt`, `json_schema`, `title` count on the first call of a
    process only; None leaves them out.
    """

    hooks: Mapping[str, Any] | None = None
    agents: Mapping[str, Any] | None = None
    system_prompt: str | None = None
    append_system_prompt: str | None = None
    json_schema: Mapping[str, Any] | None = None
    title: str | None = None


def user_message(
    content: str | Sequence[Mapping[str, Any]], uuid: str, priority: str = "next", *, ask_model: bool = True
) -> bytes:
    """Return a message: text, or content blocks (text, base64 image).

    A `uuid` that Claude Code has seen is never run twice, not even after a crash and a resume. `priority`:
    "now" ends the running turn, "next" is taken up at its next tool boundary, "later" after it. Without
    `ask_model` it is only put into the conversation.
    """
    message: dict[str, Any] = {
        "type": "user",
        "message": {"role": "user", "content": content if isinstance(content, str) else list(content)},
        "uuid": uuid,
        "priority": priority,
    }
    if not ask_model:
        message["shouldQuery"] = False
    return line(message)


def request(request_id: str, subtype: str, **fields: Any) -> bytes:
    """Return any control request; the functions below know the fields of the common ones."""
    return line({"type": "control_request", "request_id": request_id, "request": {"subtype": subtype, **fields}})


def initialize(request_id: str, introduction: Introduction | None = None) -> bytes:
    """Return the introduction. Its answer says that the process is ready, and which questions wait.

    It may be sent at any time and any number of times; that is how a new host attaches to a running process.
    """
    said = introduction or Introduction()
    fields = {
        "hooks": dict(said.hooks or {}),
        "agents": said.agents,
        "systemPrompt": None if said.system_prompt is None else [said.system_prompt],
        "appendSystemPrompt": said.append_system_prompt,
        "jsonSchema": said.json_schema,
        "title": said.title,
    }
    return request(request_id, "initialize", **{key: value for key, value in fields.items() if value is not None})


def interrupt(request_id: str, *, cancel_queued: bool = False) -> bytes:
    """Return the request to break off the running turn; queued messages run next unless they are cancelled too."""
    return request(request_id, "interrupt", **({"cancel_queued": True} if cancel_queued else {}))


def end_session(request_id: str, reason: str) -> bytes:
    """Return the request to write a last result and exit; background tasks end too."""
    return request(request_id, "end_session", reason=reason)


def cancel_message(request_id: str, message_uuid: str) -> bytes:
    """Return the request to withdraw a queued message; the answer's `cancelled` says whether it was in time."""
    return request(request_id, "cancel_async_message", message_uuid=message_uuid)


def set_model(request_id: str, model: str | None) -> bytes:
    """Return the request for another model from the next turn on; None is the session's default."""
    return request(request_id, "set_model", model=model)


def set_permission_mode(request_id: str, mode: str) -> bytes:
    """Return the request for another permission mode.

    bypassPermissions is refused (`bypass_not_launched`) unless the process was started with it as a
    possibility.
    """
    return request(request_id, "set_permission_mode", mode=mode)


def set_effort(request_id: str, effort: str) -> bytes:
    """Return the request for another effort from the next turn on."""
    return apply_flag_settings(request_id, {"effortLevel": effort})


def set_max_thinking_tokens(request_id: str, tokens: int | None) -> bytes:
    """Return the request for another thinking budget; None is the default. Models of today do not have one."""
    return request(request_id, "set_max_thinking_tokens", max_thinking_tokens=tokens)


def apply_flag_settings(request_id: str, settings: Mapping[str, Any]) -> bytes:
    """Return the request to lay `settings` over those of the files, for this process."""
    return request(request_id, "apply_flag_settings", settings=dict(settings))


def rename_session(request_id: str, title: str) -> bytes:
    """Return the request to give the session another name."""
    return request(request_id, "rename_session", title=title)


def stop_task(request_id: str, task_id: str) -> bytes:
    """Return the request to stop a background task or subagent."""
    return request(request_id, "stop_task", task_id=task_id)


def get_context_usage(request_id: str) -> bytes:
    """Return the question how full the context is."""
    return request(request_id, "get_context_usage")


def get_settings(request_id: str) -> bytes:
    """Return the question for the merged settings."""
    return request(request_id, "get_settings")


def mcp_status(request_id: str) -> bytes:
    """Return the question how the session's MCP servers are."""
    return request(request_id, "mcp_status")


def rewind_files(request_id: str, message_uuid: str, *, dry_run: bool = False) -> bytes:
    """Return the request to put files back as they were at a message (Claude Code's own file checkpoints)."""
    return request(request_id, "rewind_files", user_message_id=message_uuid, dry_run=dry_run)


def allow(
    request_id: str,
    updated_input: Mapping[str, Any] | None = None,
    updated_permissions: Sequence[Any] | None = None,
) -> bytes:
    """Return the answer that a tool may run.

    `updated_input` replaces its arguments and is run as given. `updated_permissions` are items of the
    question's suggestions: rules from now on, written where each of them says.
    """
    response: dict[str, Any] = {"behavior": "allow"}
    if updated_input is not None:
        response["updatedInput"] = dict(updated_input)
    if updated_permissions:
        response["updatedPermissions"] = list(updated_permissions)
    return answer(request_id, response)


def deny(request_id: str, message: str, *, stop_turn: bool = False) -> bytes:
    """Return the answer that a tool may not run; the model reads `message`, or the turn ends with it."""
    response: dict[str, Any] = {"behavior": "deny", "message": message}
    if stop_turn:
        response["interrupt"] = True
    return answer(request_id, response)


def answer_questions(question: ToolQuestion, answers: Mapping[str, str | Sequence[str]]) -> bytes:
    """Return the answer to an AskUserQuestion: by question text, the label chosen or words of one's own.

    Several labels of one question are joined with commas, as Claude Code expects them.
    """
    chosen = {text: reply if isinstance(reply, str) else ", ".join(reply) for text, reply in answers.items()}
    return allow(question.request_id, {**question.input, "answers": chosen})


def hook_answer(request_id: str, output: Mapping[str, Any]) -> bytes:
    """Return what a hook callback came to; `{}` lets things go on as they would."""
    return answer(request_id, output)


def mcp_answer(request_id: str, message: Mapping[str, Any]) -> bytes:
    """Return the JSON-RPC answer of an MCP server that lives in the host."""
    return answer(request_id, {"mcp_response": dict(message)})


def refuse(request_id: str, error: str) -> bytes:
    """Return that a request cannot be served, so that Claude Code does not wait for ever."""
    return line(
        {"type": "control_response", "response": {"subtype": "error", "request_id": request_id, "error": error}}
    )


def answer(request_id: str, response: Mapping[str, Any]) -> bytes:
    """Return a successful answer with any content."""
    body = {"subtype": "success", "request_id": request_id, "response": dict(response)}
    return line({"type": "control_response", "response": body})


def line(value: Mapping[str, Any]) -> bytes:
    """Return `value` as one line: JSON without line ends in it, one line end after it.

    Half characters are replaced, since UTF-8 cannot carry them. The separators U+2028 and U+2029 are escaped:
    some line readers take them for line ends.
    """
    try:
        data = _ENCODE(value)
    except UnicodeEncodeError:
        data = _ENCODE(_whole(value))
    return data.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029") + b"\n"


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(item) for item in value]
    return value
