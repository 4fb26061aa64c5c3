"""Lines of a transcript that were not recorded, and lines that are none."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.claude.facts import (
    LineOversized,
    MessageSaid,
    PermissionModeChanged,
    PromptTaken,
    SessionTitled,
    TaskFinished,
    ToolDenied,
    TurnStopped,
)
from claude_code_mcp.platform.claude.stream import Oversized
from claude_code_mcp.platform.claude.transcript import (
    Origin,
    Tally,
    TranscriptState,
    may_tell,
    read_entry,
    read_oversized,
)
from claude_code_mcp.platform.claude.transcript.notices import command, task_notice
from tests.platform.claude.transcript.files import AT, NAMES, SESSION, line, read, recorded

KEY = "sk-ant-api03-abcdefghijklmnop1234567890"


def _said(content: Any, **fields: Any) -> bytes:
    return line("user", message={"role": "user", "content": content}, **fields)


def test_a_refused_call_is_denied_and_says_by_whom() -> None:
    block = {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": "not granted"}
    decision = {"decision": "reject", "source": "config", "reasonCode": "unknown"}
    (event,) = read(
        _said([block], toolUseResult="Error: not granted", toolDenialKind="user-rejected", permissionDecision=decision)
    )
    assert isinstance(event.fact, ToolDenied)
    assert (event.fact.cause, event.fact.decided_by, event.tool_use_id) == ("user-rejected", "config", "toolu_1")


def test_an_api_error_ends_the_turn() -> None:
    text = {"type": "text", "text": "API Error: 529 overloaded"}
    message = {"id": "m", "model": "<synthetic>", "stop_reason": "stop_sequence", "content": [text]}
    error = line("assistant", message=message, isApiErrorMessage=True, error="overloaded", apiErrorStatus=529)
    said, stopped = [event.fact for event in read(error)]
    assert isinstance(said, MessageSaid)
    assert (said.error, said.error_status, said.synthetic) == ("overloaded", 529, True)
    assert stopped == TurnStopped(ok=False, error="overloaded")


def test_what_claude_code_says_in_a_persons_name_is_no_prompt_of_a_person() -> None:
    assert read(_said("<system-reminder>x</system-reminder>", isMeta=True)) == []
    (taken, _) = read(_said("<command-name>/review</command-name><command-args>all of it</command-args>", promptId="p"))
    assert isinstance(taken.fact, PromptTaken)
    assert (taken.fact.text, taken.fact.origin) == ("/review all of it", "command")
    assert command("<bash-input>ls -l</bash-input>") == ("!ls -l", "shell")


def test_a_notification_is_read_and_what_a_task_itself_says_in_it_is_not() -> None:
    text = (
        "<task-notification>\n<task-id>b1</task-id>\n<tool-use-id>toolu_1</tool-use-id>\n<status>failed</status>\n"
        "<summary>it broke</summary>\n<result><status>completed</status><task-id>other</task-id></result>\n"
        "</task-notification>"
    )
    notice = task_notice(text)
    assert notice is not None
    assert (notice.task_id, notice.status, notice.subagent) == ("b1", "failed", False)
    facts = [event.fact for event in read(_said(text, promptId="p"))]
    assert facts[0] == TaskFinished(task_id="b1", status="failed", summary="it broke")
    assert isinstance(facts[1], PromptTaken)
    assert facts[1].origin == "task-notification"


def test_a_change_of_mode_is_told_once() -> None:
    lines = [_said(text, permissionMode=mode) for text, mode in (("a", "default"), ("b", "plan"), ("c", "plan"))]
    changes = [event.fact for event in read(*lines) if isinstance(event.fact, PermissionModeChanged)]
    assert changes == [PermissionModeChanged(mode="plan", previous="default")]


def test_secrets_never_come_out_of_a_transcript() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": f"export K={KEY}"}}
    lines = (
        _said(f"use {KEY}"),
        line("assistant", message={"id": "m", "role": "assistant", "model": "opus", "content": [call]}),
        line("custom-title", customTitle=KEY),
    )
    assert KEY not in str([msgspec.json.encode(event) for event in read(*lines)])
    tally = Tally()
    tally.take(lines)
    assert KEY not in str(tally)
    assert "[redacted]" in tally.first_prompt


def test_a_title_given_by_a_person_wins_over_one_that_was_made_up() -> None:
    tally = Tally()
    tally.take([line("x"), b'{"type":"custom-title","customTitle":"mine"}', b'{"type":"ai-title","aiTitle":"other"}'])
    assert tally.title == "mine"
    (event,) = read(b'{"type":"ai-title","aiTitle":"other","sessionId":"%s"}' % SESSION.encode())
    assert event.fact == SessionTitled(title="other")


def test_requests_to_the_api_are_passed_over_unread() -> None:
    blob = b'{"type":"api-request-blob","message":{"role":"user","content":[{"type":"tool_use","id":"x"}]}}'
    snapshot = b'{"parentUuid":null,"isSidechain":false,"attachment":{"type":"prompt_snapshot","systemPrompt":["x"]}}'
    assert not may_tell(blob)
    assert not may_tell(snapshot)
    tally = Tally()
    tally.take([blob, snapshot])
    assert tally == Tally()


def test_a_line_too_long_to_read_is_told_with_its_size() -> None:
    reading = read_oversized(TranscriptState(), Oversized(b'{"a":"b', 10**8), origin=Origin(SESSION), offset=5, at=AT)
    (event,) = reading.events
    assert event.fact == LineOversized(raw='{"a":"b', line_bytes=10**8)
    request = Oversized(b'{"type":"api-request","x":"', 10**8)
    assert read_oversized(TranscriptState(), request, origin=Origin(SESSION), offset=5, at=AT).events == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_torn_line_and_one_that_is_glued_to_it_lose_only_the_torn_one(name: str) -> None:
    lines = [one for one in recorded(name).read_bytes().splitlines() if may_tell(one) and b'"uuid"' in one]
    torn, whole = lines[0][: len(lines[0]) // 2], lines[-1]
    origin, state = Origin(recorded(name).stem), TranscriptState(opened=True)
    alone = read_entry(state, whole, origin=origin, offset=0, at=AT)
    glued = read_entry(state, torn + whole, origin=origin, offset=0, at=AT)
    after_nuls = read_entry(state, b"\0" * 4096 + whole, origin=origin, offset=0, at=AT)
    keys = [event.source_key for event in alone.events]
    assert [event.source_key for event in after_nuls.events] == keys
    assert [event.source_key for event in glued.events] == keys


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["message", "attachment", "toolUseResult", "permissionDecision", "error", "compactMetadata", "origin", "uuid",
     "timestamp", "sessionId", "agentId", "promptId", "permissionMode", "content", "isMeta", "subtype", "summary"]
)  # fmt: skip
_KINDS = st.sampled_from(["user", "assistant", "system", "attachment", "summary", "cost-state", "custom-title"])


@pytest.mark.parametrize("depth", [50, 400, 900, 3000, 200_000])
def test_no_depth_of_nesting_raises(depth: int) -> None:
    nested = b"[" * depth + b'"%s"' % KEY.encode() + b"]" * depth
    for text in (
        b'{"type":"user","message":{"content":' + nested + b"}}",
        b'{"type":"user","message":' + nested + b"}",
    ):
        for event in read(text):
            msgspec.json.encode(event)
    call = b'{"type":"tool_use","id":"t","name":"X","input":{"a":' + nested + b"}}"
    for event in read(b'{"type":"assistant","message":{"content":[' + call + b"]}}"):
        assert KEY.encode() not in msgspec.json.encode(event)


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    read(data)
    Tally().take([data])


@given(_KINDS, st.dictionaries(_NAMES, _JSON, max_size=8))
def test_no_fields_of_a_known_line_raise(kind: str, fields: dict[str, Any]) -> None:
    data = json.dumps({"type": kind, **fields}).encode("utf-8", "surrogatepass")
    for event in read(data):
        msgspec.json.encode(event)
    tally = Tally()
    tally.take([b'{"parentUuid":null,' + data[1:], data])
    msgspec.json.encode(tally)


@given(st.text(max_size=400))
def test_no_text_is_read_as_a_notification_that_raises(text: str) -> None:
    task_notice("<task-notification>" + text)
    command("<command-name>" + text)
