"""One tool call, whole: what it was given and what it gave, as the transcripts of its session have it."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, text_of

_DECODE = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Call:
    """A tool call. `input`, `output` are None where the transcript does not have them."""

    input: Any = None
    output: str | None = None


def find_call(transcript: Path, tool_use_id: str) -> Call:
    """Return a call from a session's transcript or from those of its subagents; empty where none of them has it.

    Only the lines that name the call are read as JSON, however big the file is.
    """
    found = Call()
    for path in (transcript, *_of_subagents(transcript)):
        for line in _lines_with(path, tool_use_id):
            _take(found, line, tool_use_id)
        if found.input is not None and found.output is not None:
            break
    return found


def _of_subagents(transcript: Path) -> Iterator[Path]:
    try:
        yield from sorted((transcript.with_suffix("") / "subagents").rglob("agent-*.jsonl"))
    except OSError:
        return


def _lines_with(path: Path, tool_use_id: str) -> Iterator[dict[str, Any]]:
    # Inside a text the quotes would be escaped, so this finds whole values only.
    needle = f'"{tool_use_id}"'.encode()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(needle)
            while at >= 0:
                end = data.find(b"\n", at)
                end = len(data) if end < 0 else end
                line = _decoded(data[data.rfind(b"\n", 0, at) + 1 : end])
                if line is not None:
                    yield line
                at = data.find(needle, end)
    except (OSError, ValueError):
        return


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        value = _DECODE(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _take(found: Call, line: dict[str, Any], tool_use_id: str) -> None:
    for block in dicts_of(dict_of(line, "message"), "content"):
        if block.get("type") == "tool_use" and block.get("id") == tool_use_id:
            found.input = block.get("input")
        elif block.get("type") == "tool_result" and block.get("tool_use_id") == tool_use_id:
            found.output = _said(block)


def _said(block: dict[str, Any]) -> str:
    if isinstance(text := block.get("content"), str):
        return text
    return "\n".join(text_of(part, "text") or f"[{part.get('type')}]" for part in dicts_of(block, "content"))
