"""Requests and answers straight on ASGI: hooks come by the thousand, and a framework would cost as much again."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.surfaces.http.errors import BodyTooLarge, ClientGone, WrongContent

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Heads = Mapping[bytes, bytes]
Header = tuple[bytes, bytes]

BODY_BYTES = 16 * 1024 * 1024
"""The longest body that is taken, packed or unpacked."""
JSON = b"application/json"
_NOTHING: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_END: Message = {"type": "http.response.body"}


async def answer_nothing(send: Send) -> None:
    """Answer 200 with an empty body: what a hook takes as consent to go on."""
    await send(_NOTHING)
    await send(_END)


async def answer(
    send: Send, status: int, body: bytes, *, content_type: bytes = JSON, more: Iterable[Header] = ()
) -> None:
    """Answer with a whole body that no page may read as something else, and no cache may keep."""
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_error(send: Send, exc: ClaudeCodeMcpError) -> None:
    """Answer with what a caller can act on."""
    more: list[Header] = [(b"www-authenticate", b"Bearer")] if exc.status == 401 else []
    if exc.status in {408, 413}:
        more.append((b"connection", b"close"))  # the rest of the body is not read
    await answer(send, exc.status, as_json({"error": error_object(exc)}), more=more)


def error_object(exc: ClaudeCodeMcpError) -> dict[str, Any]:
    """Return an error as its fields."""
    details = json.loads(json.dumps(exc.details, default=str))
    return {"code": exc.code, "message": exc.message, "remedy": exc.remedy, "details": details}


def as_json(value: Any) -> bytes:
    """Return JSON of plain ASCII: halves of characters, which no encoder takes, are escaped as well."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def need_json(heads: Heads) -> None:
    """Check that a body says that it is JSON: what a page sends without asking its browser first is not.

    Raises:
        WrongContent: it does not.
    """
    said = heads.get(b"content-type", b"")
    if said != JSON and said.partition(b";")[0].strip().lower() != JSON:
        shown = said.decode("latin-1")[:80] or "no content type"
        raise WrongContent(f"The body is {shown}.", remedy="Send `Content-Type: application/json`.")


async def whole_body(heads: Heads, receive: Receive) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it is, or says so; the rest was not read.
        ClientGone: it broke off.
    """
    length = heads.get(b"content-length", b"0")
    if len(length) > 8 or int(length) > BODY_BYTES:
        raise _too_large()
    message = await receive()
    if message["type"] == "http.request" and not message["more_body"]:
        first: bytes = message["body"]
        if len(first) <= BODY_BYTES:
            return first
    return await _gathered(message, receive)


async def _gathered(message: Message, receive: Receive) -> bytes:
    body = bytearray()
    while message["type"] == "http.request":
        body += message["body"]
        if len(body) > BODY_BYTES:
            raise _too_large()
        if not message["more_body"]:
            return bytes(body)
        message = await receive()
    raise ClientGone("The client hung up before its request was whole.")


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"The body is longer than {BODY_BYTES} bytes.", remedy="Send less at once.")
