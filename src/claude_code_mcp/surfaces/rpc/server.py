"""Serve one local connection: requests by id, answers in the order they are ready, progress in between.

`{"id":1,"op":"sessions.list","args":{}}` is answered by `{"id":1,"reply":{…},"text":"…","exit_code":0}` or
`{"id":1,"error":{code,message,remedy,details,exit_code}}`; `{"id":1,"progress":{done_s,message}}` may come before, and
`{"id":1,"part":{…},"text":"…"}` with a part of the reply where the request asks for parts.
A request with `"text":false` is answered without text.
`{"cancel":1}` ends the wait for request 1. What was started is not undone by a cancel or by hanging up.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from claude_code_mcp.kernel.caller import Caller, Push
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError, Invalid, NotFound
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.kernel.operation import Catalog, Progress, Reply, Shared, Surface

IN_FLIGHT = 64
"""Requests of one connection that may run at once; more wait."""

ContextFor = Callable[[Caller], Any]
log = logging.getLogger(__name__)


class UnknownOperation(NotFound):
    """The catalog has no operation of this name."""

    code = "unknown_operation"


class Connection:
    """One client of the local protocol."""

    def __init__(
        self,
        catalog: Catalog,
        context_for: ContextFor,
        caller: Callable[[Progress], Caller],
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._operations = {op.name: op for op in catalog.on(Surface.CLI)}
        self._context_for = context_for
        self._caller = caller
        self._reader, self._writer = streams
        self._running: dict[Any, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(IN_FLIGHT)

    async def serve(self) -> None:
        """Serve until the client hangs up; what still waits then is cancelled."""
        try:
            while line := await self._reader.readline():
                await self._take(line)
        except ValueError:
            # StreamReader.readline's word for a line over the limit: nothing after it can be framed.
            await self._say({"id": None, "error": _error(Invalid("A request line is too long."))})
        finally:
            for task in self._running.values():
                task.cancel()
            if self._running:
                await asyncio.wait(self._running.values())

    async def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            await self._say({"id": None, "error": _error(Invalid("A request is one JSON object on one line."))})
            return
        if "cancel" in message:
            task = self._running.get(message["cancel"])
            if task is not None:
                task.cancel()
            return
        await self._places.acquire()
        key = message.get("id")
        task = asyncio.get_running_loop().create_task(self._answer(key, message))
        self._running[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    def _ended(self, key: object, task: asyncio.Task[None]) -> None:
        self._places.release()
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled() and task.exception() is not None:
            log.debug("an answer could not be given: %r", task.exception())

    async def _answer(self, key: object, request: Mapping[str, Any]) -> None:
        async def push(part: Shared) -> None:
            said = part.kept("rpc part", lambda: _part(part))
            await self._send(b'{"id": %b, %b}\n' % (json.dumps(key).encode(), said))

        async def progress(done_s: float, message: str) -> None:
            await self._say({"id": key, "progress": {"done_s": round(done_s, 1), "message": message}})

        try:
            reply = await self._call(request, progress, push)
        except ClaudeCodeMcpError as exc:
            await self._say({"id": key, "error": _error(exc)})
        except asyncio.CancelledError:
            raise
        except Exception:
            reference = uuid7()
            log.exception("operation %s failed [%s]", request.get("op"), reference)
            failure = ClaudeCodeMcpError(
                f"Something inside went wrong ({reference}).",
                remedy="`claude-code-mcp daemon logs` has the details.",
            )
            await self._say({"id": key, "error": _error(failure)})
        else:
            with_text = request.get("text") is not False
            said = reply.kept("rpc", lambda: _said(reply)) if isinstance(reply, Shared) else _said(reply, with_text)
            await self._send(b'{"id": %b, %b}\n' % (json.dumps(key).encode(), said))

    async def _call(self, message: Mapping[str, Any], progress: Progress, push: Push) -> Reply:
        name, args = message.get("op"), message.get("args", {})
        op = self._operations.get(name) if isinstance(name, str) else None
        if op is None:
            raise UnknownOperation(f"There is no operation {str(name)[:80]!r}.", remedy="Upgrade both sides alike.")
        if not isinstance(args, dict):
            raise Invalid("`args` must be an object.")
        return await op.call(self._context_for(replace(self._caller(progress), push=push)), args)

    async def _say(self, message: Mapping[str, Any]) -> None:
        await self._send(json.dumps(message, ensure_ascii=True).encode() + b"\n")

    async def _send(self, line: bytes) -> None:
        self._writer.write(line)
        await self._writer.drain()


def _said(reply: Reply, with_text: bool = True) -> bytes:
    """Return what is answered, as members of a JSON object."""
    text = f', "text": {json.dumps(reply.text())}' if with_text else ""
    return f'"reply": {reply.as_json()}{text}, "exit_code": {reply.exit_code}'.encode()


def _part(part: Shared) -> bytes:
    """Return a part of an answer, as members of a JSON object."""
    return f'"part": {part.as_json()}, "text": {json.dumps(part.part_text())}'.encode()


def _error(exc: ClaudeCodeMcpError) -> dict[str, Any]:
    return {
        "code": exc.code,
        "message": exc.message,
        "remedy": exc.remedy,
        "details": json.loads(json.dumps(exc.details, default=str)),
        "exit_code": exc.exit_code,
    }
