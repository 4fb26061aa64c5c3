"""From `tools/call` to its answer: inline, parked on a question, or as a task."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from mcp.shared.exceptions import MCPError
from mcp_types import MISSING_REQUIRED_CLIENT_CAPABILITY

from claude_code_mcp.kernel.caller import Invocation
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError, Conflict, Invalid
from claude_code_mcp.surfaces.mcp.call import BackChannel, Call, Client, Exchange
from claude_code_mcp.surfaces.mcp.detached import Detached
from claude_code_mcp.surfaces.mcp.questions import Questions
from claude_code_mcp.surfaces.mcp.search import line
from claude_code_mcp.surfaces.mcp.task_store import TASKS_EXTENSION
from claude_code_mcp.surfaces.mcp.tasks import Tasks
from claude_code_mcp.surfaces.mcp.toolbox import Toolbox
from claude_code_mcp.surfaces.mcp.tools import Result, Tool, text_result

log = logging.getLogger(__name__)


class QuestionExpired(Conflict):
    """The answer came after the call that asked had gone."""

    code = "question_expired"


@dataclass(frozen=True, slots=True)
class Wish:
    """The parameters of one `tools/call`; `state` and `responses` are those of a retry (SEP-2322)."""

    name: str
    arguments: Mapping[str, Any]
    state: object = None
    responses: Mapping[str, Any] | None = None


class Calls:
    """Runs tools for every connection of the surface."""

    def __init__(self, questions: Questions, tasks: Tasks, rest_tool: Callable[[str], Tool]) -> None:
        """`rest_tool` finds the tool of an operation by the operation's name."""
        self._questions = questions
        self._tasks = tasks
        self._rest_tool = rest_tool

    async def answer(self, client: Client, toolbox: Toolbox, exchange: Exchange, wish: Wish) -> Result:
        """Return the answer of one `tools/call`, in wire form.

        Errors that the caller can act on are answers with `isError`; a model reads them.

        Raises:
            MCPError: the call itself does not fit the protocol (unknown tool, foreign `requestState` …).
        """
        try:
            tool, arguments = toolbox.resolve(wish.name, wish.arguments)
        except ClaudeCodeMcpError as exc:
            return error_result(exc)
        abilities = exchange.abilities
        if tool.task_only and not abilities.tasks:
            raise missing_tasks()
        call = Call(client, exchange, arguments)
        if not abilities.modern or not (tool.asks or tool.task):
            if tool.asks and abilities.raw is not None:
                call.asker = BackChannel(exchange)
            return await run(tool, call, wish.name)
        return await self._detached(tool, call, wish)

    async def _detached(self, tool: Tool, call: Call, wish: Wish) -> Result:
        as_task = tool.task and call.exchange.abilities.tasks
        if wish.state is not None:
            detached = self._taken_up(tool, call, wish)
        else:
            detached = Detached(call, wish.responses)
            call.patient = as_task
            self._tasks.start(detached, lambda begun: run(tool, begun, wish.name))
        try:
            if as_task and (tool.task_at_once or not await self._tasks.soon(detached)):
                return await self._tasks.adopt(detached, tool)
            await detached.news()
        except BaseException:
            # Whatever ended the request: nobody waits for the call any more.
            detached.cancel()
            raise
        if detached.done:
            return detached.result()
        return self._questions.park(detached, call.client, wish.name, wish.arguments)

    def _taken_up(self, tool: Tool, call: Call, wish: Wish) -> Detached:
        """Return the parked call that a retry belongs to, or what is left of it after a restart."""
        state = self._questions.open(wish.state, wish.name, wish.arguments)
        parked = self._questions.take(state)
        if parked is not None:
            parked.call.exchange = call.exchange
            parked.answer(wish.responses or {})
            return parked
        rest = state.rest or (Invocation(tool.operation, call.arguments) if tool.repeatable else None)
        detached = Detached(call, wish.responses)
        self._tasks.start(detached, lambda begun: self._run_rest(rest, begun))
        return detached

    async def _run_rest(self, rest: Invocation | None, call: Call) -> Result:
        if rest is None:
            return error_result(
                QuestionExpired(
                    "The call that asked this has ended meanwhile.",
                    remedy="Nothing was done with the answer; look at the state of the work before calling again.",
                )
            )
        return await run_rest(self._rest_tool(rest.operation), rest, call)


@dataclass(frozen=True, slots=True)
class Link:
    """One connection, as its handlers know it (the SDK server's lifespan state).

    `ready` holds encoded answers by protocol version that are the same each time; it is the toolbox's own.
    """

    client: Client
    toolbox: Toolbox
    calls: Calls
    ready: dict[str | None, msgspec.Raw]

    async def answer(self, exchange: Exchange, wish: Wish) -> Result:
        """Answer one `tools/call` of this connection."""
        return await self.calls.answer(self.client, self.toolbox, exchange, wish)


def wish(params: Mapping[str, Any]) -> Wish:
    """Return validated `tools/call` parameters as a wish."""
    return Wish(
        params["name"],
        params.get("arguments") or {},
        params.get("requestState"),
        params.get("inputResponses"),
    )


async def run_rest(tool: Tool, rest: Invocation, call: Call) -> Result:
    """Run what is left of a call."""
    call.arguments = rest.arguments
    call.rest = rest
    return await run(tool, call, tool.name)


async def run(tool: Tool, call: Call, called: str) -> Result:
    """Run a tool; whatever goes wrong is an answer, and what is our own bug gets a reference into the log."""
    try:
        return await tool.run(call)
    except Invalid as exc:
        # Who came through the search/call pair has not seen the schema.
        hint = "" if called == tool.name else f"\nThe call is: {line(tool)}"
        return error_result(exc, hint)
    except ClaudeCodeMcpError as exc:
        return error_result(exc)
    except MCPError:
        raise
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("tool %s failed (reference %s)", tool.name, reference)
        text = f"internal: {tool.name} failed inside claude-code-mcp. The log has the cause under {reference}."
        return {**text_result(text), "isError": True}


def error_result(exc: ClaudeCodeMcpError, hint: str = "") -> Result:
    """Return an error that the caller can act on: `code: message remedy`."""
    return {**text_result(f"{exc.code}: {exc}{hint}"), "isError": True}


def missing_tasks() -> MCPError:
    """Return the error for a client that did not declare the tasks extension where it has to."""
    needed: dict[str, Any] = {"requiredCapabilities": {"extensions": {TASKS_EXTENSION: {}}}}
    return MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "Missing required client capability", needed)
