"""Pure edits of JSON texts that leave all other bytes, key order, indentation and comments as they are."""

import json
from collections.abc import Sequence
from typing import Any

from claude_code_mcp.platform.files.json_document import MISSING, Document, Member, Object
from claude_code_mcp.platform.files.json_style import Style, line_indent

_BLANK = " \t\r\n"


def get_value(text: str, path: Sequence[str], *, comments: bool = False) -> Any:
    """Return the value at `path` in `text`, or MISSING; an empty text holds nothing.

    Raises:
        BrokenText: `text` is not valid, or its root is no object.
    """
    return MISSING if _empty(text) else Document(text, comments=comments).get(path)


def set_value(text: str, path: Sequence[str], value: Any, *, comments: bool = False) -> str:
    """Return `text` with `value` at `path`; objects on the way are made, an equal value leaves `text` as it is.

    With `comments`, `text` is JSONC, and its comments and commas after last members are kept.

    Raises:
        BrokenText: `text` is not valid, has a key of `path` twice, or something else than an object on the way.
    """
    if _empty(text):
        return f"{text.strip()}{json.dumps(_nested(path, value), indent=2, ensure_ascii=False)}\n"
    document = Document(text, comments=comments)
    holder, keys = document.at(path)
    member = document.only(holder, keys[0])
    if member is None:
        edited = _inserted(document, holder, keys[0], _nested(keys[1:], value))
    elif _same(document.get(path), value):
        return text
    else:
        edited = _replaced(document, holder, member, value)
    # A slip here would damage a file of somebody else: read what we are about to give away.
    if not _same(Document(edited, comments=comments).get(path), value):
        raise AssertionError(f"the edit of {'.'.join(path)} did not take")
    return edited


def remove_value(text: str, path: Sequence[str], *, comments: bool = False) -> str:
    """Return `text` without the member at `path`; where there is none it comes back as it is.

    Raises:
        BrokenText: as `set_value`.
    """
    if _empty(text):
        return text
    document = Document(text, comments=comments)
    holder, keys = document.at(path)
    member = document.only(holder, keys[0]) if len(keys) == 1 else None
    if member is None:
        return text
    edited = _removed(document, holder, member)
    if Document(edited, comments=comments).get(path) is not MISSING:
        raise AssertionError(f"the removal of {'.'.join(path)} did not take")
    return edited


def _empty(text: str) -> bool:
    return not text.removeprefix("\ufeff").strip(_BLANK)


def _nested(path: Sequence[str], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _same(left: Any, right: Any) -> bool:
    """Compare as JSON does: true is not 1, the order of keys says nothing."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _replaced(document: Document, holder: Object, member: Member, value: Any) -> str:
    text, style = document.text, Style.of(document)
    body = style.pretty(value, line_indent(text, member.start)) if holder.spread else style.compact(value)
    return f"{text[: member.value]}{body}{text[member.end :]}"


def _inserted(document: Document, holder: Object, key: str, value: Any) -> str:
    text, style = document.text, Style.of(document)
    # Behind the last comment, if one stands between the last member and the brace.
    at = len(text[: holder.end].rstrip(_BLANK))
    if not holder.members:
        return _first(text, holder, at, style, _nested([key], value))
    last = holder.members[-1]
    tail = last.end if last.comma is None else last.comma + 1
    if not holder.spread and not text[tail:at].strip(_BLANK):
        glue = style.comma if last.comma is None else style.comma[1:]
        return f"{text[:tail]}{glue}{style.key(key)}{style.compact(value)}{text[tail:]}"
    indent = style.member_indent(text, holder)
    added = f"{style.newline}{indent}{style.key(key)}{style.pretty(value, indent)}"
    if last.comma is not None:
        return f"{text[:at]}{added},{text[at:]}"
    return f"{text[: last.end]},{text[last.end : at]}{added}{text[at:]}"


def _first(text: str, holder: Object, at: int, style: Style, member: dict[str, Any]) -> str:
    """Return `text` with the first member of an object that has none yet."""
    ((key, value),) = member.items()
    if style.one_line:
        return f"{text[:at]}{style.key(key)}{style.compact(value)}{text[at:]}"
    indent = style.member_indent(text, holder)
    body = f"{style.newline}{indent}{style.key(key)}{style.pretty(value, indent)}"
    if "\n" not in text[at : holder.end]:
        body += style.newline + line_indent(text, holder.start)
    return f"{text[:at]}{body}{text[at:]}"


def _removed(document: Document, holder: Object, member: Member) -> str:
    text = document.text
    tail = member.end if member.comma is None else member.comma + 1
    alone = text[holder.start + 1 : member.start] + text[member.end : holder.end].replace(",", "", 1)
    if len(holder.members) == 1 and not alone.strip(_BLANK):
        return f"{text[: holder.start]}{{}}{text[holder.end + 1 :]}"
    place = holder.members.index(member)
    comma = holder.members[place - 1].comma if member.comma is None and place > 0 else None
    if comma is not None and not text[comma + 1 : member.start].strip(_BLANK):
        return f"{text[:comma]}{text[member.end :]}"
    cuts = _member_cuts(document, member, tail)
    if comma is not None:
        cuts.append((comma, comma + 1))
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + text[end:]
    return text


def _member_cuts(document: Document, member: Member, tail: int) -> list[tuple[int, int]]:
    """Return what goes with `member`: its lines where they hold nothing else, else it and its comma."""
    text = document.text
    line_start = text.rfind("\n", 0, member.start) + 1
    line_end = text.find("\n", tail)
    bare_before = line_start > 0 and not text[line_start : member.start].strip(_BLANK)
    bare_inside = not text[member.end : tail].replace(",", "", 1).strip(_BLANK)
    if bare_before and bare_inside and line_end >= 0 and not text[tail:line_end].strip(_BLANK):
        return [(line_start, line_end + 1)]
    if member.comma is None:
        blanks = len(text[: member.start]) - len(text[: member.start].rstrip(" \t"))
        return [(member.start - (0 if bare_before else blanks), member.end)]
    blanks = len(text[tail:]) - len(text[tail:].lstrip(" \t"))
    return [(member.start, member.end), (member.comma, tail + (0 if bare_before else blanks))]
