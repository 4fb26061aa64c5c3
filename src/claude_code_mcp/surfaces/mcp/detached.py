"""A call that may outlive the request which began it: parked on a question, or running as a task."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR

from claude_code_mcp.surfaces.mcp.call import Answers, Call, Requests
from claude_code_mcp.surfaces.mcp.tools import Result
from claude_code_mcp.surfaces.mcp.workers import Workers

log = logging.getLogger(__name__)


class Detached:
    """Runs one call in a task of its own and keeps its open questions.

    `given` are answers that came with the request already; a question with such a key is answered at once.
    """

    def __init__(self, call: Call, given: Mapping[str, Any] | None = None) -> None:
        self.call = call
        self.open: dict[str, Mapping[str, Any]] = {}
        self._given = dict(given or {})
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._result: Result | None = None
        self._error: MCPError | None = None
        call.asker = self

    def start(self, workers: Workers, run: Callable[[Call], Awaitable[Result]]) -> None:
        """Begin, among `workers`."""
        self._task = workers.start(self._run(run))
        self._task.add_done_callback(lambda _: self._news.set())

    @property
    def done(self) -> bool:
        """Whether the call has ended."""
        return self._task is not None and self._task.done()

    @property
    def error(self) -> MCPError | None:
        """The protocol error that the call ended with."""
        return self._error

    def result(self) -> Result:
        """Return the finished call's answer.

        Raises:
            MCPError: it ended with a protocol error.
            asyncio.CancelledError: it was cancelled.
        """
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise asyncio.CancelledError
        return self._result

    def cancel(self) -> None:
        """Stop the call's wait."""
        if self._task is not None:
            self._task.cancel()

    async def news(self) -> None:
        """Wait until the call has ended or asks something."""
        while not (self.done or self.open):
            self._news.clear()
            await self._news.wait()

    async def turn(self) -> None:
        """Wait until something about the call changes."""
        self._news.clear()
        await self._news.wait()

    async def ask(self, requests: Requests) -> Answers:
        """Put questions, and wait until all of them are answered."""
        answers: Answers = {}
        waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        for key, request in requests.items():
            if isinstance(self._given.get(key), dict):
                answers[key] = self._given.pop(key)
            else:
                waiting[key] = self._waiting[key] = asyncio.get_running_loop().create_future()
                self.open[key] = request
        self._news.set()
        try:
            for key, future in waiting.items():
                answers[key] = await future
        finally:
            for key in waiting:
                self._waiting.pop(key, None)
                self.open.pop(key, None)
        return answers

    def answer(self, responses: Mapping[str, Any]) -> None:
        """Take answers; what was not asked, or is no object, is ignored and stays open."""
        for key, response in responses.items():
            future = self._waiting.get(key)
            if future is not None and isinstance(response, dict) and not future.done():
                del self._waiting[key], self.open[key]
                future.set_result(response)
                self._news.set()

    async def _run(self, run: Callable[[Call], Awaitable[Result]]) -> None:
        try:
            self._result = await run(self.call)
        except MCPError as exc:
            self._error = exc
        except Exception:
            log.exception("a detached call failed")
            self._error = MCPError(INTERNAL_ERROR, "Internal error")
