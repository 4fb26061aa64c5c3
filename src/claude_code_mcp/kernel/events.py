"""A fact: what happened, to what, under which parent. Appended once, never edited."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from claude_code_mcp.kernel.ids import SessionId, uuid7


class Source(StrEnum):
    """Where a fact was seen."""

    DAEMON = "daemon"
    STREAM = "stream"
    TRANSCRIPT = "transcript"
    HOOK = "hook"
    OTLP = "otlp"


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one kind of event says. Subclasses are named in the past tense, in a feature's `events`."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact with its place: when, in which session, about what, under what, seen by whom.

    `source_key` names the bytes that the fact was read from (run + offset, transcript + offset, hook id); the
    log holds each key once, so taking the same input twice adds nothing.
    """

    fact: Fact
    at: datetime
    session_id: SessionId | None = None
    subject: str = ""
    parent: str | None = None
    tool_use_id: str | None = None
    agent_id: str | None = None
    source: Source = Source.DAEMON
    source_key: str | None = None
    id: str = msgspec.field(default_factory=uuid7)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the log gives it back; `seq` is dense and grows by one in the order of the commits."""

    seq: int
    id: str
    at: str
    kind: str
    version: int
    session_id: SessionId | None
    subject: str
    parent: str | None
    tool_use_id: str | None
    agent_id: str | None
    source: str
    source_key: str | None
    payload: dict[str, Any]
