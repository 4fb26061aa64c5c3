"""Every recorded stream of the real CLI, replayed: its facts are written down in `fixtures/claude/facts`.

`UPDATE_SNAPSHOTS=1 pytest <this file>` writes them anew; read the difference before you commit it.
"""

import os
from pathlib import Path

import msgspec
import pytest

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.facts import LineGarbled, LineUnknown, TurnFinished
from claude_code_mcp.platform.claude.stream import StreamState
from tests.platform.claude.replay import FIXTURES, STREAMS, events, plain, play, told

_BY_NAME = pytest.mark.parametrize("stream", STREAMS, ids=lambda path: path.stem)


@_BY_NAME
def test_a_recorded_stream_gives_the_facts_that_are_written_down(stream: Path) -> None:
    lines = told(stream.read_bytes())
    snapshot = FIXTURES / "facts" / stream.name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text("".join(f"{line}\n" for line in lines))
    assert lines == snapshot.read_text().splitlines()


def test_each_snapshot_has_its_recording() -> None:
    assert {path.name for path in (FIXTURES / "facts").iterdir()} == {path.name for path in STREAMS}


@_BY_NAME
def test_no_line_of_a_recording_is_unknown_or_garbled(stream: Path) -> None:
    strange = [
        event.fact for event in events(stream.read_bytes()) if isinstance(event.fact, (LineUnknown, LineGarbled))
    ]
    assert strange == []


@_BY_NAME
def test_reading_on_from_any_line_gives_the_same_events_under_the_same_keys(stream: Path) -> None:
    data = stream.read_bytes()
    whole = [(step.offset, [plain(event) for event in step.reading.events]) for step in play(data)]
    for step in play(data):
        stored = msgspec.json.decode(msgspec.json.encode(step.before), type=StreamState)
        rest = [
            (step.offset + later.offset, [_moved(event, step.offset) for event in later.reading.events])
            for later in play(data[step.offset :], stored)
        ]
        assert rest == [item for item in whole if item[0] >= step.offset]


def _moved(event: Event, offset: int) -> object:
    value = plain(event)
    run, position, number = value["source_key"].split(":")
    return {**value, "source_key": f"{run}:{int(position) + offset}:{number}"}


@_BY_NAME
def test_costs_of_turns_add_up_to_the_cost_of_the_session(stream: Path) -> None:
    total = 0
    for event in events(stream.read_bytes()):
        if isinstance(event.fact, TurnFinished):
            # After /clear Claude Code counts from zero again.
            total = total + event.fact.cost_microusd if event.fact.local_command != "clear" else 0
            assert event.fact.total_cost_microusd == total


@_BY_NAME
def test_tools_that_started_have_ended_or_are_still_open(stream: Path) -> None:
    data = stream.read_bytes()
    ended = ("tool.finished", "tool.failed", "tool.denied", "tool.abandoned")
    started = {event.tool_use_id for event in events(data) if event.fact.kind == "tool.started"}
    closed = [event.tool_use_id for event in events(data) if event.fact.kind in ended]
    state = list(play(data))[-1].reading.state
    assert len(closed) == len(set(closed))
    assert started == set(closed) | set(state.tools)


@_BY_NAME
def test_the_state_stays_small(stream: Path) -> None:
    assert max(len(msgspec.json.encode(step.reading.state)) for step in play(stream.read_bytes())) < 2_000
