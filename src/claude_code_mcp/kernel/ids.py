"""Names for the ids, and the one way to make a new one: UUIDv7, unique across machines and sorted by time."""

import os
import re
import time
from typing import NewType

from claude_code_mcp.kernel.errors import Invalid

SessionId = NewType("SessionId", str)
"""Claude Code's own UUID of one conversation."""
RunId = NewType("RunId", str)
MessageId = NewType("MessageId", str)
ApprovalId = NewType("ApprovalId", str)
EventId = NewType("EventId", str)
JobId = NewType("JobId", str)
CheckpointId = NewType("CheckpointId", str)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def uuid7() -> str:
    """Return a new UUIDv7 as text (RFC 9562 section 5.7: 48 bits of unix milliseconds, the rest random)."""
    value = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    value[6] = 0x70 | (value[6] & 0x0F)
    value[8] = 0x80 | (value[8] & 0x3F)
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID in the lower-case form that Claude Code writes."""
    return _UUID.match(text) is not None


def session_id(text: str) -> SessionId:
    """Return `text` as a session id.

    Raises:
        Invalid: it is not a UUID, so it can neither be a session nor reach a command line or a path.
    """
    lowered = text.strip().lower()
    if not is_uuid(lowered):
        raise Invalid(
            f"{text[:60]!r} is not a session id.",
            remedy="A session id is a UUID; `sessions list` shows them.",
        )
    return SessionId(lowered)
