"""Values from outside cut to a bound, so that an event stays small and always fits JSON and SQLite.

A whole value is reachable in the raw line: the event's `source_key` names the run and the byte offset.
"""

from typing import Any

import msgspec

TEXT_BYTES = 256 * 1024
"""What somebody said, and the answer of a turn."""
BODY_BYTES = 32 * 1024
"""A tool's input or output, a question's input. The CLI itself cuts tool output at about 30,000 characters."""
NOTE_BYTES = 4 * 1024
"""Everything else: notices, hook output, lines that we do not know."""

_STRING_CUT = 2_000
_ITEMS_CUT = 60
_DEPTH = 40
_ENCODE = msgspec.json.Encoder().encode


def clip(text: str, limit: int) -> tuple[str, int]:
    """Return `text` and 0 where it fits into `limit` bytes of UTF-8, else its beginning and its whole size."""
    if len(text) * 4 <= limit:
        return text, 0
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= limit:
        return text, 0
    return data[:limit].decode("utf-8", "ignore"), len(data)


def bounded(value: Any, limit: int) -> tuple[Any, int]:
    """Return decoded JSON `value` and 0 where it fits into `limit` bytes, else a smaller copy and the whole size.

    The copy keeps the shape as far as it can: long strings are cut, long lists and objects end early, and what
    is nested too deep becomes `"…"`. Where even that is too big, its JSON text is cut and returned as a string.
    """
    try:
        text = _ENCODE(value)
    except (ValueError, RecursionError, TypeError):
        return _cut(value, _DEPTH), limit + 1
    if len(text) <= limit:
        if text.count(b"[") + text.count(b"{") < _DEPTH:
            return value, 0
        shown = _cut(value, _DEPTH, whole=True)
        return shown, 0 if shown == value else len(text)
    smaller = _cut(value, _DEPTH)
    shown_text = _ENCODE(smaller)
    if len(shown_text) > limit:
        smaller = shown_text[:limit].decode("utf-8", "ignore")
    return smaller, len(text)


def _cut(value: Any, depth: int, *, whole: bool = False) -> Any:
    """Return a copy of `value` at most `depth` levels deep; shortened too, unless it is to stay `whole`."""
    if isinstance(value, str):
        text = value.encode("utf-8", "backslashreplace").decode()
        return text if whole or len(text) <= _STRING_CUT else text[:_STRING_CUT] + "…"
    if isinstance(value, (dict, list)) and depth <= 0:
        return "…"
    if isinstance(value, dict):
        items = value.items() if whole else list(value.items())[:_ITEMS_CUT]
        return {_cut(str(key), 0): _cut(item, depth - 1, whole=whole) for key, item in items}
    if isinstance(value, list):
        return [_cut(item, depth - 1, whole=whole) for item in (value if whole else value[:_ITEMS_CUT])]
    return value
