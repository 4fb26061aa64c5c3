"""One tool call, whole, from a session's transcript or from those of its subagents."""

import json
from pathlib import Path
from typing import Any

from claude_code_mcp.platform.claude.calls import Call, find_call

BIG = "x" * 100_000


def used(call: str, given: Any) -> str:
    block = {"type": "tool_use", "id": call, "name": "Bash", "input": given}
    return json.dumps({"type": "assistant", "message": {"role": "assistant", "content": [block]}})


def gave(call: str, content: Any) -> str:
    block = {"type": "tool_result", "tool_use_id": call, "content": content}
    return json.dumps({"type": "user", "message": {"role": "user", "content": [block]}})


def written(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_call_is_found_whole_among_others(tmp_path: Path) -> None:
    lines = [used("toolu_1", {"command": "ls"}), gave("toolu_1", "a"), used("toolu_2", {"command": BIG})]
    transcript = written(tmp_path / "s.jsonl", *lines, gave("toolu_2", [{"type": "text", "text": BIG}]))
    assert find_call(transcript, "toolu_2") == Call(input={"command": BIG}, output=BIG)


def test_a_call_of_a_subagent_is_found_in_its_own_transcript(tmp_path: Path) -> None:
    transcript = written(tmp_path / "s.jsonl", used("toolu_1", {}))
    inner = tmp_path / "s" / "subagents" / "agent-abc.jsonl"
    written(inner, used("toolu_9", {"command": "pwd"}), gave("toolu_9", [{"type": "image"}]))
    assert find_call(transcript, "toolu_9") == Call(input={"command": "pwd"}, output="[image]")


def test_broken_lines_missing_files_and_unknown_calls_give_nothing(tmp_path: Path) -> None:
    transcript = written(tmp_path / "s.jsonl", '{"toolu_1": "toolu_1"', '["toolu_1"]', '"toolu_1"', '{"a":"toolu_1"}')
    assert find_call(transcript, "toolu_1") == Call()
    assert find_call(tmp_path / "none.jsonl", "toolu_1") == Call()
    assert find_call(written(tmp_path / "empty.jsonl"), "toolu_1") == Call()


def test_a_text_that_quotes_the_id_is_not_the_call(tmp_path: Path) -> None:
    quoted = gave("toolu_5", json.dumps({"id": "toolu_1"}))
    assert find_call(written(tmp_path / "s.jsonl", quoted), "toolu_1") == Call()
