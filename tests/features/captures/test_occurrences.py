"""The same hook has one name by all its ways, and equal ones that are not the same have names of their own."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.captures.rules.occurrences import Occurrences, Way

AT = datetime(2026, 11, 20, 4, tzinfo=UTC)


def after(ms: float) -> datetime:
    return AT + timedelta(milliseconds=ms)


def test_what_comes_by_both_ways_is_the_same() -> None:
    known = Occurrences()
    assert known.name("d", Way.HTTP, after(0)) == known.name("d", Way.SPOOL, after(900))
    assert known.name("d", Way.SPOOL, after(60_000)) == known.name("d", Way.HTTP, after(59_000))


def test_equal_hooks_by_one_way_are_two_things_even_at_the_same_instant() -> None:
    known = Occurrences()
    assert len({known.name("d", Way.HTTP, after(0)) for _ in range(3)}) == 3


def test_what_claude_code_repeats_is_one_thing_until_it_happens_again_later() -> None:
    known = Occurrences()
    first = known.name("d", Way.HTTP, after(0), repeats_itself=True)
    assert known.name("d", Way.HTTP, after(5), repeats_itself=True) == first
    assert known.name("d", Way.HTTP, after(60_000), repeats_itself=True) != first


def test_a_record_of_the_spool_keeps_its_name_however_often_it_is_read() -> None:
    known = Occurrences()
    posted = known.name("d", Way.HTTP, after(0))
    names = [known.name("d", Way.SPOOL, after(ms)) for ms in (100, 200, 100, 200, 100)]
    assert names[0] == posted
    assert names == [names[0], names[1], names[0], names[1], names[0]]
    assert names[0] != names[1]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(Way), st.integers(0, 20_000)), max_size=12, unique=True)
)
def test_after_a_restart_the_spool_is_read_again_without_anything_new(told: list[tuple[str, Way, int]]) -> None:
    before, again = Occurrences(), Occurrences()
    names = [before.name(digest, way, after(ms)) for digest, way, ms in told]
    again.recall(dict.fromkeys(names))
    left = [(digest, ms) for digest, way, ms in told if way is Way.SPOOL]
    assert {again.name(digest, Way.SPOOL, after(ms)) for digest, ms in left} <= set(names)


def test_names_that_are_none_are_passed_over() -> None:
    known = Occurrences()
    known.recall(["", "x", "h12", "q1:d", f"h{'9' * 40}:d", "h1²:d", "session:PreToolUse:toolu_1"])
    assert known.name("d", Way.HTTP, AT).endswith(":d")


def test_a_flood_of_different_hooks_is_forgotten_in_time() -> None:
    known = Occurrences()
    first = known.name("first", Way.HTTP, AT)
    for number in range(5000):
        known.name(f"{number}", Way.HTTP, AT)
    assert known.name("first", Way.HTTP, AT) == first
