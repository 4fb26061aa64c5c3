"""The recorded transcripts of the real CLI, and what is made of them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.transcript import Origin, TranscriptState, read_entry
from claude_code_mcp.platform.claude.transcript.history import known

FIXTURES = Path(__file__).parents[3] / "fixtures" / "claude"
PROJECTS = FIXTURES / "projects"
FACTS = FIXTURES / "transcript_facts"
NAMES = sorted(path.name for path in PROJECTS.iterdir())
SESSION = "50149376-bd13-4c6e-9303-f3f5d55c6e40"
AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def recorded(name: str) -> Path:
    """Return the main transcript of a recording."""
    (path,) = (PROJECTS / name).glob("*.jsonl")
    return path


def plain(event: Event) -> dict[str, Any]:
    """Return an event as JSON has it, without the id that is new each time."""
    value: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    del value["id"]
    return {"kind": event.fact.kind, **value}


def told(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return events as JSON has them."""
    return [plain(event) for event in events]


def read(*lines: bytes, agent: str = "", state: TranscriptState | None = None) -> list[Event]:
    """Return what some lines of one transcript say."""
    state = state or TranscriptState()
    events: list[Event] = []
    offset = 0
    for line in lines:
        reading = read_entry(state, line, origin=Origin(SESSION, agent), offset=offset, at=AT)
        events += reading.events
        state = known(reading)
        offset += len(line) + 1
    return events


def line(kind: str, **fields: Any) -> bytes:
    """Return a line as Claude Code writes it."""
    return msgspec.json.encode(
        {
            "parentUuid": None,
            "isSidechain": False,
            "type": kind,
            "uuid": "11111111-0000-4000-8000-000000000001",
            "timestamp": "2026-11-20T03:18:07.228Z",
            "sessionId": SESSION,
            **fields,
        }
    )
