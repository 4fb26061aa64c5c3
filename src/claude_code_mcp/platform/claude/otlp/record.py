"""One log record, span or data point being told: its attributes at hand, and the events so far."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, text_of, word_of

MOST_ATTRIBUTES = 200
_SPAN = re.compile(r"[0-9a-fA-F]{16}\Z")
_TRACE = re.compile(r"[0-9a-fA-F]{32}\Z")
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Record:
    """What one record says. `obj` is the record as sent, `attrs` its attributes as plain values.

    `session_id` is None where it names none that could be one. `version`: of the Claude Code that sent it. `stem`
    begins the keys of its events; `at` is when it came.
    """

    signal: str
    obj: dict[str, Any]
    attrs: dict[str, Any]
    session_id: SessionId | None
    version: str
    at: datetime
    stem: str = ""
    events: list[Event] = field(default_factory=list)

    @property
    def agent_id(self) -> str | None:
        """The subagent that it is about; None for the main thread."""
        return word_of(self.attrs, "agent_id") or None

    @property
    def span(self) -> str:
        """The span that it is, or belongs to; "" where there is none."""
        return self._span("spanId")

    @property
    def parent_span(self) -> str:
        """The span around it; "" where there is none."""
        return self._span("parentSpanId")

    def emit(
        self, fact: Fact, subject: str, key: str, *, at: datetime, call: str | None = None, agent: str | None = None
    ) -> None:
        """Add `fact` about `subject`; `key` tells it from the other events of this record.

        The agent is that of the record unless given, "" for the main thread.
        """
        event = Event(
            fact=fact,
            at=at,
            session_id=self.session_id,
            subject=subject,
            tool_use_id=call,
            agent_id=self.agent_id if agent is None else agent or None,
            source=Source.OTLP,
            source_key=f"otlp:{self.stem}:{key}",
        )
        self.events.append(event)

    def time(self, name: str) -> datetime:
        """Return a time of the record (nanoseconds since 1970), that of its arrival where it has none."""
        value = self.obj.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 21:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
            return self.at
        moment = _EPOCH + timedelta(microseconds=value // 1000)
        return moment if _EARLIEST <= moment < _LATEST else self.at

    def number(self, name: str) -> int | None:
        """Return an attribute as a whole number, also where it was sent as text; None where it is none."""
        return number_in(self.attrs.get(name))

    def yes(self, name: str) -> bool | None:
        """Return an attribute as true or false, also where it was sent as text; None where it is neither."""
        value = self.attrs.get(name)
        return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value))

    def _span(self, name: str) -> str:
        span, trace = text_of(self.obj, name), text_of(self.obj, "traceId")
        return f"{trace}:{span}".lower() if _SPAN.match(span) and _TRACE.match(trace) else ""


def number_in(value: object) -> int | None:
    """Return a value as a whole number that fits 63 bits; None where it is none."""
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, float) and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        return None
    return value


def attributes(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain attributes of a record or resource; lists and maps among them are left out."""
    found: dict[str, Any] = {}
    for item in dicts_of(obj, "attributes")[:MOST_ATTRIBUTES]:
        value = dict_of(item, "value")
        key = text_of(item, "key")
        for kind in ("stringValue", "intValue", "doubleValue", "boolValue"):
            if kind in value:
                plain = value[kind]
                found[key] = number_in(plain) if kind == "intValue" else plain
    return found


def session_of(attrs: Mapping[str, Any]) -> SessionId | None:
    """Return the session that a record names, None where it names none that could be one."""
    text = text_of(attrs, "session.id").lower()
    return SessionId(text) if is_uuid(text) else None
