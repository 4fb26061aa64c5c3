"""The model over HTTP: the Messages API under `/v1`, and the control of gates and records under `/_model`."""

import asyncio
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from claude_code_mcp.testing.model import Answered, Refused, ScriptedModel
from claude_code_mcp.testing.recorder import Kind, Outcome, Seen
from claude_code_mcp.testing.script import Failure
from claude_code_mcp.testing.wire import Cut, End, GateAt, Part, Pause, Reply, error_body, headers_of, tokens_in

_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_PING_EVERY_S = 15
"""A reply that waits at a gate is kept alive, as the API does: the CLI gives up on silent streams."""


def app(model: ScriptedModel) -> Starlette:
    """Return the ASGI application of `model`."""

    async def messages(request: Request) -> Response:
        raw = await request.body()
        seen, chosen = model.answer(_target(request), request.headers, raw)
        if isinstance(chosen, Refused):
            headers = headers_of(chosen.step, request_id=chosen.id)
            model.recorder.finish(seen, Outcome.ERROR, chosen.failure.status)
            return _json(error_body(chosen.failure, request_id=chosen.id), chosen.failure.status, headers)
        return _ReplyResponse(model, seen, chosen)

    async def count_tokens(request: Request) -> Response:
        raw = await request.body()
        seen = model.record_other(Kind.COUNT_TOKENS, "POST", _target(request), request.headers, raw)
        model.recorder.finish(seen, Outcome.ANSWERED, 200)
        return _json({"input_tokens": tokens_in(raw)})

    async def other(request: Request) -> Response:
        raw = await request.body()
        seen = model.record_other(Kind.OTHER, request.method, _target(request), request.headers, raw)
        if request.method in ("HEAD", "GET") and request.url.path == "/":
            model.recorder.finish(seen, Outcome.ANSWERED, 200)
            return _json({"scripted": True})
        model.recorder.finish(seen, Outcome.ERROR, 404)
        missing = Failure(status=404, message=f"scripted model: nothing answers {request.method} {request.url.path}")
        return _json(error_body(missing, request_id=f"req_{seen.number}"), 404)

    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    return Starlette(
        routes=[
            Route("/v1/messages", messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", count_tokens, methods=["POST"]),
            *_control(model),
            Route("/{path:path}", other, methods=methods),
        ]
    )


def _control(model: ScriptedModel) -> list[Route]:
    async def status(_: Request) -> Response:
        return _json(
            {
                "scenarios": {name: scenario.about for name, scenario in model.script.scenarios.items()},
                "requests": len(model.seen(kind=None)),
                "gates": model.gates.waiting(),
            }
        )

    async def requests(request: Request) -> Response:
        after = _whole(request.query_params.get("after", ""), default=0)
        found = model.seen(lambda one: one.number > after, kind=None)
        return _json([one.summary() for one in found])

    async def gate(request: Request) -> Response:
        chosen = model.gate(request.path_params["name"])
        match request.path_params["verb"]:
            case "release":
                chosen.release(_whole(request.query_params.get("count", ""), default=1))
            case "open":
                chosen.open()
            case verb:
                return _json({"error": f"a gate can release or open, not {verb}"}, 404)
        return _json({"gate": chosen.name, "waiting": chosen.waiting})

    async def reset(_: Request) -> Response:
        model.reset()
        return _json({})

    return [
        Route("/_model", status),
        Route("/_model/requests", requests),
        Route("/_model/gates/{name}/{verb}", gate, methods=["POST"]),
        Route("/_model/reset", reset, methods=["POST"]),
    ]


class _ReplyResponse(Response):
    """Plays a reply: waits where the step says so, stops when the client has gone, breaks off where it is cut."""

    def __init__(self, model: ScriptedModel, seen: Seen, chosen: Answered) -> None:
        headers = headers_of(chosen.reply.step, request_id=f"req_{chosen.reply.id[4:]}")
        super().__init__(headers=headers, media_type="text/event-stream" if chosen.stream else "application/json")
        del self.headers["content-length"]
        self._model = model
        self._seen = seen
        self._chosen = chosen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send the reply; a client that goes away ends it at once."""
        playing = asyncio.ensure_future(self._play(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                self._finish(playing.result())
        finally:
            for task in (playing, leaving):
                task.cancel()
            await asyncio.gather(playing, leaving, return_exceptions=True)
            self._finish(Outcome.GONE)

    def _finish(self, outcome: Outcome) -> None:
        self._model.recorder.finish(self._seen, outcome, 200)

    async def _play(self, send: Send) -> Outcome:
        reply = self._chosen.reply
        if not self._chosen.stream:
            for wait in reply.waits():
                await self._wait(wait)
            await send(self._start())
            await send(_body(msgspec.json.encode(reply.message()), more=False))
            return Outcome.ANSWERED
        await send(self._start())
        outcome = await self._stream(reply, send)
        if outcome is not Outcome.CUT:
            await send(_body(b"", more=False))
        return outcome

    async def _stream(self, reply: Reply, send: Send) -> Outcome:
        ready = bytearray()
        for part in reply.parts():
            if isinstance(part, bytes):
                ready += part
                continue
            if ready:
                await send(_body(bytes(ready)))
                ready.clear()
            if isinstance(part, Cut):
                return Outcome.CUT
            if isinstance(part, GateAt):
                await self._at_gate(part, send)
            else:
                await self._wait(part)
        await send(_body(bytes(ready)))
        return Outcome.ERROR if reply.end is End.ERROR else Outcome.ANSWERED

    async def _at_gate(self, part: GateAt, send: Send) -> None:
        passing = asyncio.ensure_future(self._wait(part))
        try:
            while not (await asyncio.wait((passing,), timeout=_PING_EVERY_S))[0]:
                await send(_body(_PING))
        finally:
            passing.cancel()

    async def _wait(self, part: Part) -> None:
        if isinstance(part, Pause):
            await asyncio.sleep(part.seconds)
        elif isinstance(part, GateAt):
            await self._model.gate(part.name).pass_through()

    def _start(self) -> Message:
        return {"type": "http.response.start", "status": 200, "headers": self.raw_headers}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def _target(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _whole(text: str, *, default: int) -> int:
    return int(text) if text.isdecimal() else default
