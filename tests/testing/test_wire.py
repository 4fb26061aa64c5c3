"""Replies on the wire: the stream and the whole message say the same, and end as the step says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.testing.conversation import read
from claude_code_mcp.testing.script import Failure, RateLimit, Step, ToolCall, Usage
from claude_code_mcp.testing.selection import Values
from claude_code_mcp.testing.wire import Cut, End, GateAt, Part, Pause, Reply, error_body, headers_of, tokens_in

BODY = b'{"model":"claude-x","messages":[{"role":"user","content":"Primary working directory: /w"}]}'


def reply(step: Step, end: End = End.COMPLETE) -> Reply:
    return Reply.of(step, Values(read(BODY), BODY, 0), number="1", model="claude-x", end=end)


def events(parts: list[Part]) -> list[dict[str, Any]]:
    found = []
    for part in parts:
        if isinstance(part, bytes):
            for block in part.decode().split("\n\n")[:-1]:
                name, data = block.split("\n", 1)
                event = json.loads(data.removeprefix("data: "))
                assert name == f"event: {event['type']}"
                found.append(event)
    return found


def assembled(parts: list[Part]) -> dict[str, Any]:
    """Put a message together from its events, as a client of the API does."""
    message: dict[str, Any] = {}
    for event in events(parts):
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append({**event["content_block"], "_json": ""})
            case "content_block_delta":
                block, delta = message["content"][event["index"]], event["delta"]
                for field, key in (("text", "text"), ("thinking", "thinking"), ("signature", "signature")):
                    block[key] = block[key] + delta[field] if field in delta else block.get(key)
                block["_json"] += delta.get("partial_json", "")
            case "message_delta":
                message |= event["delta"] | {"usage": event["usage"]}
            case _:
                continue
    for block in message["content"]:
        given_input = block.pop("_json")
        if block["type"] == "tool_use":
            block["input"] = json.loads(given_input)
    message["content"] = [{k: v for k, v in block.items() if v is not None} for block in message["content"]]
    return message


STEPS = st.builds(
    lambda thinking, text, repeat, names, usage: Step(
        thinking=thinking,
        text=text or "x",
        repeat=repeat,
        tools=[ToolCall(name=name, input={"value": [thinking, {"deep": text}]}) for name in names],
        usage=Usage(input_tokens=usage),
    ),
    st.text(max_size=40),
    st.text(max_size=40),
    st.integers(1, 3000),
    st.lists(st.sampled_from(["Bash", "Read"]), max_size=3),
    st.integers(0, 10**6),
)


@given(step=STEPS)
def test_the_stream_says_what_the_whole_message_says(step: Step) -> None:
    whole = reply(step)
    assert assembled(list(whole.parts())) == json.loads(json.dumps(whole.message()))
    assert len(list(whole.parts())) < 1000


def test_placeholders_reach_into_tool_inputs_but_not_into_other_types() -> None:
    step = Step(tools=[ToolCall(name="Write", input={"file_path": "${cwd}/a", "n": 3, "deep": [{"${x}": "$${cwd}"}]})])
    (call,) = reply(step).calls
    assert call["input"] == {"file_path": "/w/a", "n": 3, "deep": [{"${x}": "${cwd}"}]}


def test_several_calls_have_several_ids() -> None:
    calls = reply(Step(tools=[ToolCall(name="Bash"), ToolCall(name="Bash")])).calls
    assert [call["id"] for call in calls] == ["toolu_1_0", "toolu_1_1"]


def test_delays_and_gates_stand_where_the_step_says() -> None:
    step = Step(text="one two", gate="first", gate_within="then", delay_s=1, token_delay_s=0.5)
    waits = [part for part in reply(step).parts() if not isinstance(part, bytes)]
    assert waits == [GateAt("first"), Pause(1), Pause(0.5), GateAt("then"), Pause(0.5)]
    assert list(reply(step).waits()) == waits
    before = [isinstance(part, bytes) for part in reply(step).parts()].index(True)
    assert before == 2


def test_a_cut_reply_breaks_off_after_its_text() -> None:
    parts = list(reply(Step(text="one two", tools=[ToolCall(name="Bash")]), End.CUT).parts())
    assert parts[-1] == Cut()
    assert [event["type"] for event in events(parts)][-1] == "content_block_delta"
    assert not any(event.get("content_block", {}).get("type") == "tool_use" for event in events(parts))


def test_an_error_in_the_stream_is_its_last_event() -> None:
    step = Step(text="one", error=Failure(status=529, in_stream=True))
    last = events(list(reply(step, End.ERROR).parts()))[-1]
    assert last == {"type": "error", "error": {"type": "overloaded_error", "message": "Scripted error 529"}}


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Step(text="x"), "end_turn"),
        (Step(tools=[ToolCall(name="Bash")]), "tool_use"),
        (Step(text="x", stop_reason="max_tokens"), "max_tokens"),
    ],
)
def test_a_reply_ends_for_a_reason(step: Step, reason: str) -> None:
    assert assembled(list(reply(step).parts()))["stop_reason"] == reason


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_an_error_has_the_type_of_its_status(status: int, kind: str) -> None:
    body = error_body(Failure(status=status), request_id="r")
    assert body == {
        "type": "error",
        "error": {"type": kind, "message": f"Scripted error {status}"},
        "request_id": "r",
    }


def test_headers_tell_limits_and_when_to_come_back() -> None:
    step = Step(
        error=Failure(status=429, retry_after_s=7),
        rate_limit=RateLimit(status="rejected", utilization=1.0, resets_at=5),
        headers={"X-Mine": "1"},
    )
    assert headers_of(step, request_id="r") == {
        "request-id": "r",
        "retry-after": "7",
        "x-mine": "1",
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": "5",
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
        "anthropic-ratelimit-unified-5h-utilization": "1.0",
        "anthropic-ratelimit-unified-5h-reset": "5",
    }


def test_tokens_are_counted_roughly_and_never_as_none() -> None:
    assert (tokens_in(b""), tokens_in(b"x" * 400)) == (1, 100)
