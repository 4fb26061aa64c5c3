"""Where a conversation is cut, on transcripts as Claude Code writes them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.claude.transcript.cutting import Cut, Moment, Where, find_cut

Line = dict[str, Any]


def _uuid(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def _line(number: int, kind: str, content: object = None, **more: object) -> Line:
    parent = _uuid(number - 1) if number else None
    message = {"role": kind, "content": content, **({"id": more.pop("message")} if "message" in more else {})}
    return {"parentUuid": parent, "isSidechain": False, "type": kind, "message": message, "uuid": _uuid(number), **more}


CONVERSATION: list[Line] = [
    _line(0, "user", "one", promptId="p1"),
    {"parentUuid": _uuid(0), "type": "attachment", "uuid": _uuid(1)},
    {"type": "api-request"},
    _line(2, "assistant", [{"type": "text", "text": "I look"}], message="m1"),
    _line(3, "assistant", [{"type": "tool_use", "id": "t1", "name": "Bash"}], message="m1"),
    _line(4, "user", [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}], promptId="p1"),
    _line(5, "assistant", [{"type": "text", "text": "done"}], message="m2"),
    {"parentUuid": _uuid(5), "type": "attachment", "uuid": _uuid(6)},
    _line(7, "user", "two", promptId="p2"),
    _line(8, "assistant", [{"type": "thinking", "thinking": "hm"}], message="m3"),
    _line(9, "assistant", [{"type": "tool_use", "id": "t2"}, {"type": "tool_use", "id": "t3"}], message="m3"),
    _line(10, "user", [{"type": "tool_result", "tool_use_id": "t2"}], promptId="p2"),
]  # fmt: skip


def _written(path: Path, lines: list[Line]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def _at(path: Path, where: Where, name: str = "") -> str | bool | None:
    cut = find_cut(path, Moment(where, name))
    return cut.message_uuid if cut is not None else False


def test_a_cut_is_made_at_the_message_that_belongs_to_the_moment(tmp_path: Path) -> None:
    path = _written(tmp_path / "t.jsonl", CONVERSATION)
    assert _at(path, Where.BEFORE_PROMPT, "p1") is None
    assert _at(path, Where.BEFORE_PROMPT, _uuid(0)) is None
    assert _at(path, Where.BEFORE_PROMPT, "p2") == _uuid(5)
    assert _at(path, Where.BEFORE_PROMPT, _uuid(7)) == _uuid(5)
    assert _at(path, Where.BEFORE_TOOL, "t1") == _uuid(0)
    assert _at(path, Where.AFTER_TOOL, "t1") == _uuid(4)
    assert _at(path, Where.BEFORE_TOOL, "t2") == _uuid(7)


def test_a_turn_ends_with_its_answer_or_where_the_next_begins(tmp_path: Path) -> None:
    path = _written(tmp_path / "whole", CONVERSATION)
    assert _at(path, Where.AFTER_TURN, "p1") == _uuid(5)
    assert _at(path, Where.AFTER_TURN, _uuid(0)) == _uuid(5)
    # The answer is on its way.
    assert _at(path, Where.AFTER_TURN, "p2") is False
    assert _at(_written(tmp_path / "cut", CONVERSATION[:6]), Where.AFTER_TURN, "p1") is False
    # It never came: the turn was broken off.
    assert find_cut(path, Moment(Where.AFTER_TURN, "p2"), so_far=True) == find_cut(path, Moment())
    steered = [*CONVERSATION[:7], _line(6, "user", "and", promptId="p1"), _line(7, "assistant", [{"type": "text"}])]
    assert _at(_written(tmp_path / "steered", steered), Where.AFTER_TURN, "p1") == _uuid(7)


def test_now_is_cut_where_no_call_is_open(tmp_path: Path) -> None:
    assert _at(_written(tmp_path / "a", CONVERSATION), Where.END) == _uuid(7)
    assert _at(_written(tmp_path / "b", CONVERSATION[:5]), Where.END) == _uuid(2)
    assert _at(_written(tmp_path / "c", CONVERSATION[:8]), Where.END) == _uuid(5)


def test_a_moment_that_is_not_written_yet_is_not_there(tmp_path: Path) -> None:
    path = _written(tmp_path / "t.jsonl", CONVERSATION)
    for where in (Where.BEFORE_PROMPT, Where.BEFORE_TOOL, Where.AFTER_TOOL):
        assert find_cut(path, Moment(where, "elsewhere")) is None
    assert find_cut(tmp_path / "none.jsonl", Moment()) is None
    assert find_cut(_written(tmp_path / "empty.jsonl", []), Moment()) == Cut(None, 0)


def test_the_place_is_where_the_line_ends(tmp_path: Path) -> None:
    path = _written(tmp_path / "t.jsonl", CONVERSATION)
    cut = find_cut(path, Moment(Where.BEFORE_PROMPT, "p2"))
    assert cut is not None
    kept = path.read_bytes()[: cut.end_bytes].splitlines()
    assert json.loads(kept[-1])["uuid"] == _uuid(5)


@pytest.mark.parametrize("where", [Where.BEFORE_PROMPT, Where.BEFORE_TOOL, Where.AFTER_TOOL, Where.END])
def test_a_long_transcript_gives_the_same_cut_as_a_short_one(tmp_path: Path, where: Where) -> None:
    name = {"before_prompt": "p2", "before_tool": "t2", "after_tool": "t1", "end": ""}[where]
    blob = {"type": "api-request-blob", "body": "x" * 700_000}
    long = [part for line in CONVERSATION for part in (blob, line)]
    assert _at(_written(tmp_path / "l", long), where, name) == _at(_written(tmp_path / "s", CONVERSATION), where, name)


@given(st.integers(0, len(CONVERSATION)), st.binary(max_size=30), st.sampled_from(list(Where)))
def test_what_is_cut_off_or_no_line_at_all_never_fails(
    tmp_path_factory: pytest.TempPathFactory, kept: int, rest: bytes, where: Where
) -> None:
    path = _written(tmp_path_factory.mktemp("t") / "t.jsonl", CONVERSATION[:kept])
    path.write_bytes(path.read_bytes() + rest)
    cut = find_cut(path, Moment(where, "t1"))
    assert cut is None or cut.end_bytes <= path.stat().st_size
