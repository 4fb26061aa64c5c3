"""What this version does not know is kept as it came."""

from typing import Any

import msgspec

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import LineUnknown
from claude_code_mcp.platform.claude.fields import word_of
from claude_code_mcp.platform.claude.stream.state import Line


def unknown_line(line: Line) -> None:
    """Keep the object at hand."""
    unknown_part(line, word_of(line.obj, "type"), word_of(line.obj, "subtype"), line.obj)


def unknown_part(line: Line, type_: str, subtype: str, value: Any) -> None:
    """Keep a part of the object at hand, under what it calls itself."""
    try:
        text = msgspec.json.encode(value).decode()
    except RecursionError:
        text = ""
    raw, size = clip(text, NOTE_BYTES)
    line.emit(LineUnknown(type=type_, subtype=subtype, raw=raw, raw_bytes=size), line.run_id)
