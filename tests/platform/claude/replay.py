"""Plays recorded output of the real CLI through the reader, and writes down what comes out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.requests import ControlItem
from claude_code_mcp.platform.claude.stream import Reading, StreamState, end_of_stream, read_line

FIXTURES = Path(__file__).parents[2] / "fixtures" / "claude"
STREAMS = sorted((FIXTURES / "stream").glob("*.jsonl"))
AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
RUN = "run"


@dataclass(frozen=True)
class Step:
    """One line of a recording, where it stood, and what the reader made of it."""

    offset: int
    line: bytes
    before: StreamState
    reading: Reading


def play(data: bytes, state: StreamState | None = None) -> Iterator[Step]:
    """Yield each line of `data` with its reading; the end of the process is not played."""
    state = state or StreamState()
    offset = 0
    for line in data.splitlines(keepends=True):
        reading = read_line(state, line, run_id=RUN, offset=offset, at=AT)
        yield Step(offset, line, state, reading)
        state = reading.state
        offset += len(line)


def told(data: bytes) -> list[str]:
    """Return everything that comes of a recording, its process's end included, one JSON text an item."""
    out: list[str] = []
    state = StreamState()
    for step in play(data):
        out += [_event("event", event) for event in step.reading.events]
        out += [_event("live", event) for event in step.reading.live]
        out += [_item(item) for item in step.reading.control]
        state = step.reading.state
    end = end_of_stream(state, run_id=RUN, offset=len(data), at=AT)
    out += [_event("event", event) for event in end.events]
    return out


def events(data: bytes) -> list[Event]:
    """Return the events of a recording, as they are to be kept."""
    return [event for step in play(data) for event in step.reading.events]


def plain(event: Event) -> dict[str, Any]:
    """Return an event as plain data without its id, which is new each time."""
    value: dict[str, Any] = msgspec.to_builtins(event)
    del value["id"]
    return {"kind": event.fact.kind, **{key: item for key, item in value.items() if item not in (None, "")}}


def _event(word: str, event: Event) -> str:
    return _json({word: plain(event)})


def _item(item: ControlItem) -> str:
    value = msgspec.to_builtins(item)
    response = value.get("response")
    if response and len(_json(response)) > 400:
        # Long answers stand for themselves by their hash; what they hold is Claude Code's business.
        value["response"] = hashlib.sha256(_json(response).encode()).hexdigest()[:16]
    return _json({"control": type(item).__name__, **value})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
