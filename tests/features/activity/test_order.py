"""One tree, whatever the order between sources, whatever is told twice, wherever the list was cut."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.kernel.events import Recorded
from tests.features.activity.generated import SESSION, sessions
from tests.features.activity.mixing import differences, folded, lanes_of, mixed, tree
from tests.features.activity.seen import HOOKS, STREAMS, TRANSCRIPTS, by_session, hook_sequence, stream, transcript_of

BOTH = sorted(set(STREAMS) & set(TRANSCRIPTS))
_QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", BOTH)
@_QUICK
@given(data=st.data())
def test_a_run_seen_by_stream_and_transcript_folds_into_one_tree_in_any_order(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    seen, written = stream(name), transcript_of(name, tmp_path)
    for session in seen.keys() & written.keys():
        lanes = lanes_of([*seen[session], *written[session]])
        assert not differences(
            tree(folded(data.draw(mixed(lanes)))), tree(folded(event for lane in lanes for event in lane))
        )


@_QUICK
@given(data=st.data())
def test_a_sequence_of_hooks_told_twice_folds_into_the_same_tree(data: st.DataObject) -> None:
    for events in by_session(hook_sequence(HOOKS)).values():
        assert not differences(tree(folded(data.draw(mixed([events])))), tree(folded(events)))


@settings(max_examples=120, deadline=None)
@given(lanes=sessions(), data=st.data())
def test_a_made_up_session_folds_into_one_tree_in_any_order(lanes: list[list[Recorded]], data: st.DataObject) -> None:
    plain = [event for lane in lanes for event in lane]
    assert not differences(tree(folded(data.draw(mixed(lanes)))), tree(folded(plain)))


@settings(max_examples=60, deadline=None)
@given(lanes=sessions(), data=st.data())
def test_looking_on_the_way_changes_nothing(lanes: list[list[Recorded]], data: st.DataObject) -> None:
    events = data.draw(mixed(lanes))
    live = SessionFold(SESSION)
    for event in events:
        mark = live.mark
        live.add(event)
        tree(live)
        for node_id in live.changed_since(mark):
            live.path(node_id)
    assert not differences(tree(live), tree(folded(events)))


@settings(max_examples=60, deadline=None)
@given(lanes=sessions(), data=st.data())
def test_a_cut_list_goes_on_where_it_was_cut(lanes: list[list[Recorded]], data: st.DataObject) -> None:
    events = data.draw(mixed(lanes))
    cut = data.draw(st.integers(0, len(events)))
    fold = SessionFold(SESSION)
    fold.extend(events[:cut])
    fold.extend(events[max(0, cut - 5) :])  # what was told already is told again
    assert not differences(tree(fold), tree(folded(events)))
