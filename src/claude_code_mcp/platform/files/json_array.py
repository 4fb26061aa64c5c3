"""Pure edits of arrays in JSON texts: an item more at the end, an item less, every other byte as it is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from claude_code_mcp.platform.files.errors import BrokenText
from claude_code_mcp.platform.files.json_document import Document
from claude_code_mcp.platform.files.json_style import Style, line_indent

_DECODER = json.JSONDecoder()
Step = str | int
"""A key of an object, or the place of an item in an array."""


@dataclass(frozen=True, slots=True)
class _Array:
    """An array in a text: its brackets, and where each item begins and ends."""

    start: int
    end: int
    items: tuple[tuple[int, int], ...]


def append_item(text: str, path: Sequence[Step], item: Any) -> str:
    """Return `text` with `item` at the end of the array at `path`.

    Raises:
        BrokenText: `text` is not valid, or has no array there, or has a key of `path` twice.
    """
    document = Document(text)
    array, style = _array(document, path), Style.of(document)
    if not array.items:
        indent = line_indent(text, array.start) + style.unit
        body = f"{style.newline}{indent}{style.pretty(item, indent)}{style.newline}{line_indent(text, array.start)}"
        inside = style.compact(item) if style.one_line else body
        return f"{text[: array.start]}[{inside}]{text[array.end + 1 :]}"
    first, last = array.items[0][0], array.items[-1][1]
    if "\n" not in text[array.start : first]:
        return f"{text[:last]}{style.comma}{style.compact(item)}{text[last:]}"
    indent = line_indent(text, first)
    return f"{text[:last]},{style.newline}{indent}{style.pretty(item, indent)}{text[last:]}"


def remove_item(text: str, path: Sequence[Step], place: int) -> str:
    """Return `text` without the item at `place` of the array at `path`, with the comma and the blanks beside it.

    Raises:
        BrokenText: as `append_item`.
        IndexError: the array has no such item.
    """
    document = Document(text)
    array = _array(document, path)
    start, end = array.items[place]
    if len(array.items) == 1:
        return f"{text[: array.start]}[]{text[array.end + 1 :]}"
    if place > 0:
        return text[: array.items[place - 1][1]] + text[end:]
    return text[:start] + text[array.items[1][0] :]


def _array(document: Document, path: Sequence[Step]) -> _Array:
    at = document.outer.start
    for depth, step in enumerate(path):
        at = _inside(document, at, step, path[: depth + 1])
    return _read(document, at, path)


def _inside(document: Document, at: int, step: Step, way: Sequence[Step]) -> int:
    if isinstance(step, int):
        items = _read(document, at, way[:-1]).items
        if not 0 <= step < len(items):
            raise _wrong(document, at, way, "is not there")
        return items[step][0]
    if document.code[at] != "{":
        raise _wrong(document, at, way[:-1], "is not an object")
    member = document.only(document.object_at(at), step)
    if member is None:
        raise _wrong(document, at, way, "is not there")
    return member.value


def _read(document: Document, start: int, way: Sequence[Step]) -> _Array:
    if document.code[start] != "[":
        raise _wrong(document, start, way, "is not an array")
    items = []
    at = document.skip(start + 1)
    while document.code[at] != "]":
        end = _DECODER.raw_decode(document.code, at)[1]
        items.append((at, end))
        at = document.skip(end)
        if document.code[at] == ",":
            at = document.skip(at + 1)
    return _Array(start, at, tuple(items))


def _wrong(document: Document, at: int, way: Sequence[Step], problem: str) -> BrokenText:
    line = document.text.count("\n", 0, at) + 1
    return BrokenText(f"{'.'.join(map(str, way))} {problem}", line, at - document.text.rfind("\n", 0, at))
