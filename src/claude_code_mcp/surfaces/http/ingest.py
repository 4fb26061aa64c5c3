"""Where others send what they see: `POST /hooks` and OTLP (`POST /v1/logs`, `/v1/traces`, `/v1/metrics`)."""

import zlib

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.surfaces.http.errors import BadBody, BodyTooLarge, WrongContent, WrongMethod
from claude_code_mcp.surfaces.http.parts import Parts, Rejected
from claude_code_mcp.surfaces.http.wire import (
    BODY_BYTES,
    Heads,
    Receive,
    Scope,
    Send,
    answer,
    answer_nothing,
    as_json,
    need_json,
    whole_body,
)

HOOKS = "/hooks"
SIGNALS = {"/v1/logs": "logs", "/v1/traces": "traces", "/v1/metrics": "metrics"}
_REJECTED = {"logs": "rejectedLogRecords", "traces": "rejectedSpans", "metrics": "rejectedDataPoints"}
_GZIP = 16 + zlib.MAX_WBITS
_INVALID_ARGUMENT = 3  # google.rpc.Code: OTLP answers failures with a google.rpc.Status


class Ingest:
    """Takes in, queues, and answers at once."""

    def __init__(self, parts: Parts) -> None:
        self._hook = parts.hook
        self._telemetry = parts.telemetry

    async def hook(self, scope: Scope, heads: Heads, receive: Receive, send: Send) -> None:
        """Take what a hook sends. The answer is empty: a hook of ours decides nothing.

        Raises:
            WrongMethod, WrongContent, BodyTooLarge, ClientGone: it was not taken.
        """
        _need_post(scope)
        need_json(heads)
        await self._hook.soon(await whole_body(heads, receive))
        await answer_nothing(send)

    async def telemetry(self, signal: str, heads: Heads, receive: Receive, send: Send) -> None:
        """Take one batch of OTLP/HTTP with JSON, as the OpenTelemetry protocol 1.x answers it.

        Raises:
            WrongMethod, WrongContent, BodyTooLarge, ClientGone: it was not taken.
        """
        _need_otlp_json(heads)
        body = _unpacked(heads.get(b"content-encoding", b""), await whole_body(heads, receive))
        try:
            rejected = await self._telemetry(signal, body)
        except ClaudeCodeMcpError as exc:
            await answer(send, 400, as_json({"code": _INVALID_ARGUMENT, "message": exc.message}))
            return
        await answer(send, 200, as_json(_partial(signal, rejected)))


def _need_post(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise WrongMethod(f"{scope['path']} only takes something in.", remedy="Use POST.")


def telemetry_signal(scope: Scope) -> str | None:
    """Return which signal of OTLP a request brings; None where it is for another route.

    Raises:
        WrongMethod: it asks, and does not bring.
    """
    signal = SIGNALS.get(scope["path"])
    if signal is not None:
        _need_post(scope)
    return signal


def _need_otlp_json(heads: Heads) -> None:
    if heads.get(b"content-type", b"").startswith(b"application/x-protobuf"):
        raise WrongContent(
            "OTLP with protobuf is not taken, only OTLP with JSON.", remedy="Set OTEL_EXPORTER_OTLP_PROTOCOL=http/json."
        )
    need_json(heads)


def _unpacked(coding: bytes, body: bytes) -> bytes:
    """Return the body without its packing; one that grows beyond all bounds is stopped on the way."""
    word = coding.strip().lower()
    if word in (b"", b"identity"):
        return body
    if word != b"gzip":
        raise WrongContent(f"The coding {word.decode('latin-1')[:40]!r} is not known.", remedy="Use gzip, or none.")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        data = unpacker.decompress(body, BODY_BYTES + 1)
    except zlib.error as exc:
        raise BadBody(f"The body is no gzip: {exc}.") from None
    if len(data) > BODY_BYTES:
        raise BodyTooLarge(f"The body is longer than {BODY_BYTES} bytes when unpacked.", remedy="Send less at once.")
    if not unpacker.eof:
        raise BadBody("The packed body breaks off.")
    return data


def _partial(signal: str, rejected: Rejected) -> dict[str, object]:
    if not rejected.count:
        return {}
    return {"partialSuccess": {_REJECTED[signal]: str(rejected.count), "errorMessage": rejected.why}}
