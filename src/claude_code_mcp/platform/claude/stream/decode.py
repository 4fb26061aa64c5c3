"""Bytes of one line to the JSON objects in it, whatever the bytes are.

A healthy line is one object and takes the first branch. A full disk cuts a line and glues later ones to the
cut, a truncated file begins with NULs, and tool output may carry half characters: those
take the slow branch, which finds every whole line that is still there and says what was left over.
"""

import json
import re
from typing import Any, NamedTuple

import msgspec

_DECODE = msgspec.json.Decoder().decode
_JUNK = b"\x00\xef\xbb\xbf \t\r\n"
_HALF = re.compile("[\ud800-\udfff]")
_BLANK = re.compile(r"[\x00 \t\r\n]*")

TYPES = frozenset(
    [
        "assistant",
        "user",
        "system",
        "result",
        "stream_event",
        "control_request",
        "control_response",
        "control_cancel_request",
        "rate_limit_event",
        "command_lifecycle",
        "conversation_reset",
        "keep_alive",
        "tool_progress",
        "tool_use_summary",
        "auth_status",
        "prompt_suggestion",
        "tombstone",
        "attachment",
        "transcript_mirror",
    ]
)
"""Types of whole lines. An object inside a torn line has others ("text", "message", "tool_use" …)."""

_PLACES = frozenset(("session_id", "sessionId", "request_id", "response"))
_TRIES = 200
_WORK_FACTOR = 8


class Decoded(NamedTuple):
    """The objects of a line in order, and the text between them that could not be read ("" for a healthy line)."""

    objects: list[dict[str, Any]]
    garbage: str


def decode(line: bytes) -> Decoded:
    """Return what is in `line`; never raises. A line of blanks and NULs only holds nothing."""
    try:
        value = _DECODE(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _recover(line)
    if isinstance(value, dict):
        return Decoded([value], "")
    return Decoded([], line.decode("utf-8", "replace").strip())


def _recover(line: bytes) -> Decoded:
    text = line.strip(_JUNK).decode("utf-8", "surrogateescape")
    if not text:
        return Decoded([], "")
    objects: list[dict[str, Any]] = []
    garbage: list[str] = []
    position = start = 0
    work = _WORK_FACTOR * len(text)
    for _ in range(_TRIES):
        position = text.find('{"', position)
        if work <= 0 or position < 0:
            break
        value, end = _parse(text, position)
        work -= end - position
        if _is_line(value, text, position, end):
            garbage.append(text[start:position])
            objects.append(value)
            position = start = end
        else:
            position += 1
    garbage.append(text[start:])
    return Decoded(objects, _visible("".join(garbage).strip("\x00 \t\r\n")))


def _parse(text: str, position: int) -> tuple[Any, int]:
    """Return the object at `position` and where it ends; None and how far it was readable where it is none."""
    try:
        value, end = _JSON.raw_decode(text, position)
        return _storable(value), end
    except json.JSONDecodeError as exc:
        return None, max(exc.pos, position + 1)
    except RecursionError:
        return None, position + 1


def _is_line(value: Any, text: str, start: int, end: int) -> bool:
    """Tell whether the object at `start` is a whole line, and not a part of one that was torn.

    A part is mostly followed by a comma or a bracket, a line by the next line or by nothing; and a line says which
    session or which request it belongs to.
    """
    if not isinstance(value, dict):
        return False
    after = _BLANK.match(text, end)
    following = text[after.end() : after.end() + 1] if after else ""
    if following not in ("", "{"):
        return False
    if start == 0 and not following:
        return True
    kind = value.get("type")
    return isinstance(kind, str) and kind in TYPES and not _PLACES.isdisjoint(value)


def _storable(value: Any) -> Any:
    """Return `value` with half characters as visible escapes: no database and no encoder takes them."""
    if isinstance(value, str):
        return _visible(value)
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _visible(text: str) -> str:
    """Return `text` with half characters and with bytes that are no UTF-8 as visible escapes."""
    return text if text.isascii() else _HALF.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _number(text: str) -> float | str:
    number = float(text)
    return number if abs(number) < float("inf") else text


_JSON = json.JSONDecoder(
    strict=False,
    parse_int=lambda text: int(text) if len(text) <= 30 else text,
    parse_float=_number,
    parse_constant=str,
)
"""Python's own decoder, lenient: raw control characters in strings pass, numbers without end stay text."""
