"""Batches that a real Claude Code sent are read as facts, once each, in whatever order; hostile ones raise nothing."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.kernel.events import Event, Source
from claude_code_mcp.platform.claude.facts import (
    AgentLinked,
    ApiRetried,
    ContextCompacted,
    ModelAnswered,
    PromptTaken,
    SessionOpened,
    SubagentFinished,
    ToolBlocked,
    ToolDenied,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnStopped,
    Usage,
)
from claude_code_mcp.platform.claude.otlp import NotOtlp, OtlpReader, batch, malformed, records
from claude_code_mcp.platform.claude.otlp.links import MOST, Recent
from claude_code_mcp.platform.claude.otlp.spans import MOST_HELD

FIXTURES = Path(__file__).parents[3] / "fixtures" / "claude" / "otlp"
AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
Batch = tuple[str, dict[str, Any]]


def recorded(name: str) -> list[Batch]:
    """Return the batches of a recorded session, as they were sent."""
    lines = (FIXTURES / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [(one["signal"], one["body"]) for one in map(json.loads, lines)]


def read(batches: Iterable[Batch], reader: OtlpReader | None = None, *, end: bool = True) -> list[Event]:
    """Return the events of batches, in the order in which they come out."""
    reader = reader or OtlpReader()
    found: list[Event] = []
    for signal, body in batches:
        message = batch(signal, json.dumps(body).encode())
        for record in records(signal, message, AT):
            found += reader.take(record)
        found += reader.settle(AT, logs=signal == "logs")
    return found + (reader.settle(AT + timedelta(minutes=1)) if end else [])


def of(events: Iterable[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event.fact, kind)]


def test_a_turn_with_a_tool_is_told_whole() -> None:
    events = read(recorded("tool"))
    session = "036b29f1-70aa-4b66-9e3d-bb9d9eccd8a0"
    assert {(event.session_id, event.source) for event in events} == {(session, Source.OTLP)}
    assert [event.fact.kind for event in events] == [
        "tool.started",
        "tool.finished",
        "prompt.taken",
        "tool.started",
        "model.answered",
        "tool.started",
        "tool.finished",
        "model.answered",
        "turn.stopped",
        "session.opened",
    ]
    opened = of(events, SessionOpened)[0].fact
    assert opened == SessionOpened(how="startup", cli_version="2.1.327")
    prompt = of(events, PromptTaken)[0].fact
    assert prompt == PromptTaken(
        prompt_id="e0a39e47-88e2-4b8c-8e76-80a2d8ac76bd",
        message_uuid="d5a10ed6-f00e-4cc7-9973-ecf0f044583d",
        text="Please [s:tool]",
    )
    answer = of(events, ModelAnswered)[0].fact
    assert answer == ModelAnswered(
        model="claude-opus-5-5",
        usage=Usage(input_tokens=100, output_tokens=20, cache_read_tokens=200, cache_write_tokens=10),
        cost_microusd=890,
        duration_ms=34,
        ttft_ms=12,
        request_id="req_87717818fe33f2fdab13",
    )


def test_every_event_of_a_tool_names_its_call() -> None:
    events = [event for event in read(recorded("tool")) if event.fact.kind.startswith("tool.")]
    assert {event.tool_use_id for event in events} == {"toolu_87717818fe33f2fdab13_0"}
    begun, done = of(events, ToolStarted), of(events, ToolFinished)
    assert [event.fact for event in done] == [
        ToolFinished(name="Bash", duration_ms=30, ran_ms=23),
        ToolFinished(name="Bash", output_bytes=15, ran_ms=22),
    ]
    assert {event.fact.summary for event in begun if isinstance(event.fact, ToolStarted)} == {"echo hello-from-tool"}
    # The span tells when the model called it, the log records when it was decided and began to run.
    moments = sorted(event.at.strftime("%S.%f") for event in begun)
    assert moments == ["59.642000", "59.649000", "59.651000"]


def test_a_failed_tool_says_why() -> None:
    failed = of(read(recorded("fail")), ToolFailed)
    assert [event.fact for event in failed] == [
        ToolFailed(name="Bash", output="Shell command failed", duration_ms=34, ran_ms=24),
        ToolFailed(name="Bash", output="Shell command failed", ran_ms=24),
    ]
    assert of(read(recorded("fail")), ToolFinished) == []


def test_a_denied_tool_says_who_decided_and_waited_for_nobody() -> None:
    events = read(recorded("touch"))
    assert [event.fact for event in of(events, ToolDenied)] == [
        ToolDenied(name="Bash", decided_by="config", duration_ms=17),
        ToolDenied(name="Bash", decided_by="config"),
    ]
    assert of(events, ToolFinished) == of(events, ToolBlocked) == []


def blocked(decision: str) -> list[Batch]:
    """Return the spans of a call that a person decided about."""

    def span(number: int, name: str, parent: int, **attrs: Any) -> dict[str, Any]:
        values = {"session.id": "036b29f1-70aa-4b66-9e3d-bb9d9eccd8a0", **attrs}
        return {
            "traceId": "a" * 32,
            "spanId": f"{number:016x}",
            "parentSpanId": f"{parent:016x}",
            "name": name,
            "startTimeUnixNano": "1795160219642000000",
            "endTimeUnixNano": "1795160229642000000",
            "attributes": [{"key": key, "value": {"stringValue": str(value)}} for key, value in values.items()],
        }

    wait = span(1, "claude_code.tool.blocked_on_user", 2, decision=decision, source="user_temporary", duration_ms=9000)
    call = span(2, "claude_code.tool", 3, tool_name="Bash", tool_use_id="toolu_1", duration_ms=9500)
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]}
    return [
        ("traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [one]}]}]})
        for one in (wait, call)
    ]


@pytest.mark.parametrize(("decision", "ended"), [("accept", ToolFinished), ("reject", ToolDenied)])
def test_the_time_that_a_person_took_is_told_of_the_call(decision: str, ended: type) -> None:
    events = read(blocked(decision))
    (waited,) = of(events, ToolBlocked)
    assert waited.fact == ToolBlocked(waited_ms=9000, decision=decision)
    assert waited.tool_use_id == "toolu_1"
    assert len(of(events, ended)) == 1


def test_subagents_are_linked_to_their_calls_at_any_depth() -> None:
    links = {event.subject: event for event in of(read(recorded("agent-nested")), AgentLinked)}
    outer, inner = "a0dec5d490dfe839e", "ad8ae8ad570c376c9"
    assert (links[outer].tool_use_id, links[outer].agent_id) == ("toolu_620b6cd4825fc3bc04ba_0", None)
    assert (links[inner].tool_use_id, links[inner].agent_id) == ("toolu_d9c9af060de4939f12e6_0", outer)
    assert links[inner].fact == AgentLinked(parent_agent_id=outer, depth=2)
    finished = {event.subject: event for event in of(read(recorded("agent-nested")), SubagentFinished)}
    assert finished[inner].fact == SubagentFinished(
        task_id=inner, status="completed", total_tokens=330, tool_uses=1, duration_ms=77
    )
    assert finished[inner].tool_use_id == "toolu_d9c9af060de4939f12e6_0"
    bash = [event for event in of(read(recorded("agent-nested")), ToolFinished) if event.agent_id == inner]
    assert {event.tool_use_id for event in bash} == {"toolu_b695ee35ba2088e3abf8_0"}


def test_an_agent_in_the_background_is_linked_after_its_call_ended() -> None:
    (link,) = of(read(recorded("agent-background")), AgentLinked)
    assert (link.subject, link.tool_use_id) == ("a0885d492e3da5fcc", "toolu_825ce0c055532cf76e4f_0")
    prompts = [event.fact for event in of(read(recorded("agent-background")), PromptTaken)]
    assert [prompt.origin for prompt in prompts if isinstance(prompt, PromptTaken)] == ["", "task-notification"]


def test_tries_that_failed_are_told_and_a_turn_that_failed_too() -> None:
    again = [event.fact for event in of(read(recorded("error-529")), ApiRetried)]
    assert again == [ApiRetried(attempt=1), ApiRetried(attempt=2)]
    assert [event.fact for event in of(read(recorded("error-529")), TurnStopped)] == [
        TurnStopped(prompt_id=of(read(recorded("error-529")), PromptTaken)[0].subject)
    ]
    (stopped,) = of(read(recorded("error-400")), TurnStopped)
    assert isinstance(stopped.fact, TurnStopped)
    assert (stopped.fact.ok, stopped.fact.error) == (False, "Scripted error 400")
    last = of(read(recorded("error-400")), ApiRetried)[-1].fact
    assert last == ApiRetried(attempt=1, max_retries=1, status=400, error="Scripted error 400")


def test_a_compaction_says_what_it_saved() -> None:
    (compacted,) = of(read(recorded("full-context")), ContextCompacted)
    assert compacted.fact == ContextCompacted(trigger="auto", pre_tokens=990311, post_tokens=2518, duration_ms=29)


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.jsonl")))
def test_the_same_batch_twice_gives_the_same_keys_and_every_key_is_one_event(name: str) -> None:
    batches = recorded(name)
    once, twice = read(batches), read([*batches, *batches])
    keys = [event.source_key for event in once]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert {event.source_key for event in twice} == set(keys)


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.jsonl")))
def test_spans_in_batches_of_one_tell_the_same(name: str) -> None:
    def single(signal: str, body: dict[str, Any]) -> list[Batch]:
        if signal != "traces":
            return [(signal, body)]
        (resource,) = body["resourceSpans"]
        spans = [span for scope in resource["scopeSpans"] for span in scope["spans"]]
        about = resource["resource"]
        return [
            ("traces", {"resourceSpans": [{"resource": about, "scopeSpans": [{"spans": [span]}]}]}) for span in spans
        ]

    apart = [one for signal, body in recorded(name) for one in single(signal, body)]

    def told(events: list[Event]) -> set[tuple[object, ...]]:
        return {(event.source_key, event.subject, event.tool_use_id, event.agent_id, event.at) for event in events}

    assert told(read(apart)) == told(read(recorded(name)))


def test_spans_alone_tell_the_turn_after_a_while() -> None:
    traces = [one for one in recorded("tool") if one[0] == "traces"]
    reader = OtlpReader()
    assert of(read(traces, reader, end=False), TurnStopped) == []
    assert reader.holds
    late = reader.settle(AT + timedelta(seconds=11))
    assert [type(event.fact) for event in late] == [PromptTaken, TurnStopped]
    assert not reader.holds


def test_logs_alone_tell_every_tool_and_its_end() -> None:
    events = read([one for one in recorded("parallel") if one[0] == "logs"])
    assert len({event.tool_use_id for event in of(events, ToolStarted)}) == 2
    assert len({event.tool_use_id for event in of(events, ToolFinished)}) == 2


def test_other_programs_are_passed_over() -> None:
    text = json.dumps(recorded("tool")).replace('"claude-code"', '"my-service"')
    assert read([(signal, body) for signal, body in json.loads(text)]) == []


def test_records_without_a_session_are_passed_over() -> None:
    text = json.dumps(recorded("tool")).replace("036b29f1-70aa-4b66-9e3d-bb9d9eccd8a0", "../../etc/passwd")
    assert read([(signal, body) for signal, body in json.loads(text)]) == []


def test_secrets_are_taken_out() -> None:
    key = "sk-ant-api03-" + "a" * 40
    text = json.dumps(recorded("tool")).replace("echo hello-from-tool", f"echo {key}")
    assert key in text
    assert key not in repr(read([(signal, body) for signal, body in json.loads(text)]))


def test_prompts_that_are_hidden_stay_so() -> None:
    text = json.dumps(recorded("tool")).replace("Please [s:tool]", "<REDACTED>")
    (prompt,) = of(read([(signal, body) for signal, body in json.loads(text)]), PromptTaken)
    assert isinstance(prompt.fact, PromptTaken)
    assert prompt.fact.text == ""


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"resourceLogs":1}', b"\xff", b"[" * 100_000])
def test_what_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(NotOtlp):
        batch("logs", body)


def test_records_that_are_none_are_counted() -> None:
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [1, {}, None, "x"]}, {"spans": 3}]}, 5]}
    assert malformed("traces", spans) == 3
    assert malformed("logs", {"resourceLogs": "x"}) == 0


def test_senders_without_end_cost_a_bounded_memory() -> None:
    recent: Recent[int] = Recent()
    for number in range(MOST + 10):
        recent.put(str(number), number)
    assert (len(recent), recent.get("9"), recent.get("10")) == (MOST, None, 10)
    reader = OtlpReader()
    (signal, body), *_ = recorded("tool")
    (span,) = [one for one in body["resourceSpans"][0]["scopeSpans"][0]["spans"] if one["name"].endswith("interaction")]
    body["resourceSpans"][0]["scopeSpans"][0]["spans"] = [
        {**span, "spanId": f"{number:016x}"} for number in range(MOST_HELD + 5)
    ]
    assert len(of(read([(signal, body)], reader, end=False), TurnStopped)) == 5


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
PATHS = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}


@given(st.sampled_from(sorted(PATHS)), st.integers(0, 8), st.randoms(use_true_random=False), ANY)
def test_no_value_anywhere_raises(signal: str, number: int, chance: Any, value: Any) -> None:
    names = sorted(path.stem for path in FIXTURES.glob("*.jsonl"))
    body = next(body for kind, body in recorded(names[number]) if kind == signal)
    places = list(walk(body))
    holder, key = chance.choice(places)
    holder[key] = value
    reader = OtlpReader()
    for record in records(signal, body, AT):
        for event in reader.take(record):
            assert event.session_id is not None
            assert 2020 <= event.at.year < 2100
    reader.settle(AT + timedelta(minutes=1), logs=True)


def walk(node: Any) -> Iterable[tuple[Any, Any]]:
    """Yield every place in a document at which something stands."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        yield from walk(value)
