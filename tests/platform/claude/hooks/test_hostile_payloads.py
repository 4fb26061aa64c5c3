"""Payloads that nobody vouches for: they never raise, and lead to no file but that of the session's own subagent."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.facts import LineGarbled, LineOversized
from claude_code_mcp.platform.claude.hooks import agent_meta, events_of, read_payload
from claude_code_mcp.platform.claude.hooks.payload import LIMIT_BYTES
from claude_code_mcp.platform.claude.hooks.read import EVENTS
from tests.platform.claude.replay import AT, FIXTURES

SESSION = "52e51168-822f-44d6-a8cc-90706d090de2"
BODIES = [path.read_bytes() for path in sorted((FIXTURES / "hooks").glob("*.json"))]
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELDS = sorted({name for body in BODIES for name in json.loads(body)})


def told(body: bytes) -> list[Event]:
    payload = read_payload(body)
    events = events_of(payload, stem="s", at=AT, meta=agent_meta(payload))
    for event in events:
        assert len(msgspec.json.encode(event)) < 600_000
    return events


@given(st.binary(max_size=300))
def test_any_bytes_are_read(body: bytes) -> None:
    told(body)


@given(st.sampled_from(EVENTS), st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=8))
def test_any_values_in_any_fields_are_read(event: str, fields: dict[str, Any]) -> None:
    body = {"session_id": SESSION, **fields, "hook_event_name": event}
    told(json.dumps(body).encode())


@given(st.sampled_from(BODIES), st.data())
def test_a_payload_with_a_cut_or_a_foreign_value_is_read(body: bytes, data: st.DataObject) -> None:
    told(body[: data.draw(st.integers(0, len(body)))])
    obj = json.loads(body)
    obj[data.draw(st.sampled_from(sorted(obj)))] = data.draw(JUNK)
    told(json.dumps(obj).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        b'{"hook_event_name": "PreToolUse", "session_id": "' + SESSION.encode() + b'", "tool_input": "\\ud800"}',
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b'{"hook_event_name": "Stop", "background_tasks": [[[[{}]]]], "session_id": 7}',
    ],
    ids=["nothing", "null", "list", "no text", "half a character", "deep", "wrong types"],
)
def test_what_is_no_hook_is_kept_as_garbage_or_unknown(body: bytes) -> None:
    assert len(told(body)) <= 2


def test_a_payload_of_any_size_costs_a_bounded_event() -> None:
    whole = {"hook_event_name": "PreToolUse", "session_id": SESSION, "tool_name": "Write", "tool_use_id": "t"}
    (event,) = told(json.dumps({**whole, "tool_input": {"content": "x" * 15_000_000}}).encode())
    assert len(msgspec.json.encode(event)) < 40_000
    (oversized,) = told(b'{"a": "' + b"x" * LIMIT_BYTES + b'"}')
    assert isinstance(oversized.fact, LineOversized)
    (garbled,) = told(b"hello")
    assert isinstance(garbled.fact, LineGarbled)


META = {"agentType": "Explore", "toolUseId": "toolu_1", "parentAgentId": "a0", "spawnDepth": 2, "description": "look"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder of transcripts with one session's subagent `a1`."""
    found = tmp_path / "projects" / "-home-dev"
    (found / SESSION / "subagents").mkdir(parents=True)
    (found / SESSION / "subagents" / "agent-a1.meta.json").write_text(json.dumps(META))
    return found


def started(folder: Path, **fields: Any) -> list[Event]:
    body = {
        "session_id": SESSION,
        "hook_event_name": "SubagentStart",
        "agent_id": "a1",
        "agent_type": "Explore",
        "transcript_path": f"{folder}/{SESSION}.jsonl",
        **fields,
    }
    return told(json.dumps(body).encode())


def test_the_call_that_launched_a_subagent_is_read_beside_the_transcript(folder: Path) -> None:
    begun, linked = started(folder)
    assert (begun.fact.kind, begun.tool_use_id, begun.agent_id) == ("subagent.started", "toolu_1", "a1")
    assert (linked.fact.kind, linked.tool_use_id, linked.subject) == ("agent.linked", "toolu_1", "a1")
    assert msgspec.to_builtins(linked.fact) == {
        "agent_type": "Explore",
        "description": "look",
        "parent_agent_id": "a0",
        "depth": 2,
    }


@pytest.mark.parametrize(
    "forged",
    [
        {"transcript_path": "/etc/passwd"},
        {"transcript_path": f"relative/{SESSION}.jsonl"},
        {"transcript_path": f"/x/../projects/y/{SESSION}.jsonl"},
        {"transcript_path": f"/nowhere/projects/y/{SESSION}.jsonl"},
        {"transcript_path": 7},
        {"transcript_path": f"/x\0/projects/{SESSION}.jsonl"},
        {"agent_id": "../../../../etc/passwd"},
        {"agent_id": "a1/../a1"},
        {"agent_id": "a" * 5000},
        {"session_id": "../../x"},
    ],
)
def test_a_forged_path_leads_nowhere(folder: Path, forged: dict[str, Any]) -> None:
    assert [event.fact.kind for event in started(folder, **forged) if event.fact.kind == "agent.linked"] == []


def test_a_folder_that_holds_no_transcripts_of_a_project_is_not_entered(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "x"
    elsewhere.parent.mkdir()
    folder.rename(elsewhere)
    assert [event.fact.kind for event in started(elsewhere)] == ["subagent.started"]


@pytest.mark.parametrize("part", ["file", "subagents", "session"])
def test_no_link_is_followed_and_no_pipe_waited_for(folder: Path, tmp_path: Path, part: str) -> None:
    session = folder / SESSION
    file = session / "subagents" / "agent-a1.meta.json"
    linked = {"file": file, "subagents": session / "subagents", "session": session}[part]
    linked.rename(tmp_path / "real")
    linked.symlink_to(tmp_path / "real")
    assert [event.fact.kind for event in started(folder)] == ["subagent.started"]
    if part == "file":
        file.unlink()
        os.mkfifo(file)
        assert [event.fact.kind for event in started(folder)] == ["subagent.started"]


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b'{"toolUseId": 7, "spawnDepth": "x"}', b"\xff" * 100_000])
def test_a_broken_description_tells_nothing(folder: Path, content: bytes) -> None:
    (folder / SESSION / "subagents" / "agent-a1.meta.json").write_bytes(content)
    assert "agent.linked" not in [event.fact.kind for event in started(folder)]
