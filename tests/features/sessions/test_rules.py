"""The state machine of a session, whatever its process says and however it dies."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.sessions.models import MessageState, Origin, Session, SessionState
from claude_code_mcp.features.sessions.rules.deadlines import SILENCE_S, deadline
from claude_code_mcp.features.sessions.rules.ending import CRASHES, LIMITS, Death, judge
from claude_code_mcp.features.sessions.rules.folding import BEFORE, fold, matters
from claude_code_mcp.features.sessions.rules.states import AT_REST, NEXT, may_move
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude import facts

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ONE = "0197f3a0-0000-7000-8000-000000000001"

states = st.sampled_from(SessionState)
counts = st.integers(0, 5)
said: st.SearchStrategy[Fact] = st.one_of(
    st.sampled_from(["running", "requires_action", "idle", "something new"]).map(
        lambda state: facts.SessionStateChanged(state=state)
    ),
    st.builds(
        lambda ok, cost: facts.TurnFinished(turn=1, ok=ok, total_cost_microusd=cost), st.booleans(), st.integers(0, 9)
    ),
    st.just(facts.TurnStarted(turn=1, model="opus", permission_mode="plan")),
    counts.map(
        lambda count: facts.BackgroundChanged(tasks=tuple(facts.BackgroundTask(task_id=ONE) for _ in range(count)))
    ),
    st.sampled_from([facts.MessageQueued, facts.MessageStarted, facts.MessageCompleted, facts.MessageCancelled]).map(
        lambda kind: kind(message_uuid=ONE)
    ),
    st.booleans().map(lambda echo: facts.MessageSaid(role="user", text="hi", echo=echo)),
    st.just(facts.LineUnknown(type="new")),
)
deaths = st.builds(
    Death,
    outcome=st.sampled_from(["exited", "failed_to_start", "lost", "abandoned"]),
    code=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    reason=st.sampled_from(["", "idle", "stop", "kill", "timeout", "quota"]),
    stderr=st.text(max_size=20),
    spoke=st.booleans(),
)


def session(state: SessionState, **more: object) -> Session:
    made = Session(
        id=SessionId(ONE),
        conversation_id=ONE,
        project_path="/",
        origin=Origin.STARTED,
        state=state,
        priority=1,
        created_at="",
        updated_at="",
    )
    for name, value in more.items():
        setattr(made, name, value)
    return made


def event(fact: Fact) -> Event:
    return Event(fact=fact, at=NOW, session_id=SessionId(ONE))


@given(states, st.lists(said, max_size=20))
def test_no_words_of_a_process_bring_a_session_where_it_may_not_go(state: SessionState, words: list[Fact]) -> None:
    found = session(state)
    for word in words:
        before = found.state
        fold(found, [event(word)])
        assert found.state is before or found.state in NEXT[before]


@given(st.sampled_from([SessionState.STOPPED, SessionState.FAILED]), st.lists(said, max_size=20))
def test_a_late_line_does_not_wake_a_session_that_has_ended(state: SessionState, words: list[Fact]) -> None:
    found = session(state)
    fold(found, map(event, words))
    assert found.state is state


@given(states, st.lists(said, max_size=20), counts)
def test_taking_lines_one_by_one_or_at_once_comes_to_the_same(state: SessionState, words: list[Fact], cut: int) -> None:
    at_once, in_two = session(state), session(state)
    folded = fold(at_once, map(event, words))
    moves = fold(in_two, map(event, words[:cut])).moves + fold(in_two, map(event, words[cut:])).moves
    assert (at_once, folded.moves) == (in_two, moves)


@given(states, st.lists(said, max_size=5))
def test_what_matters_to_no_session_changes_none(state: SessionState, words: list[Fact]) -> None:
    found, events = session(state), [event(word) for word in words]
    folded = fold(found, events)
    if not matters(events):
        assert (found, folded.touched, folded.moves) == (session(state), False, [])


@given(st.lists(said, max_size=20))
def test_costs_never_shrink_and_no_turn_is_counted_twice(words: list[Fact]) -> None:
    found = session(SessionState.RUNNING)
    for word in words:
        cost, turns = found.cost_microusd, found.turns
        fold(found, [event(word)])
        assert found.cost_microusd >= cost
        assert found.turns == turns + isinstance(word, facts.TurnFinished)


def test_a_message_never_goes_back() -> None:
    order = [MessageState.PENDING, MessageState.SENT, MessageState.STARTED]
    for after, earlier in BEFORE.items():
        assert after not in earlier
        assert set(earlier) <= set(order[: order.index(after)] if after in order else order)


@given(states, deaths, counts, counts)
def test_every_end_of_a_process_has_one_verdict_that_may_follow(
    state: SessionState, death: Death, unread: int, crashes: int
) -> None:
    verdict = judge(session(state, crashes=crashes), death, unread=unread)
    assert verdict.state in {SessionState.QUEUED, *AT_REST}
    assert verdict.state is state or may_move(state, verdict.state) or state in AT_REST or state is SessionState.QUEUED
    if verdict.error is not None:
        assert verdict.state is SessionState.FAILED or state in AT_REST
        assert verdict.error["code"]
        assert verdict.error["remedy"]


@given(states, deaths, counts)
def test_only_what_nobody_has_read_brings_a_session_back(state: SessionState, death: Death, crashes: int) -> None:
    found = session(state, crashes=crashes)
    if state not in AT_REST and state is not SessionState.QUEUED:
        assert judge(found, death, unread=0).state is not SessionState.QUEUED
    if death.reason in LIMITS or (crashes >= CRASHES and death.outcome != "abandoned"):
        assert judge(found, death, unread=1).state is not SessionState.QUEUED


@given(states, st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e6), st.floats(0.001, 1e6), counts)
def test_only_work_and_idleness_run_out(
    state: SessionState, quiet_s: float, running_s: float, idle_s: float, timeout_s: float, background: int
) -> None:
    due = deadline(
        session(state, background=background), quiet_s=quiet_s, running_s=running_s, idle_s=idle_s, timeout_s=timeout_s
    )
    ends = state is SessionState.RUNNING or (state is SessionState.IDLE and not background)
    assert (due is not None) == ends
    assert due is None or due.in_s >= 0


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.001, 1e6))
def test_a_silent_session_is_asked_before_its_time_is_up_and_ended_when_it_is(
    quiet_s: float, running_s: float, timeout_s: float
) -> None:
    due = deadline(session(SessionState.RUNNING), quiet_s=quiet_s, running_s=running_s, idle_s=0.0, timeout_s=timeout_s)
    assert due is not None
    limit, silence = timeout_s - running_s, SILENCE_S - quiet_s
    assert due.reason == ("timeout" if limit <= silence else "silence")
    assert due.in_s == max(0.0, min(limit, silence))


@given(st.lists(said, max_size=20))
def test_only_work_is_timed_and_an_answer_of_a_person_starts_it_anew(words: list[Fact]) -> None:
    found = session(SessionState.STARTING)
    for word in words:
        fold(found, [event(word)])
        assert (found.busy_since is not None) == (found.state is SessionState.RUNNING)


@given(deaths, counts, st.sampled_from(sorted(AT_REST)))
def test_who_was_at_rest_stays_as_it_was_when_its_process_goes(death: Death, crashes: int, state: SessionState) -> None:
    error = {"code": "any", "message": "before", "remedy": "none"} if state is SessionState.FAILED else None
    verdict = judge(session(state, crashes=crashes, error=error), death, unread=0)
    if not death.reason or death.reason == "idle":
        assert (verdict.state, verdict.error) == (state, error)


@given(states, counts, st.integers(1, 5))
def test_a_run_that_never_ran_is_started_again_and_speaks_against_nobody(
    state: SessionState, crashes: int, unread: int
) -> None:
    death = Death("abandoned")
    assert not death.counts
    assert judge(session(state, crashes=crashes), death, unread=unread).state is SessionState.QUEUED


@given(deaths)
def test_only_an_end_that_nobody_wished_counts_as_a_crash(death: Death) -> None:
    assert death.counts == (not death.reason and not death.orderly and death.outcome != "abandoned")
