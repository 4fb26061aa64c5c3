"""Retention, the timeline and paths: pure decisions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.checkpoints.models import Checkpoint, Keep, Trigger
from claude_code_mcp.features.checkpoints.rules.keeping import expired, oldest_first
from claude_code_mcp.features.checkpoints.rules.paths import below, named, overlap, shown, within
from claude_code_mcp.features.checkpoints.rules.timeline import grown
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.ids import CheckpointId

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def one(number: int, **more: object) -> Checkpoint:
    """Return a checkpoint; numbers are hours since the first of the month, and ids sort by them."""
    values = {
        "project": "/p", "manifest": "00" * 32, "trigger": Trigger.SMART,
        "created_at": stamp(BEGAN + timedelta(hours=number)), **more,
    }  # fmt: skip
    return Checkpoint(id=CheckpointId(f"{number:04}"), **values)  # type: ignore[arg-type]  # a table of any fields


def test_the_last_and_the_newest_of_each_hour_and_day_stay() -> None:
    found = [one(number) for number in range(72)]
    gone = expired(found, Keep(last=3, hourly=5, daily=3), ())
    stayed = sorted({each.id for each in found} - set(gone))
    assert stayed == ["0023", "0047", "0067", "0068", "0069", "0070", "0071"]
    assert gone == sorted(gone)


@given(
    st.lists(st.tuples(st.sampled_from(list(Trigger)), st.booleans(), st.booleans(), st.booleans()), max_size=40),
    st.builds(Keep, last=st.integers(0, 5), hourly=st.integers(0, 5), daily=st.integers(0, 5)),
)
def test_what_somebody_wants_is_never_forgotten(wishes: list[tuple[Trigger, bool, bool, bool]], keep: Keep) -> None:
    found = [
        one(number, trigger=trigger, pinned=pinned, label="x" if labelled else None)
        for number, (trigger, pinned, labelled, _) in enumerate(wishes)
    ]
    held = {each.id for each, (_, _, _, needed) in zip(found, wishes, strict=True) if needed}
    gone = set(expired(found, keep, held)) | set(oldest_first(found, held))
    for each in found:
        if each.id in gone:
            assert each.trigger not in {Trigger.MANUAL, Trigger.FORK, Trigger.IMPORT}
            assert not each.pinned
            assert each.label is None
            assert each.id not in held
    assert len(set(expired(found, keep, held))) <= max(0, len(found) - min(keep.last, len(oldest_first(found, held))))


@given(st.lists(st.integers(0, 100), max_size=40))
def test_the_timeline_has_each_checkpoint_once_after_the_one_that_it_came_from(parents: list[int]) -> None:
    found = [
        one(number, parent=CheckpointId(f"{parent % number:04}") if number and parent % 5 else None)
        for number, parent in enumerate(parents)
    ]
    twigs = list(grown(found))
    order = [twig.checkpoint.id for twig in twigs]
    assert sorted(order) == [each.id for each in found]
    for each in found:
        if each.parent is not None:
            assert order.index(each.parent) < order.index(each.id)
    if twigs:
        assert twigs[-1].depth == 0
        assert order[-1] == found[-1].id


@given(st.binary(min_size=1, max_size=30).filter(lambda path: not {0, 0x2F, 0x5C} & set(path)))
def test_any_name_is_shown_and_named_again(name: bytes) -> None:
    if name not in {b".", b".."}:
        assert named(shown(name), Path("/p")) == name


def test_paths_are_of_the_project_or_refused() -> None:
    root = Path("/p/q")
    assert named("/p/q/a/b", root) == b"a/b"
    assert named("./a//b/../c", root) == b"a/c"
    assert named("/p/q", root) == b""
    for bad in ("..", "../q2", "/p/q2/x", "a/../../x", "a\0"):
        with pytest.raises(ValueError, match="it "):
            named(bad, root)
    assert below(b"a/b", [b"a"])
    assert not below(b"ab", [b"a"])
    assert below(b"x", [])
    assert overlap("/p/q", "/p/q/r")
    assert overlap("/p/q/r", "/p/q")
    assert not overlap("/p/q", "/p/qr")


_PATHS = st.lists(st.text("a-0/", min_size=0, max_size=5).map(str.encode), max_size=12)


@given(_PATHS, _PATHS)
def test_the_paths_within_others_are_those_that_are_below_them(paths: list[bytes], wanted: list[bytes]) -> None:
    assert within(sorted(paths), wanted) == {path for path in paths if below(path, wanted)}
