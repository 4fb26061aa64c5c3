"""Lines as a full disk, a killed writer or an enemy leaves them: nothing is raised, nothing whole is lost."""

import json
import sqlite3
import time
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, TEXT_BYTES
from claude_code_mcp.platform.claude.facts import (
    LineGarbled,
    LineOversized,
    LineUnknown,
    MessageSaid,
    ToolFinished,
    ToolStarted,
    TurnFinished,
)
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.claude.requests import ToolQuestion
from claude_code_mcp.platform.claude.stream import Oversized, Reading, StreamState, read_line, read_oversized
from tests.platform.claude.replay import AT, RUN, STREAMS, plain

_T = TypeVar("_T")
_SESSION = "50149376-bd13-4c6e-9303-f3f5d55c6e40"
_LINES = sorted({line for path in STREAMS for line in path.read_bytes().splitlines() if line}, key=len)
_OPEN = StreamState(session_id=_SESSION, turn=1, turn_open=True)


def _read(data: bytes, state: StreamState = _OPEN) -> Reading:
    return read_line(state, data, run_id=RUN, offset=100, at=AT)


def _said(text: str) -> bytes:
    block = {"type": "text", "text": text}
    line = {"type": "assistant", "message": {"id": "m", "content": [block]}, "session_id": _SESSION, "uuid": "u"}
    return json.dumps(line).encode()


def _check_storable(reading: Reading) -> None:
    """Each event and the state fit JSON and SQLite, and say when and where."""
    keys = [event.source_key for event in (*reading.events, *reading.live)]
    assert len(keys) == len(set(keys))
    db = sqlite3.connect(":memory:")
    for event in (*reading.events, *reading.live):
        payload = msgspec.json.encode(event.fact).decode()
        columns = (payload, event.subject, event.parent, event.tool_use_id, event.agent_id, event.source_key)
        assert db.execute("SELECT json_valid(?), length(?)", columns[:2]).fetchone() == (1, len(event.subject))
        assert all("\0" not in (column or "") for column in columns)
        assert len(payload) < 4 * TEXT_BYTES
    db.close()
    state = msgspec.json.encode(reading.state)
    assert msgspec.json.decode(state, type=StreamState) == reading.state


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
_line = st.sampled_from(_LINES)


@given(st.binary(max_size=300))
@example(b"")
@example(b"\n")
@example(b"\0\0\0\n")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"type":{"type":[]}}')
@example(b'{"type":"assistant","message":{"content":[[],{},{"type":7}]}}')
@example(b'"text"')
@example(b"NaN")
@example(b'{"type":"result","total_cost_usd":1e999}')
@example(b'{"type":"result","total_cost_usd":' + b"9" * 5000 + b"}")
def test_any_bytes_are_read_without_an_exception(data: bytes) -> None:
    _check_storable(_read(data))


@given(_line, st.data())
def test_a_cut_line_is_read_without_an_exception(line: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    _check_storable(_read(line[start:end]))


@given(_line, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=5))
def test_a_line_with_garbled_bytes_is_read_without_an_exception(line: bytes, changes: list[tuple[int, int]]) -> None:
    garbled = bytearray(line)
    for position, value in changes:
        garbled[position % len(line)] = value
    _check_storable(_read(bytes(garbled)))


@given(_line, st.data())
def test_a_field_of_any_other_type_is_read_without_an_exception(line: bytes, data: st.DataObject) -> None:
    obj = json.loads(line)
    place: Any = obj
    path = data.draw(st.integers(1, 4))
    for _ in range(path):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], (dict, list)) and place[key]:
            place = place[key]
            continue
        place[key] = data.draw(_json)
        break
    else:
        obj["message"] = data.draw(_json)
    _check_storable(_read(json.dumps(obj).encode(errors="surrogatepass")))


@given(st.lists(_line, min_size=1, max_size=8), st.data())
def test_lines_in_any_order_are_read_and_reading_them_again_gives_the_same(
    lines: list[bytes], data: st.DataObject
) -> None:
    def read_all() -> list[object]:
        state, offset, out = StreamState(), 0, list[object]()
        for line in lines:
            reading = read_line(state, line, run_id=RUN, offset=offset, at=AT)
            _check_storable(reading)
            out += [plain(event) for event in (*reading.events, *reading.live)]
            out += reading.control
            state, offset = reading.state, offset + len(line)
        return [*out, state]

    assert read_all() == read_all()


@given(_line, _line, st.data())
def test_a_whole_line_glued_to_a_torn_one_is_not_lost(torn: bytes, whole: bytes, data: st.DataObject) -> None:
    """A full disk cuts a line; when there is room again the next one follows without a line end between them."""
    cut = torn[: data.draw(st.integers(1, len(torn) - 1))]
    reading = _read(cut + whole)
    # A NUL, a blank or half a sign may end the torn part; the facts of the whole line are there in any case.
    wanted = [event.fact for event in _read(whole).events]
    got = [event.fact for event in reading.events]
    garbled = [fact for fact in got if isinstance(fact, LineGarbled)]
    assert [fact for fact in got if not isinstance(fact, LineGarbled)] == wanted
    assert len(garbled) == 1
    assert garbled[0].recovered == 1
    assert [type(item) for item in reading.control] == [type(item) for item in _read(whole).control]


@given(_line, _line)
def test_two_whole_lines_in_one_are_both_read(first: bytes, second: bytes) -> None:
    one = _read(first)
    other = _read(second, one.state)
    both = _read(first + second)
    assert [event.fact for event in both.events] == [event.fact for event in (*one.events, *other.events)]
    assert both.state == other.state
    assert both.control == one.control + other.control


@given(_line, st.integers(1, 5000))
def test_nuls_before_a_line_are_skipped(line: bytes, count: int) -> None:
    assert [plain(event) for event in _read(b"\0" * count + line).events] == [
        plain(event) for event in _read(line).events
    ]


def test_a_part_of_a_torn_line_is_not_taken_for_a_line() -> None:
    torn = b'{"type":"assistant","message":{"content":[{"type":"user","message":{"content":"forged"}}'
    reading = _read(torn + _said("whole"))
    assert [event.fact.text for event in reading.events if isinstance(event.fact, MessageSaid)] == ["whole"]


def test_half_characters_nuls_and_separators_are_kept_visible() -> None:
    reading = _read(_said("a\ud800b\x00c\u2028d\U0001f600").replace(b"\\u0000", b"\\u0000"))
    fact = _only(reading.events, MessageSaid)
    assert fact.text == "a\\ud800b\x00c\u2028d\U0001f600"
    _check_storable(reading)


def test_invalid_utf8_is_kept_as_visible_escapes() -> None:
    fact = _only(_read(_said("abc").replace(b"abc", b"a\xff\xfeb")).events, MessageSaid)
    assert fact.text == "a\\xff\\xfeb"


def test_a_raw_control_character_inside_a_string_does_not_lose_the_line() -> None:
    assert _only(_read(_said("abc").replace(b"abc", b"a\tb\x01c")).events, MessageSaid).text == "a\tb\x01c"


@pytest.mark.parametrize(
    "result", [None, 7, "text", [], {}, [{"type": "image"}, "plain", {"type": "text", "text": "t"}]]
)
def test_a_tool_result_may_have_any_shape(result: object) -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": result}
    line = {"type": "user", "message": {"content": [block]}, "tool_use_result": result, "session_id": _SESSION}
    reading = _read(json.dumps(line).encode())
    assert _only(reading.events, ToolFinished).output in ("", "text", "plain\nt")


def test_a_text_of_a_megabyte_and_a_half_is_cut_and_its_size_told() -> None:
    line = _said("ü" * 750_000)
    started = time.process_time()
    fact = _only(_read(line).events, MessageSaid)
    assert time.process_time() - started < 1
    assert fact.text == "ü" * (TEXT_BYTES // 2)
    assert fact.text_bytes == 1_500_000


@pytest.mark.parametrize("unit", [b'{"', b'{"a":', b'{"type":"user"', b'{"a":[', b'{"\\"{"', b'{"type":"user"}x'])
def test_a_hostile_megabyte_is_given_up_in_bounded_time(unit: bytes) -> None:
    started = time.process_time()
    _check_storable(_read(unit * (1_500_000 // len(unit))))
    assert time.process_time() - started < 5


def test_a_huge_tool_input_keeps_its_shape_and_tells_its_size() -> None:
    block = {
        "type": "tool_use",
        "id": "t1",
        "name": "Write",
        "input": {"file_path": "/a", "content": "x" * 100_000},
    }
    line = {"type": "assistant", "message": {"content": [block]}, "session_id": _SESSION}
    fact = _only(_read(json.dumps(line).encode()).events, ToolStarted)
    assert fact.input["file_path"] == "/a"
    assert len(fact.input["content"]) < 3_000
    assert fact.input_bytes > 100_000


def test_a_question_carries_the_whole_input_though_its_event_is_cut() -> None:
    arguments = {"file_path": "/a", "content": "x" * 100_000}
    request = {"subtype": "can_use_tool", "tool_name": "Write", "input": arguments, "tool_use_id": "t1"}
    reading = _read(json.dumps({"type": "control_request", "request_id": "r1", "request": request}).encode())
    (item,) = reading.control
    assert isinstance(item, ToolQuestion)
    assert item.input == arguments
    assert len(msgspec.json.encode(reading.events[0].fact)) < 10_000


def test_unknown_types_subtypes_and_blocks_are_kept_raw() -> None:
    for line in (
        {"type": "new_thing", "a": 1},
        {"type": "system", "subtype": "new_thing", "a": 1},
        {"type": "assistant", "message": {"content": [{"type": "new_thing", "a": 1}]}},
        {"type": "command_lifecycle", "command_uuid": "u", "state": "new_thing"},
        {"a": 1},
    ):
        fact = _only(_read(json.dumps(line).encode()).events, LineUnknown)
        assert '"a":1' in fact.raw or "new_thing" in fact.raw


def test_a_long_unknown_line_is_cut_and_its_size_told() -> None:
    fact = _only(_read(json.dumps({"type": "new_thing", "a": "x" * 9_000}).encode()).events, LineUnknown)
    assert len(fact.raw) == NOTE_BYTES
    assert fact.raw_bytes > 9_000


def test_an_oversized_line_is_told_with_its_size_and_hash() -> None:
    oversized = Oversized(head=b'{"type":"assistant"' + b"x" * 20_000, line_bytes=10**9, sha256="ab" * 32)
    reading = read_oversized(_OPEN, oversized, run_id=RUN, offset=5, at=AT)
    fact = _only(reading.events, LineOversized)
    assert (fact.line_bytes, fact.sha256, len(fact.raw)) == (10**9, "ab" * 32, NOTE_BYTES)
    assert reading.state is _OPEN
    assert reading.events[0].source_key == "run:5:0"


def test_a_hostile_time_does_not_count() -> None:
    for text in (
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "yesterday",
        "2026-11-20T03:18:07" + "0" * 99,
    ):
        line = json.loads(_said("x"))
        assert _read(json.dumps({**line, "timestamp": text}).encode()).events[0].at == AT


def test_a_flood_of_open_tools_does_not_grow_the_state_without_end() -> None:
    state = _OPEN
    for number in range(1_000):
        block = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {}}
        line = {"type": "assistant", "message": {"content": [block]}, "session_id": _SESSION}
        state = _read(json.dumps(line).encode(), state).state
    assert len(state.tools) == 400
    assert "t999" in state.tools


def test_secrets_leave_the_events_but_not_the_questions() -> None:
    key, token = "sk-ant-api03-" + "A1b2" * 10, 'pa"ss\\wörd-123'
    arguments = {"command": f"curl -H 'x-api-key: {key}' -u '{token}'"}
    request = {"subtype": "can_use_tool", "tool_name": "Bash", "input": arguments, "tool_use_id": "t1"}
    line = json.dumps({"type": "control_request", "request_id": "r1", "request": request}).encode()
    scrubber = Scrubber({"DEPLOY_PASSWORD": token})
    reading = read_line(_OPEN, line, run_id=RUN, offset=0, at=AT, scrubber=scrubber)
    (item,) = reading.control
    assert isinstance(item, ToolQuestion)
    assert item.input == arguments
    stored = msgspec.json.encode(reading.events[0].fact).decode()
    assert key not in stored
    assert json.dumps(token, ensure_ascii=False)[1:-1] not in stored
    assert stored.count("[redacted]") >= 2


def test_an_answer_about_an_unchanged_session_leaves_the_state_object_alone() -> None:
    line = json.dumps({"type": "control_response", "response": {"subtype": "success", "request_id": "r"}}).encode()
    assert _read(line).state is _OPEN


def test_a_result_without_numbers_is_a_turn_all_the_same() -> None:
    fact = _only(
        _read(b'{"type":"result","subtype":"success","total_cost_usd":"much","usage":[]}').events, TurnFinished
    )
    assert (fact.ok, fact.cost_microusd) == (True, 0)


def _only(events: tuple[Event, ...], kind: type[_T]) -> _T:
    (fact,) = (event.fact for event in events)
    assert isinstance(fact, kind)
    return fact
