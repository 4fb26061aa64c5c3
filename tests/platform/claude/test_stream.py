"""What the reader remembers between lines: sessions, turns, open tools and questions."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.facts import ApprovalAsked, ToolDenied, TurnFinished
from claude_code_mcp.platform.claude.requests import Answer, ToolQuestion, Withdrawal
from claude_code_mcp.platform.claude.stream import OpenTask, OpenTool, Reading, StreamState, end_of_stream, read_line
from claude_code_mcp.platform.claude.stream.turns import microusd
from tests.platform.claude.replay import AT, RUN

_ONE = "50149376-bd13-4c6e-9303-f3f5d55c6e40"
_TWO = "11940a4d-bc75-4713-9ade-6a111eed7b65"


def _read(state: StreamState, **line: object) -> Reading:
    return read_line(state, json.dumps(line).encode(), run_id=RUN, offset=0, at=AT)


def _init(state: StreamState, session: str = _ONE, mode: str = "default") -> Reading:
    return _read(state, type="system", subtype="init", session_id=session, permissionMode=mode)


def _call(state: StreamState, call: str, **more: object) -> Reading:
    content = [{"type": "tool_use", "id": call, "name": "Bash", "input": {"command": "ls"}}]
    return _read(state, type="assistant", message={"content": content}, session_id=_ONE, **more)


def _kinds(events: tuple[Event, ...]) -> list[str]:
    return [event.fact.kind for event in events]


def test_another_session_begins_with_a_turn_and_not_with_any_line_that_names_one() -> None:
    state = _init(StreamState()).state
    late = _read(state, type="system", subtype="session_title_changed", title="t", session_id=_TWO)
    assert (late.state.session_id, late.events[0].session_id) == (_ONE, _TWO)
    began = _init(state, _TWO)
    assert _kinds(began.events) == ["session.id_changed", "turn.started"]
    assert {event.session_id for event in began.events} == {_TWO}
    assert began.state.session_id == _TWO


def test_a_session_id_that_is_none_does_not_count() -> None:
    state = _init(StreamState()).state
    for wrong in ("../../x", 7, None, _TWO.upper()):
        reading = _read(state, type="system", subtype="session_title_changed", title="t", session_id=wrong)
        assert reading.events[0].session_id == _ONE
        assert reading.state is state


def test_a_turn_without_an_end_leaves_no_tool_open_when_the_next_begins() -> None:
    state = _call(_init(StreamState()).state, "main").state
    state = _call(state, "sub", parent_tool_use_id="agent", agent_id="a1").state
    began = _init(state)
    assert [(event.fact.kind, event.tool_use_id) for event in began.events] == [
        ("tool.abandoned", "main"),
        ("turn.started", None),
    ]
    assert (set(began.state.tools), began.state.turn) == ({"sub"}, 2)


def test_a_permission_mode_of_another_turn_is_a_change() -> None:
    state = _init(StreamState(), mode="plan").state
    assert _kinds(_init(state, mode="plan").events) == ["turn.started"]
    assert _kinds(_init(state, mode="default").events) == ["session.mode_changed", "turn.started"]


def test_what_is_open_at_the_end_is_abandoned_once() -> None:
    state = StreamState(
        session_id=_ONE,
        turn=1,
        turn_open=True,
        tools={"t1": OpenTool(name="Bash", started_s=AT.timestamp() - 2, parent="p", agent_id="a1")},
        tasks={"b1": OpenTask(tool_use_id="t0"), "a1": OpenTask(subagent=True, tool_use_id="p")},
        approvals={"r1": "t1"},
    )
    end = end_of_stream(state, run_id=RUN, offset=99, at=AT)
    assert [(event.fact.kind, event.subject, event.parent, event.agent_id) for event in end.events] == [
        ("tool.abandoned", "t1", "p", "a1"),
        ("task.abandoned", "b1", "t0", None),
        ("task.abandoned", "a1", "p", "a1"),
    ]
    assert [event.source_key for event in end.events] == ["run:99:0", "run:99:1", "run:99:2"]
    again = end_of_stream(end.state, run_id=RUN, offset=99, at=AT)
    assert (again.events, again.state) == ((), end.state)
    assert again.state is end.state


def _question(request_id: str = "r1") -> dict[str, object]:
    request = {"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "ls"}, "tool_use_id": "t1"}
    return {"type": "control_request", "request_id": request_id, "request": request}


def test_a_question_found_again_after_an_attach_is_asked_once_and_handed_out_again() -> None:
    asked = _read(_init(StreamState()).state, **_question())
    assert _kinds(asked.events) == ["approval.asked"]
    response = {
        "subtype": "success",
        "request_id": "mine",
        "pending_permission_requests": [_question(), _question("r2")],
    }
    attached = _read(asked.state, type="control_response", response=response)
    (answer,) = attached.control
    assert isinstance(answer, Answer)
    assert [question.request_id for question in answer.pending] == ["r1", "r2"]
    assert [event.fact.request_id for event in attached.events if isinstance(event.fact, ApprovalAsked)] == ["r2"]
    assert attached.state.approvals == {"r1": "t1", "r2": "t1"}


def test_a_question_is_settled_by_its_tools_result_or_its_withdrawal() -> None:
    asked = _read(_call(_init(StreamState()).state, "t1").state, **_question()).state
    withdrawn = _read(asked, type="control_cancel_request", request_id="r1")
    assert _kinds(withdrawn.events) == ["approval.withdrawn"]
    assert withdrawn.control == (Withdrawal(request_id="r1"),)
    content = [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]
    ran = _read(asked, type="user", message={"content": content}, session_id=_ONE)
    assert withdrawn.state.approvals == ran.state.approvals == {}
    assert _kinds(_read(ran.state, type="control_cancel_request", request_id="r1").events) == []


def test_a_question_of_a_hook_or_server_of_ours_is_handed_out_and_no_event() -> None:
    for request in (
        {"subtype": "hook_callback", "callback_id": "h", "input": {}},
        {"subtype": "mcp_message", "server_name": "s", "message": {"id": 1}},
        {"subtype": "something_new"},
    ):
        reading = _read(StreamState(), type="control_request", request_id="r1", request=request)
        assert (len(reading.control), reading.events) == (1, ())
        assert not isinstance(reading.control[0], ToolQuestion)


def test_a_denial_whose_call_was_not_written_is_told_all_the_same() -> None:
    line = {"tool_name": "mcp__s__t", "tool_use_id": "t9", "message": "No.", "decision_reason_type": "rule"}
    (event,) = _read(_init(StreamState()).state, type="system", subtype="permission_denied", **line).events
    assert event.fact == ToolDenied(name="mcp__s__t", output="No.", decided_by="rule", mcp_server="s", mcp_tool="t")


@pytest.mark.parametrize(
    ("kind", "outcome", "interrupted"),
    [
        ("user-rejected", "tool.denied", False),
        ("automode-blocked", "tool.denied", False),
        ("interrupted", "tool.failed", True),
        ("cancelled", "tool.failed", True),
    ],
)
def test_a_call_that_did_not_run_and_one_that_was_stopped_differ(kind: str, outcome: str, interrupted: bool) -> None:
    state = _call(_init(StreamState()).state, "t1").state
    content = [{"type": "tool_result", "tool_use_id": "t1", "content": "x", "is_error": True}]
    meta = [{"id": "t1", "non_execution_kind": kind}]
    (event,) = _read(state, type="user", message={"content": content}, tool_result_meta=meta, session_id=_ONE).events
    assert event.fact.kind == outcome
    assert getattr(event.fact, "interrupted", False) is interrupted


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8), st.integers(0, 10**9))
def test_costs_of_turns_add_up_to_the_micro_dollar(tenths: list[int], before: int) -> None:
    """Claude Code prices in fractions of micro-dollars and adds floats; the parts must still give the whole."""
    state, total = StreamState(total_cost_microusd=microusd(before / 1e7)), Decimal(before)
    first, told = microusd(before / 1e7), 0
    for part in tenths:
        total += part
        line = {
            "subtype": "success",
            "total_cost_usd": float(total / 10**7),
            "model_usage_since_last_result": {"m": {"costUSD": part / 1e7}},
        }
        reading = _read(state, type="result", session_id=_ONE, **line)
        (event,) = reading.events
        assert isinstance(event.fact, TurnFinished)
        told += event.fact.cost_microusd
        state = reading.state
    assert told == state.total_cost_microusd - first


@pytest.mark.parametrize(
    ("usd", "micro"),
    [
        (0.002748, 2748),
        (1.4, 1_400_000),
        (0.0000005, 0),
        (0.0000015, 2),
        (1e-9, 0),
        (3, 3_000_000),
        (0.1 + 0.2, 300_000),
        ("1", 0),
        (None, 0),
        (True, 0),
        (float("inf"), 0),
        (1e300, 0),
        (123456.789012, 123_456_789_012),
    ],
)
def test_dollars_become_whole_micro_dollars(usd: object, micro: int) -> None:
    assert microusd(usd) == micro
