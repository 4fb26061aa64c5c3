"""What Claude Code asks of its host and what it answers to us: for the session service, not for the event log.

They carry the whole, unshortened and unredacted content, because an answer has to fit it.
"""

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a control request of ours.

    `request_id`: ours. `ok`: it was done. `response`: what it gave. `error`, `error_code`: why not. `pending`:
    questions that still wait for an answer; only an `initialize` has them. They are not written again as lines
    of their own, so a host that attaches takes them up from here.
    """

    request_id: str
    ok: bool
    response: dict[str, Any] = {}
    error: str = ""
    error_code: str = ""
    pending: tuple["Question", ...] = ()


class ToolQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """May this tool run? Answer with `control.allow`, `control.deny` or `control.answer_questions`.

    `request_id`: to answer under. `tool_name`, `tool_use_id`, `agent_id`: the call, and the subagent that made
    it. `input`: its arguments. `suggestions`: permission updates that an answer may carry. `interactive`: it
    needs a person. `request`: everything that was sent.
    """

    request_id: str
    tool_name: str
    input: dict[str, Any]
    tool_use_id: str | None = None
    agent_id: str | None = None
    suggestions: list[Any] = []
    interactive: bool = False
    request: dict[str, Any] = {}


class HookCall(msgspec.Struct, frozen=True, kw_only=True):
    """A hook that a host registered with `initialize` shall run. Answer with `control.hook_answer`.

    `callback_id`: which hook. `input`: the hook's payload.
    """

    request_id: str
    callback_id: str
    input: dict[str, Any]
    tool_use_id: str | None = None


class McpCall(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON-RPC message for an MCP server that lives in the host. Answer with `control.mcp_answer`."""

    request_id: str
    server_name: str
    message: dict[str, Any]


class OtherQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A request that this version does not know. Answer with `control.refuse`, or it waits for ever."""

    request_id: str
    subtype: str
    request: dict[str, Any]


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """Claude Code no longer waits for the answer to `request_id`."""

    request_id: str


Question = ToolQuestion | HookCall | McpCall | OtherQuestion
ControlItem = Answer | Question | Withdrawal
