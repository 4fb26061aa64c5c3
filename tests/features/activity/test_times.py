"""Where the time went: three parts that do not overlap, and a path that explains the whole."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.activity.rules.moments import clipped, length, merged, text_of, us_of, without
from claude_code_mcp.features.activity.rules.times import critical, shared, told
from claude_code_mcp.platform.claude import facts
from tests.features.activity.generated import sessions
from tests.features.activity.mixing import folded
from tests.features.activity.seen import NOW
from tests.features.activity.telling import Story

STRETCHES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def instants(stretches: list[tuple[int, int]]) -> set[int]:
    return {at for start, end in stretches for at in range(start, end)}


@given(STRETCHES, STRETCHES)
def test_stretches_are_sets_of_instants(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    left, right = merged(one), merged(other)
    assert instants(left) == instants(one)
    assert length(left) == len(instants(one))
    assert instants(without(left, right)) == instants(one) - instants(other)
    assert instants(clipped(left, 10, 30)) == instants(one) & set(range(10, 30))


@given(STRETCHES, STRETCHES, st.integers(0, 80))
def test_the_parts_of_a_turn_never_overlap(
    person: list[tuple[int, int]], tools: list[tuple[int, int]], heard: int
) -> None:
    share = shared((0, 50), heard, person, tools)
    parts = [instants(share.person), instants(share.tools), instants(share.model)]
    assert sum(len(part) for part in parts) == len(set().union(*parts))
    assert parts[0] == instants(person) & set(range(50))
    assert parts[0] | parts[1] == (instants(person) | instants(tools)) & set(range(50))
    assert set().union(*parts) >= set(range(min(50, heard)))


@given(sessions())
def test_the_parts_of_a_session_are_no_longer_than_it(lanes: list[list[object]]) -> None:
    root = folded(event for lane in lanes for event in lane).root(NOW)  # type: ignore[misc]  # what sessions() draws
    times = root.times
    assert times is not None
    assert times.model_ms + times.tools_ms + times.person_ms <= times.total_ms + 1
    for turn in root.children:
        if turn.times is not None and turn.duration_ms is not None:
            assert turn.times.total_ms == turn.duration_ms
            assert turn.times.model_ms + turn.times.tools_ms + turn.times.person_ms <= turn.duration_ms


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.text("abc", min_size=1)), max_size=8))
def test_the_critical_path_ends_with_what_ended_last(spans: list[tuple[int, int, str]]) -> None:
    given_ = [(min(a, b), max(a, b), f"{name}{place}") for place, (a, b, name) in enumerate(spans)]
    path = critical(given_, 40)
    assert bool(path) == bool(given_)
    if given_:
        assert any(end == max(end for _, end, _ in given_) for _, end, name in given_ if name in path)
    chosen = sorted((start, end) for start, end, name in given_ if name in path)
    assert all(before[1] <= after[0] for before, after in pairwise(chosen))


@given(st.integers(0, 4_000_000_000_000_000))
def test_times_survive_their_text(us: int) -> None:
    assert us_of(text_of(us)) == us


def test_waiting_for_a_permission_is_the_persons_and_running_the_tools() -> None:
    story = Story().prompt(0).begin(100, "t1", digest="a")
    story.tell(110, facts.ApprovalAsked(request_id="hook:1", name="Bash", input_digest="a"))
    story.tell(1000, facts.ToolFinished(name="Bash", ran_ms=90), call="t1")
    story.tell(1200, facts.TurnStopped(prompt_id="p1", last_message="done"))
    times = story.node("turn-p1").times
    assert times is not None
    assert (times.total_ms, times.model_ms, times.tools_ms, times.person_ms) == (1200, 300, 100, 800)
    assert story.node("t1").self_ms == 100


def test_tools_of_a_subagent_count_as_tools_and_the_rest_of_it_as_the_model() -> None:
    story = Story().prompt(0).begin(100, "t1", "Agent").tell(110, facts.AgentLinked(), call="t1", agent="x")
    story.begin(200, "t2", agent="x").end(500, "t2", agent="x")
    story.tell(900, facts.SubagentFinished(task_id="x", status="completed"), call="t1", agent="x").end(
        900, "t1", "Agent"
    )
    story.tell(1000, facts.TurnStopped(prompt_id="p1", last_message="done"))
    times = story.node("turn-p1").times
    assert times is not None
    assert (times.model_ms, times.tools_ms, times.person_ms) == (700, 300, 0)


def test_parallel_tools_count_once_and_the_longer_is_critical() -> None:
    story = Story().prompt(0).begin(100, "t1").begin(110, "t2").end(300, "t1").end(500, "t2")
    story.begin(600, "t3").end(700, "t3").tell(800, facts.TurnStopped(prompt_id="p1", last_message="x"))
    turn = story.node("turn-p1")
    assert turn.times is not None
    assert turn.times.tools_ms == 500
    assert [child.id for child in turn.children if child.on_critical_path] == ["t2", "t3"]


def test_the_time_until_the_next_prompt_is_the_persons_once_they_were_told() -> None:
    story = Story().prompt(0).tell(100, facts.TurnStopped(prompt_id="p1", last_message="x"))
    story.tell(60_100, facts.PersonNeeded(what="idle_prompt", text="waiting"))
    assert story.fold.summary(story.now()).waiting_for == "the next prompt"
    story.prompt(90_100, "p2").tell(90_200, facts.TurnStopped(prompt_id="p2", last_message="x"))
    times = story.fold.summary(story.now()).times
    assert (times.total_ms, times.person_ms, times.model_ms) == (90_200, 90_000, 200)
    assert story.fold.summary(story.now()).waiting_for == ""


def test_nothing_is_nothing() -> None:
    assert told([]).total_ms == 0
