"""Every recorded transcript of the real CLI, read: its facts are written down in `fixtures/claude/transcript_facts`.

`UPDATE_SNAPSHOTS=1 pytest <this file>` writes them anew; read the difference before you commit it.
"""

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.facts import (
    ModelAnswered,
    PromptTaken,
    SubagentFinished,
    SubagentStarted,
    ToolDenied,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnStopped,
)
from claude_code_mcp.platform.claude.transcript import Origin, Tally, TranscriptState, events_of, locate, read_entry
from claude_code_mcp.platform.claude.transcript.history import known
from tests.platform.claude.transcript.files import AT, FACTS, NAMES, recorded, told

_BY_NAME = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of transcripts, as Claude Code has them."""
    return tmp_path / "config" / "projects" / "-home-dev-code-proj"


def _laid_out(name: str, place: Path) -> Path:
    shutil.copytree(recorded(name).parent, place)
    return place / recorded(name).name


@_BY_NAME
def test_a_recorded_transcript_gives_the_facts_that_are_written_down(name: str, place: Path) -> None:
    found = [msgspec.json.encode(one).decode() for one in told(events_of(_laid_out(name, place)))]
    snapshot = FACTS / f"{name}.jsonl"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text("".join(f"{line}\n" for line in found))
    assert found == snapshot.read_text().splitlines()


def test_each_written_down_transcript_has_its_recording() -> None:
    assert sorted(path.stem for path in FACTS.iterdir()) == NAMES


@_BY_NAME
def test_each_event_of_a_transcript_has_a_key_of_its_own(name: str, place: Path) -> None:
    keys = [event.source_key for event in events_of(_laid_out(name, place))]
    assert None not in keys
    assert len(set(keys)) == len(keys)


@_BY_NAME
def test_a_renamed_folder_and_a_copied_file_give_the_same_keys(name: str, place: Path, tmp_path: Path) -> None:
    here = [event.source_key for event in events_of(_laid_out(name, place))]
    there = [event.source_key for event in events_of(_laid_out(name, tmp_path / "other" / "projects" / "-elsewhere"))]
    assert here == there


@_BY_NAME
def test_reading_on_from_any_line_gives_the_same_events_under_the_same_keys(name: str) -> None:
    path = recorded(name)
    origin = Origin(path.stem)
    state, offset, steps = TranscriptState(), 0, []
    lines = path.read_bytes().splitlines(keepends=True)
    for line in lines:
        reading = read_entry(state, line, origin=origin, offset=offset, at=AT)
        steps.append((state, offset, told(reading.events)))
        state, offset = known(reading), offset + len(line)
    for number, (before, start, _) in enumerate(steps):
        stored = msgspec.json.decode(msgspec.json.encode(before), type=TranscriptState)
        again = read_entry(stored, lines[number], origin=origin, offset=start, at=AT)
        assert told(again.events) == steps[number][2]


@_BY_NAME
def test_each_answer_of_the_model_is_counted_once_and_every_call_that_began_is_answered(name: str, place: Path) -> None:
    facts = [event.fact for event in events_of(_laid_out(name, place))]
    answers = [fact.message_id for fact in facts if isinstance(fact, ModelAnswered)]
    assert len(set(answers)) == len(answers)
    begun = sum(isinstance(fact, ToolStarted) for fact in facts)
    assert begun == sum(isinstance(fact, (ToolFinished, ToolFailed, ToolDenied)) for fact in facts)


@_BY_NAME
def test_the_tally_agrees_with_the_facts(name: str, place: Path) -> None:
    path = _laid_out(name, place)
    tally = Tally()
    tally.take(path.read_bytes().split(b"\n"))
    facts = [event.fact for event in events_of(path) if event.agent_id is None]
    asked = [fact for fact in facts if isinstance(fact, PromptTaken) and fact.origin in ("", "command")]
    # A message that the running turn took in stands in no line of its own.
    asked = [fact for fact in asked if fact.cwd]
    assert tally.tool_calls == sum(isinstance(fact, ToolStarted) for fact in facts)
    assert tally.prompts == len(asked)


def _main(name: str, place: Path) -> list[Event]:
    return [event for event in events_of(_laid_out(name, place)) if event.agent_id is None]


def test_a_message_that_a_running_turn_takes_in_begins_no_turn(place: Path) -> None:
    taken = [event.fact for event in _main("multi-turn-replay-queue", place) if isinstance(event.fact, PromptTaken)]
    assert [(fact.text, fact.absorbed) for fact in taken] == [
        ("one [s:hi]", False),
        ("two [s:sleep5]", False),
        ("three queued [s:hi]", True),
        ("four queued [s:hi]", True),
    ]
    assert taken[2].message_uuid == "33333333-3333-4333-8333-333333333333"
    assert len({fact.prompt_id for fact in taken[1:]}) == 1


def test_an_interruption_ends_the_turn_and_its_call(place: Path) -> None:
    events = _main("interrupt-mid-tool-with-queued", place)
    (failed,) = [event.fact for event in events if isinstance(event.fact, ToolFailed)]
    stops = [event.fact for event in events if isinstance(event.fact, TurnStopped)]
    assert failed.interrupted
    assert [stop.interrupted for stop in stops] == [True, False]


def test_a_subagent_stands_under_the_call_that_launched_it(place: Path) -> None:
    events = list(events_of(_laid_out("subagent-agent-fg", place)))
    (call,) = [e.tool_use_id for e in events if isinstance(e.fact, ToolStarted) and e.fact.name == "Agent"]
    (inner,) = [e for e in events if isinstance(e.fact, ToolStarted) and e.fact.name == "Bash"]
    assert (inner.agent_id, inner.parent) == ("aad631ab7e3450473", call)
    (begun,) = [e for e in events if isinstance(e.fact, SubagentStarted)]
    ended = [e for e in events if isinstance(e.fact, SubagentFinished)]
    assert (begun.tool_use_id, begun.agent_id) == (call, "aad631ab7e3450473")
    assert {(e.tool_use_id, e.fact.status) for e in ended if isinstance(e.fact, SubagentFinished)} == {
        (call, "completed")
    }


def test_who_a_file_belongs_to_is_told_by_its_path_alone(tmp_path: Path) -> None:
    session = "50149376-bd13-4c6e-9303-f3f5d55c6e40"
    folder = tmp_path / "projects" / "-x"
    main = locate(folder / f"{session}.jsonl")
    assert main is not None
    assert (main.session_id, main.agent_id) == (session, "")
    agent = locate(folder / session / "subagents" / "agent-a1b2.meta.json")
    assert agent is not None
    assert (agent.session_id, agent.agent_id, agent.path.name) == (session, "a1b2", "agent-a1b2.jsonl")
    for name in ("notes.jsonl", f"{session}.json", f"x/{session}.jsonl"):
        assert locate(folder / name) is None


def test_what_a_person_types_in_a_terminal_is_a_persons(place: Path) -> None:
    taken = [event.fact for event in _main("terminal-question-escaped", place) if isinstance(event.fact, PromptTaken)]
    assert [(fact.text, fact.origin) for fact in taken] == [("go [s:touch]", ""), ("again [s:hi]", "")]
