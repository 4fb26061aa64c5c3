"""Every recorded hook payload of the real CLI: its facts are written down in `fixtures/claude/hook-facts`.

`UPDATE_SNAPSHOTS=1 pytest <this file>` writes them anew; read the difference before you commit it.
"""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from claude_code_mcp.kernel.events import Event, Source
from claude_code_mcp.platform.claude.facts import LineGarbled, LineUnknown, TaskFinished, ToolStarted
from claude_code_mcp.platform.claude.hooks import agent_meta, events_of, read_payload
from claude_code_mcp.platform.claude.hooks.block import NEVER
from claude_code_mcp.platform.claude.hooks.read import EVENTS
from tests.platform.claude.replay import AT, FIXTURES, plain

PAYLOADS = sorted((FIXTURES / "hooks").glob("*.json"))
FACTS = FIXTURES / "hook-facts"
NEVER_SEEN = {"TeammateIdle", "WorktreeRemove"}
"""Events that nobody could provoke."""
SESSION = "52e51168-822f-44d6-a8cc-90706d090de2"


def told(body: bytes) -> list[Event]:
    payload = read_payload(body)
    return events_of(payload, stem=payload.identity or payload.digest, at=AT, meta=agent_meta(payload))


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_recorded_payload_gives_the_facts_that_are_written_down(path: Path) -> None:
    lines = [msgspec.json.encode(plain(event)).decode() for event in told(path.read_bytes())]
    snapshot = FACTS / f"{path.stem}.jsonl"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text("".join(f"{line}\n" for line in lines))
    assert lines == snapshot.read_text().splitlines()


def test_each_snapshot_has_its_payload_and_each_event_is_known() -> None:
    assert {path.stem for path in FACTS.iterdir()} == {path.stem for path in PAYLOADS}
    recorded = {json.loads(path.read_bytes())["hook_event_name"] for path in PAYLOADS}
    assert recorded | NEVER_SEEN == set(EVENTS)
    assert len(EVENTS) == 33


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_what_is_told_is_whose_it_is_and_nothing_is_unknown(path: Path) -> None:
    payload = json.loads(path.read_bytes())
    events = told(path.read_bytes())
    assert events or payload["hook_event_name"] in NEVER
    for event in events:
        assert not isinstance(event.fact, LineUnknown | LineGarbled)
        assert (event.source, event.session_id, event.at) == (Source.HOOK, payload["session_id"], AT)
        if "agent_id" in payload and event.fact.kind.startswith("tool."):
            assert event.agent_id == payload["agent_id"]


def test_the_events_of_a_whole_session_have_keys_of_their_own() -> None:
    steps = [json.loads(line) for line in (FIXTURES / "hooks" / "full-session.jsonl").read_text().splitlines()]
    bodies = [json.dumps(step["payload"]).encode() for step in steps]
    keys = [event.source_key for body in bodies for event in told(body)]
    assert len(set(keys)) == len(keys)
    started = {event.tool_use_id for body in bodies for event in told(body) if event.fact.kind == "tool.started"}
    over = ("tool.finished", "tool.failed")
    ended = {event.tool_use_id for body in bodies for event in told(body) if event.fact.kind in over}
    assert started == ended


def payload_of(event: str, **fields: Any) -> bytes:
    return json.dumps({"session_id": SESSION, "hook_event_name": event, **fields}).encode()


def test_equal_calls_have_equal_digests_and_others_have_not() -> None:
    def digest(**tool_input: Any) -> str:
        (event,) = told(payload_of("PreToolUse", tool_name="Bash", tool_use_id="t1", tool_input=tool_input))
        assert isinstance(event.fact, ToolStarted)
        return event.fact.input_digest

    assert digest(command="ls", description="x") == digest(description="x", command="ls")
    assert digest(command="ls") != digest(command="ls ")


def test_the_end_of_an_agent_that_never_began_is_no_end() -> None:
    assert told(payload_of("SubagentStop", agent_id="a1", agent_type="", agent_transcript_path="/gone.jsonl")) == []
    (event,) = told(payload_of("SubagentStop", agent_id="a1", agent_type="Explore"))
    assert (event.fact.kind, event.agent_id) == ("subagent.finished", "a1")


def test_an_interrupted_call_ends_its_turn_and_a_stopped_task_itself() -> None:
    said: dict[str, Any] = {"prompt_id": "p1", "tool_use_id": "t1", "tool_input": {}}
    broken = told(payload_of("PostToolUseFailure", tool_name="Bash", error="stopped", is_interrupt=True, **said))
    assert [event.fact.kind for event in broken] == ["tool.failed", "turn.stopped"]
    wrong = told(payload_of("PostToolUseFailure", tool_name="Bash", error="exit 2", **said))
    assert [event.fact.kind for event in wrong] == ["tool.failed"]
    answer = {"task_id": "b1", "task_type": "local_bash", "message": "Successfully stopped task: b1"}
    _, stopped = told(payload_of("PostToolUse", tool_name="TaskStop", tool_response=answer, **said))
    assert stopped.fact == TaskFinished(task_id="b1", status="stopped", summary="Successfully stopped task: b1")


def test_secrets_are_taken_out() -> None:
    secret = "sk-ant-api03-" + "a1" * 20
    body = payload_of("PreToolUse", tool_name="Bash", tool_use_id="t1", tool_input={"command": f"export K={secret}"})
    assert secret.encode() not in msgspec.json.encode(told(body))
    assert secret.encode() not in msgspec.json.encode(told(b"{" + secret.encode()))


def test_an_event_of_a_newer_claude_code_is_kept_as_it_came() -> None:
    (event,) = told(payload_of("SomethingNew", what=1))
    assert isinstance(event.fact, LineUnknown)
    assert (event.fact.type, event.fact.subtype, json.loads(event.fact.raw)["what"]) == ("hook", "SomethingNew", 1)
