"""The same run seen by stream and by transcript is one tree, up to what a source cannot see; that is written here."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from claude_code_mcp.features.activity.models import ActivityNode, NodeType
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.kernel.clock import parse
from claude_code_mcp.kernel.events import Recorded
from tests.features.activity.mixing import folded
from tests.features.activity.seen import NOW, STREAMS, TRANSCRIPTS, stream, transcript_of

BOTH = sorted(set(STREAMS) & set(TRANSCRIPTS))
UNSEEN_IN_TRANSCRIPTS = frozenset((NodeType.APPROVAL, NodeType.NOTICE))
"""A transcript has no line for a question that was asked, and other remarks than the stream."""
NO_TURNS_IN_STREAM: Mapping[str, str] = {
    "compact-boundary": "Local commands: the stream opens a turn for each, the transcript only where a prompt is kept.",
    "control-requests": "A change of the model is a command line in the transcript, a control request in the stream.",
}
"""Recordings whose turns are cut differently, and why; everything below the turns agrees."""
ENDS_UNSEEN_IN_TRANSCRIPTS = frozenset(("error-max-turns",))
"""How a turn ended that broke a limit stands only in the result line."""

Skeleton = tuple[str, str, str, tuple["Skeleton", ...]]


def skeleton(node: ActivityNode) -> Skeleton:
    """Return type, name and status of a node and of what is in it."""
    children = sorted(skeleton(child) for child in node.children if child.type not in UNSEEN_IN_TRANSCRIPTS)
    turn = node.type in (NodeType.TASK, NodeType.SESSION)
    return node.type.value, "" if turn else node.name, node.status.value, tuple(children)


def below_turns(node: ActivityNode) -> list[Skeleton]:
    """Return what is in the turns of a session."""
    turns = (skeleton(turn) for turn in node.children)
    return sorted(child for turn in turns for child in turn[3])


def root(events: list[Recorded]) -> ActivityNode:
    """Return the tree of events whose process has ended."""
    fold: SessionFold = folded(events)
    fold.close(parse(max(event.at for event in events)))
    return fold.root(NOW)


@pytest.mark.parametrize("name", BOTH)
def test_stream_and_transcript_of_a_run_agree(name: str, tmp_path: Path) -> None:
    streamed, written = stream(name), transcript_of(name, tmp_path)
    shared = streamed.keys() & written.keys()
    assert shared
    for session in shared:
        one, other = root(streamed[session]), root(written[session])
        both = root([*streamed[session], *written[session]])
        assert below_turns(one) == below_turns(other) == below_turns(both)
        if name not in NO_TURNS_IN_STREAM:
            assert len(one.children) == len(other.children) == len(both.children)
            assert [turn.name for turn in both.children] == [turn.name for turn in other.children]
        if name not in NO_TURNS_IN_STREAM and name not in ENDS_UNSEEN_IN_TRANSCRIPTS:
            assert skeleton(one) == skeleton(other) == skeleton(both)


@pytest.mark.parametrize("name", sorted(set(BOTH) - set(NO_TURNS_IN_STREAM)))
def test_tokens_of_a_run_are_the_same_from_both_sources(name: str, tmp_path: Path) -> None:
    streamed, written = stream(name), transcript_of(name, tmp_path)
    for session in streamed.keys() & written.keys():
        assert root(streamed[session]).tokens == root(written[session]).tokens
        assert root(streamed[session]).cost_microusd == root(written[session]).cost_microusd


@pytest.mark.parametrize("name", BOTH)
def test_a_node_that_both_saw_says_so_and_takes_the_time_that_the_stream_tells(name: str, tmp_path: Path) -> None:
    streamed, written = stream(name), transcript_of(name, tmp_path)
    for session in streamed.keys() & written.keys():
        fold = folded([*written[session], *streamed[session]])
        alone = folded(streamed[session])
        for event in streamed[session]:
            if event.kind != "tool.finished" or not event.tool_use_id:
                continue
            node, seen = fold.node(event.tool_use_id, NOW), alone.node(event.tool_use_id, NOW)
            assert node is not None
            assert seen is not None
            assert node.sources[:2] == ["stream", "transcript"]
            assert (node.started_at, node.ended_at) == (seen.started_at, seen.ended_at) or node.background
