"""How the words on a command line become JSON values: one class for each shape that a field can have.

These only read what the person wrote. Bounds and rules are checked once, by the request in the daemon. Standard library
only: a command that the daemon describes is read without `click` (see `quick`).
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TYPE_CHECKING = False  # what `typing` says too, without its import
if TYPE_CHECKING:
    from typing import Any

_CLOSERS = {")": "(", "]": "[", "}": "{"}
_ON = frozenset({"1", "true", "t", "yes", "y", "on"})
_OFF = frozenset({"0", "false", "f", "no", "n", "off"})
_DURATION = re.compile(r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?\Z")


class Unreadable(Exception):
    """The words do not say what the field holds; the message tells the person why."""


class Reading:
    """Reads words; `name` is what help calls them. `parts` are what the reading was made with."""

    name = ""

    def __init__(self, *parts: "Any") -> None:
        self.parts = parts

    def read(self, text: str) -> "Any":
        """Return the value.

        Raises:
            Unreadable: there is none.
        """
        raise NotImplementedError


class Text(Reading):
    """Text as given; made with `True`, `-` is what comes on standard input."""

    name = "text"

    @property
    def from_stdin(self) -> bool:
        """Whether a dash stands for standard input."""
        return bool(self.parts and self.parts[0])

    def read(self, text: str) -> "Any":
        """Return the text, which must be UTF-8."""
        if self.from_stdin and text == "-":
            try:
                return sys.stdin.buffer.read().decode()
            except UnicodeDecodeError as exc:
                raise Unreadable(f"standard input is not UTF-8 at byte {exc.start}") from None
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unreadable("it is not UTF-8") from None
        return text


class Choice(Reading):
    """One of some words, which it is made with."""

    name = "choice"

    def read(self, text: str) -> "Any":
        """Return the word."""
        if text not in self.parts:
            raise Unreadable(f"{text!r} is not one of {', '.join(map(repr, self.parts))}.")
        return text


class Switch(Reading):
    """On or off; as a field of its own it is a flag, without words."""

    name = "boolean"

    def read(self, text: str) -> "Any":
        """Return whether it is on."""
        if text.lower() not in _ON | _OFF:
            raise Unreadable(f"{text!r} is not a valid boolean")
        return text.lower() in _ON


class Whole(Reading):
    """A whole number."""

    name = "number"

    def read(self, text: str) -> "Any":
        """Return the number."""
        try:
            return int(text)
        except ValueError:
            raise Unreadable(f"{text!r} is not a whole number") from None


class Number(Reading):
    """A number."""

    name = "number"

    def read(self, text: str) -> "Any":
        """Return the number."""
        try:
            return float(text)
        except ValueError:
            raise Unreadable(f"{text!r} is not a number") from None


class Seconds(Reading):
    """A span of time: seconds, or `90s`, `5m`, `1h30m`."""

    name = "seconds"

    def read(self, text: str) -> "Any":
        """Return the seconds, whole ones as an integer."""
        match = _DURATION.match(text) if text else None
        if match is None:
            raise Unreadable(f"{text!r} is no span of time: write 90, 90s, 5m or 1h30m")
        hours, minutes, seconds = (float(match.group(part) or 0) for part in "hms")
        total = hours * 3600 + minutes * 60 + seconds
        return int(total) if total == int(total) else total


class Moment(Reading):
    """A time: ISO 8601; without an offset it is the time on this machine's clock."""

    name = "time"

    def read(self, text: str) -> "Any":
        """Return the time in UTC, as the house writes it."""
        from datetime import UTC, datetime  # noqa: PLC0415 - few commands have times

        from claude_code_mcp.kernel.clock import stamp  # noqa: PLC0415 - as above

        try:
            return stamp(datetime.fromisoformat(text).astimezone(UTC))
        except (ValueError, OverflowError):
            raise Unreadable(f"{text!r} is no time: write 2026-11-20T04:20, with Z or an offset if need be") from None


class Location(Reading):
    """A path; a relative one counts from the directory that the command is run in."""

    name = "path"

    def read(self, text: str) -> "Any":
        """Return the absolute path; links are left for the daemon to follow."""
        try:
            text.encode()
            return str(Path(text).expanduser().absolute())
        except (UnicodeEncodeError, RuntimeError) as exc:
            raise Unreadable(f"{text!r} cannot be used as a path: {exc}") from None


class Json(Reading):
    """A JSON document, or `@FILE` that holds one; made with `True`, anything else is plain text."""

    name = "json"

    def read(self, text: str) -> "Any":
        """Return the value that the document holds."""
        if self.parts and self.parts[0] and not text.lstrip().startswith(("{", "[")):
            return Text().read(text)
        if text.startswith("@"):
            path = text[1:]
            try:
                text = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as exc:
                raise Unreadable(f"{path} cannot be read: {exc}") from None
        try:
            return json.loads(text)
        except ValueError as exc:
            raise Unreadable(f"this is not JSON: {exc}") from None


class Pair(Reading):
    """`KEY=VALUE`, or a JSON object with several (or `@FILE` that holds one); made with the value's reading."""

    @property
    def name(self) -> str:  # type: ignore[override]  # it depends on what it is made with
        """What help calls it."""
        return "json" if isinstance(self.parts[0], Json) else "key=value"

    def read(self, text: str) -> "Any":
        """Return the pairs as a dictionary."""
        if text.lstrip().startswith(("{", "@")):
            found = Json().read(text)
            if not isinstance(found, dict):
                raise Unreadable("this JSON is not an object")
            return found
        key, has_value, value = text.partition("=")
        if not key or not has_value:
            raise Unreadable(f"{text!r} is not KEY=VALUE")
        return {key: self.parts[0].read(value)}


class Items(Reading):
    """Several values in one word, parted by commas (those in brackets or quotes part nothing), or a JSON array; made
    with the reading of one."""

    @property
    def name(self) -> str:  # type: ignore[override]  # it depends on what it is made with
        """What help calls it."""
        return f"{self.parts[0].name},…"

    def read(self, text: str) -> "Any":
        """Return the values as a list."""
        if text.lstrip().startswith("["):
            found = Json().read(text)
            if not isinstance(found, list):
                raise Unreadable("this JSON is not an array")
            return found
        inner = self.parts[0]
        if isinstance(inner, Json):
            return [inner.read(text)]
        return [inner.read(part) for part in parted(text)]


def parted(text: str) -> list[str]:
    """Return the parts of `text` between commas; a comma within brackets or double quotes belongs to its part."""
    parts, start, opened, quoted = [], 0, list[str](), False
    for place, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif char in "([{":
            opened.append(char)
        elif char in _CLOSERS and opened and opened[-1] == _CLOSERS[char]:
            opened.pop()
        elif char == "," and not opened:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


Join = Callable[[Sequence["Any"]], "Any"]


def joined_lists(groups: "Sequence[Sequence[Any]]") -> "list[Any]":
    """Return one list of what a repeated flag gave."""
    return [value for group in groups for value in group]


def joined_pairs(groups: "Sequence[Mapping[str, Any]]") -> "dict[str, Any]":
    """Return one dictionary of what a repeated flag gave; the last word on a key counts."""
    return {key: value for group in groups for key, value in group.items()}


def join_of(reading: Reading) -> Join | None:
    """Return what makes one value of all that a repeated flag gave; None where it may be given once."""
    if isinstance(reading, Items):
        return joined_lists
    return joined_pairs if isinstance(reading, Pair) else None


_KINDS: Mapping[str, type[Reading]] = {
    kind.__name__: kind for kind in (Text, Choice, Switch, Whole, Number, Seconds, Moment, Location, Json, Pair, Items)
}


def to_wire(reading: Reading) -> "list[Any]":
    """Return the reading as JSON values."""
    return [
        type(reading).__name__,
        *(to_wire(part) if isinstance(part, Reading) else part for part in reading.parts),
    ]


def of_wire(said: "Sequence[Any]") -> Reading:
    """Return the reading that `to_wire` gave.

    Raises:
        LookupError: there is no such reading.
    """
    return _KINDS[said[0]](*(of_wire(part) if isinstance(part, list) else part for part in said[1:]))
