"""The bytes of one hook to its fields, whatever the bytes are, and what the same hook is recognised by."""

import hashlib
from typing import Any

import msgspec

from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.claude.fields import id_of, word_of
from claude_code_mcp.platform.claude.redaction import PLAIN, Scrubber
from claude_code_mcp.platform.claude.stream.decode import decode

LIMIT_BYTES = 16 * 1024 * 1024
"""The longest payload that is read; a tool's whole input and output may be in it."""
_OF_A_CALL = frozenset(("PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionDenied"))
"""Events that happen at most once to a tool call, and name it."""
_STRICT = msgspec.json.Decoder(dict[str, Any])
_CANONICAL = msgspec.json.Encoder(order="sorted")


class Process(msgspec.Struct, frozen=True):
    """What a command hook knows of the Claude Code that ran it: its `pid`, 0 where not told."""

    pid: int = 0


class Payload(msgspec.Struct, frozen=True):
    """One hook, read.

    `event`: its name, "" where the bytes are no hook. `obj`: its fields, without secrets. `session_id`: None where none
    is named. `identity`: what names this event for ever, "" where the same may happen again. `digest`: what an equal
    payload is recognised by. `garbage`: the bytes that could not be read, as text; `size_bytes`: how long it was.
    """

    event: str
    obj: dict[str, Any]
    session_id: SessionId | None
    identity: str
    digest: str
    garbage: str = ""
    size_bytes: int = 0


def read_payload(body: bytes, scrubber: Scrubber = PLAIN, *, clean: bool = False) -> Payload:
    """Return what `body` says, with the secrets that `scrubber` knows taken out; never raises.

    `clean`: it is known that there are none.
    """
    if len(body) > LIMIT_BYTES:
        return _unread(body, body[:8192].decode("utf-8", "backslashreplace"), scrubber)
    try:
        obj, garbage = _STRICT.decode(body), ""
    except (ValueError, RecursionError):
        found = decode(body)
        obj, garbage = (found.objects[0] if len(found.objects) == 1 else {}), found.garbage
    if not obj:
        return _unread(body, garbage or body[:8192].decode("utf-8", "backslashreplace"), scrubber)
    if not clean and scrubber.hits(body):
        obj = scrubber.value(obj)
    event = word_of(obj, "hook_event_name")
    session = word_of(obj, "session_id")
    session_id = SessionId(session) if is_uuid(session) else None
    call = id_of(obj, "tool_use_id") if event in _OF_A_CALL and session_id else None
    if call is not None:
        return Payload(event, obj, session_id, f"{session}:{event}:{call}", "", size_bytes=len(body))
    return Payload(event, obj, session_id, "", _digest(obj), size_bytes=len(body))


def input_digest(name: str, arguments: Any) -> str:
    """Return what a call of tool `name` with these arguments is recognised by: equal calls have equal digests."""
    return _digest([name, arguments])


def _digest(value: Any) -> str:
    try:
        text = _CANONICAL.encode(value)
    except (ValueError, TypeError, RecursionError, UnicodeError):
        text = repr(type(value)).encode()
    return hashlib.blake2b(text, digest_size=12).hexdigest()


def _unread(body: bytes, garbage: str, scrubber: Scrubber) -> Payload:
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    return Payload("", {}, None, "", digest, garbage=scrubber.text(garbage), size_bytes=len(body))
