"""Every recorded session folds into the tree that is written down, and was read by a person, in `fixtures/activity`.

`UPDATE_SNAPSHOTS=1 pytest <this file>` writes them anew; read the difference before you commit it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_code_mcp.features.activity.models import ActivityNode
from claude_code_mcp.kernel.clock import parse
from claude_code_mcp.kernel.events import Recorded
from tests.features.activity.mixing import folded
from tests.features.activity.seen import (
    ACTIVITY,
    HOOKS,
    NOW,
    STREAMS,
    TRANSCRIPTS,
    by_session,
    hook_sequence,
    stream,
    transcript_of,
)


def written(sessions: dict[str, list[Recorded]]) -> str:
    """Return trees as text, one node a line."""
    return "\n".join(line for events in sessions.values() for line in _session(events)) + "\n"


def _session(events: list[Recorded]) -> Iterator[str]:
    fold = folded(events)
    fold.close(parse(events[-1].at))
    yield from _node(fold.root(NOW), 0)
    told = fold.summary(NOW)
    counts = told.metrics.model_dump(exclude_defaults=True)
    yield f"= {told.status.value}, {counts}, running {len(told.active_operations)}"


def _node(node: ActivityNode, depth: int) -> Iterator[str]:
    words = [node.type.value, repr(node.name), node.status.value, *_words(node)]
    yield f"{'  ' * depth}{'*' if node.on_critical_path else '-'} {' '.join(words)}"
    for child in node.children:
        yield from _node(child, depth + 1)


def _words(node: ActivityNode) -> Iterator[str]:
    if node.duration_ms is not None:
        yield f"{node.duration_ms}ms (self {node.self_ms})"
    if node.times is not None:
        times = node.times
        yield f"model {times.model_ms} tools {times.tools_ms} person {times.person_ms}"
    if node.tokens is not None:
        yield f"tokens {node.tokens.input_tokens}+{node.tokens.output_tokens}"
    if node.cost_microusd is not None:
        yield f"cost {node.cost_microusd}"
    flags = ("background", "slow")
    yield from (flag for flag in flags if getattr(node, flag))
    fields = ("closed_by", "waiting_for", "description", "input_summary", "output_summary", "error_message")
    yield from (f"{field}={getattr(node, field)!r}" for field in fields if getattr(node, field))


def _compare(name: str, text: str) -> None:
    kept = ACTIVITY / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        kept.write_text(text)
    assert text == kept.read_text()


@pytest.mark.parametrize("name", STREAMS)
def test_a_recorded_stream_folds_into_the_tree_that_is_written_down(name: str) -> None:
    _compare(f"stream-{name}", written(stream(name)))


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_recorded_transcript_folds_into_the_tree_that_is_written_down(name: str, tmp_path: Path) -> None:
    _compare(f"transcript-{name}", written(transcript_of(name, tmp_path)))


def test_a_recorded_sequence_of_hooks_folds_into_the_tree_that_is_written_down() -> None:
    _compare("hooks-full-session", written(by_session(hook_sequence(HOOKS))))


def test_each_written_tree_has_its_recording() -> None:
    names = {f"stream-{name}" for name in STREAMS} | {f"transcript-{name}" for name in TRANSCRIPTS}
    assert {path.stem for path in ACTIVITY.glob("*.txt")} == {*names, "hooks-full-session"}
