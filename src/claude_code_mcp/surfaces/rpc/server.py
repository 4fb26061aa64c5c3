"""Serve one local connection: requests by id, answers in the order they are ready, progress in between.

`{"id":1,"op":"sessions.list","args":{}}` is answered by `{"id":1,"reply":{…},"text":"…","exit_code":0}` or
`{"id":1,"error":{code,message,remedy,details,exit_code}}`; `{"id":1,"progress":{done_s,message}}` may come before, and
`{"id":1,"part":{…},"text":"…"}` with a part of the reply where the request asks for parts.
A request with `"text":false` is answered without text, one with `"text":"commands"` with the text of our command line,
which calls tools by their commands. `{"id":1,"words":["jobs","list"]}` is answered by `{"id":1,"command":{…}}`: what a
command line that begins with these words asks for, null where it is not told.
`{"cancel":1}` ends the wait for request 1. What was started is not undone by a cancel or by hanging up.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

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


class CommandLine(Protocol):
    """What our command line calls things."""

    def command(self, words: Sequence[object]) -> Mapping[str, Any] | None:
        """Return the command that `words` begin with; None where there is none that can be told."""
        ...

    def reply(self, text: str) -> str:
        """Return the text of a reply with the tools that it names called by their commands."""
        ...


class Connection:
    """One client of the local protocol."""

    def __init__(
        self,
        catalog: Catalog,
        context_for: ContextFor,
        caller: Callable[[Progress], Caller],
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        command_line: Callable[[], CommandLine] | None = None,
    ) -> None:
        self._command_line = command_line
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
        key = message.get("id")
        words = message.get("words")
        if isinstance(words, list):
            told = self._command_line().command(words) if self._command_line is not None else None
            await self._say({"id": key, "command": told})
            return
        await self._places.acquire()
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
            said = self._said(reply, request.get("text"))
            await self._send(b'{"id": %b, %b}\n' % (json.dumps(key).encode(), said))

    def _said(self, reply: Reply, text: object) -> bytes:
        if isinstance(reply, Shared):
            return reply.kept("rpc", lambda: _said(reply, reply.text()))
        if text is False:
            return _said(reply, None)
        worded = self._command_line().reply if text == "commands" and self._command_line is not None else str
        return _said(reply, worded(reply.text()))

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


def _said(reply: Reply, text: str | None) -> bytes:
    """Return what is answered, as members of a JSON object."""
    member = f', "text": {json.dumps(text)}' if text is not None else ""
    return f'"reply": {reply.as_json()}{member}, "exit_code": {reply.exit_code}'.encode()


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
