"""The model without its server: gates, records, and errors that are counted."""

import json
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from claude_code_mcp.testing import Kind, Outcome, ScriptedModel, Seen, parse_script
from claude_code_mcp.testing.gates import Gate
from claude_code_mcp.testing.model import Answered, Refused

pytestmark = pytest.mark.anyio

SCRIPT = parse_script(
    """
    scenarios:
      hi: [Hello.]
      shaky:
        - {error: {status: 529, times: 2}, text: There.}
      torn:
        - {cut: 1, text: There.}
      opus-down:
        - {error: {status: 529, model: opus}, text: There.}
    """
)


def ask(
    model: ScriptedModel, prompt: str, *, name: str = "m", session: str = "s", stream: bool = True
) -> tuple[Seen, Answered | Refused]:
    body = {"model": name, "messages": [{"role": "user", "content": prompt}], "stream": stream}
    headers = {"X-Claude-Code-Session-Id": session, "X-Api-Key": "secret", "X-Mine": "secret", "User-Agent": "test"}
    return model.answer("/v1/messages", headers, json.dumps(body).encode())


def ends(model: ScriptedModel, prompt: str, times: int, **more: str) -> list[object]:
    found: list[object] = []
    for _ in range(times):
        _, played = ask(model, prompt, **more)  # type: ignore[arg-type]  # the tests pass texts only
        found.append(played.failure.status if isinstance(played, Refused) else played.reply.end.value)
    return found


def test_an_error_comes_as_often_as_it_says_in_each_session() -> None:
    model = ScriptedModel(SCRIPT)
    assert ends(model, "[s:shaky]", 4) == [529, 529, "complete", "complete"]
    assert ends(model, "[s:shaky]", 3, session="other") == [529, 529, "complete"]
    model.reset()
    assert ends(model, "[s:shaky]", 1) == [529]


def test_a_stream_is_cut_as_often_as_it_says() -> None:
    model = ScriptedModel(SCRIPT)
    assert ends(model, "[s:torn]", 2) == ["cut", "complete"]
    _, whole = ask(model, "[s:torn]", session="other", stream=False)
    assert isinstance(whole, Answered)
    assert whole.reply.end.value == "complete"


def test_an_error_can_be_of_one_model_only() -> None:
    model = ScriptedModel(SCRIPT)
    assert ends(model, "[s:opus-down]", 1, name="claude-opus-5") == [529]
    assert ends(model, "[s:opus-down]", 1, name="claude-sonnet-5") == ["complete"]


def test_ids_are_the_same_in_the_same_place_and_new_for_a_retry() -> None:
    def ids(model: ScriptedModel) -> list[str]:
        return [
            played.reply.id for _ in range(2) for played in [ask(model, "[s:hi]")[1]] if isinstance(played, Answered)
        ]

    first, second = ids(ScriptedModel(SCRIPT)), ids(ScriptedModel(SCRIPT))
    assert first == second
    assert len(set(first)) == 2


def test_an_unknown_scenario_is_a_400_that_says_so() -> None:
    model = ScriptedModel(SCRIPT)
    seen, played = ask(model, "[s:nope]")
    assert isinstance(played, Refused)
    assert played.failure.status == 400
    assert "no scenario 'nope'" in str(played.failure.message)
    assert seen in model.seen()


def test_scenarios_can_be_added_while_the_model_runs() -> None:
    model = ScriptedModel(SCRIPT)
    model.add(parse_script("scenarios: {new: [New.], hi: [Changed.]}"))
    said = [played.reply.text for name in ("new", "hi") for played in [ask(model, f"[s:{name}]")[1]]]  # type: ignore[union-attr]  # both are answered
    assert said == ["New.", "Changed."]


def test_no_credential_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    model = ScriptedModel(SCRIPT, record_path=path)
    seen, _ = ask(model, "[s:hi]")
    model.recorder.finish(seen, Outcome.ANSWERED, 200)
    model.close()
    assert "secret" not in repr(seen)
    assert seen.auth == ("x-api-key",)
    assert "secret" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    arrival, end = map(json.loads, path.read_text().splitlines())
    assert (arrival["scenario"], arrival["auth"], arrival["headers"]["x-mine"]) == (
        "hi",
        ["x-api-key"],
        "(not recorded)",
    )
    assert arrival["body"]["messages"][0]["content"] == "[s:hi]"
    assert end == {"number": 1, "outcome": "answered", "status": 200}


@pytest.mark.parametrize("raw", [b'{\n"a": 1}', b"no json", b"", b'{"model"'])
def test_every_record_is_one_line(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "seen.jsonl"
    model = ScriptedModel(SCRIPT, record_path=path)
    model.record_other(Kind.OTHER, "GET", "/", {}, raw)
    model.close()
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 1


async def test_waiting_for_a_request_takes_those_that_came_already() -> None:
    model = ScriptedModel(SCRIPT)
    ask(model, "[s:hi]")
    ask(model, "[s:torn]", session="t")
    (found,) = await model.wait_for(where=lambda one: one.session_id == "t")
    assert found.scenario == "torn"
    with pytest.raises(TimeoutError, match=r"seen: hi#1 open, torn#1 open"):
        await model.wait_for(3, timeout_s=0.01)


async def test_waiting_ends_when_the_request_comes_or_is_finished() -> None:
    model = ScriptedModel(SCRIPT)
    async with anyio.create_task_group() as group:
        group.start_soon(model.wait_for, 1)
        group.start_soon(model.wait_for, 1, lambda one: one.outcome is Outcome.GONE)
        await anyio.sleep(0)
        seen, _ = await anyio.to_thread.run_sync(ask, model, "[s:hi]")
        model.recorder.finish(seen, Outcome.GONE, 200)


async def test_a_gate_lets_through_as_many_as_it_is_told() -> None:
    gate = Gate("g")
    passed: list[int] = []

    async def come(number: int) -> None:
        await gate.pass_through()
        passed.append(number)

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(come, number)
        await gate.wait_reached(3)
        gate.release(2)
        with pytest.raises(TimeoutError, match="1 of 2 replies wait at gate 'g'"):
            await gate.wait_reached(2, timeout_s=0.05)
        assert len(passed) == 2
        gate.open()
    assert sorted(passed) == [0, 1, 2]
    assert gate.waiting == 0


async def test_who_gives_up_at_a_gate_takes_no_pass() -> None:
    gate = Gate("g")
    async with anyio.create_task_group() as group:
        group.start_soon(gate.pass_through)
        await gate.wait_reached()
        gate.release()
        group.cancel_scope.cancel()
    with anyio.fail_after(60):
        await gate.pass_through()


def test_old_requests_make_room_for_new_ones() -> None:
    model = ScriptedModel(SCRIPT)
    headers: Mapping[str, str] = {}
    for _ in range(600):
        model.record_other(Kind.OTHER, "GET", "/", headers, b"")
    numbers = [one.number for one in model.seen(kind=None)]
    assert numbers == list(range(101, 601))
