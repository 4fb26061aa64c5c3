"""JSON-RPC 2.0 messages as lines: decoding what a client sends, encoding what we answer.

An answer always begins `{"jsonrpc":"2.0","id":…,"result"` (or `"error"`), the id as `json.dumps` writes it: the
relay recognises answers by these bytes.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData

RequestId = int | str
_LONGEST_ID = 512
_LARGEST_ID = 2**63
_encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct):
    """A message as it came: a request has `method` and `id`, a notification no `id`, a response no `method`."""

    jsonrpc: str
    method: str | None = None
    id: int | str | msgspec.UnsetType | None = msgspec.UNSET
    params: dict[str, Any] | None = None
    result: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(Message).decode


class Refused(Exception):
    """A line is no message; `request_id` is the id to answer under, None where there is none to trust."""

    def __init__(self, code: int, reason: str, request_id: RequestId | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.request_id = request_id


def decode(line: bytes) -> Message:
    """Return the message in `line`.

    Raises:
        Refused: it is no JSON, or no JSON-RPC 2.0 message as MCP allows them.
    """
    try:
        message = _decode(line)
    except msgspec.ValidationError as exc:
        raise _diagnosed(line, str(exc)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise Refused(PARSE_ERROR, f"Parse error: {exc}") from None
    if message.jsonrpc != "2.0":
        raise Refused(INVALID_REQUEST, 'Invalid request: jsonrpc must be "2.0"')
    if message.method is not None and message.id is not msgspec.UNSET and not usable_id(message.id):
        raise Refused(INVALID_REQUEST, f"Invalid request: an id is an integer or a string up to {_LONGEST_ID} long")
    return message


def usable_id(value: object) -> bool:
    """Tell whether `value` can be the id of a request."""
    if isinstance(value, str):
        return len(value) <= _LONGEST_ID
    return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST_ID <= value < _LARGEST_ID


def _diagnosed(line: bytes, reason: str) -> Refused:
    """Say why well-formed JSON is no message, under its id where it has one."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return Refused(PARSE_ERROR, f"Parse error: {reason}")
    if isinstance(value, list):
        return Refused(INVALID_REQUEST, "Invalid request: batches are not part of this protocol")
    # Only a request has an id of the client's; that of a response is one of ours.
    request_id = value.get("id") if isinstance(value, dict) and "method" in value else None
    return Refused(
        INVALID_REQUEST,
        f"Invalid request: {reason}",
        request_id if isinstance(request_id, int | str) and usable_id(request_id) else None,
    )


def answer(request_id: RequestId, result: Mapping[str, Any] | msgspec.Raw) -> bytes:
    """Return the line that answers a request."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}\n' % (_id(request_id), encode(result))


def refusal(request_id: RequestId | None, error: ErrorData) -> bytes:
    """Return the line that answers with an error."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}\n' % (_id(request_id), encode(body))


def notification(method: str, params: Mapping[str, Any] | None) -> bytes:
    """Return the line of a notification."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        body["params"] = params
    return encode(body) + b"\n"


def request(request_id: int, method: str, params: Mapping[str, Any] | None) -> bytes:
    """Return the line of a request of ours to the client."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id, "method": method}
    if params is not None:
        body["params"] = params
    return encode(body) + b"\n"


def encode(value: object) -> bytes:
    """Return `value` as JSON; half characters, which UTF-8 cannot carry, become question marks."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _id(request_id: RequestId | None) -> bytes:
    return b"%d" % request_id if isinstance(request_id, int) else json.dumps(request_id).encode()
