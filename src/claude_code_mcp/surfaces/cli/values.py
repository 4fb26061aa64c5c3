"""How the words on a command line become JSON values: one click type for each shape that a field can have.

These only read what the person wrote. Bounds and rules are checked once, by the request in the daemon.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from claude_code_mcp.kernel.clock import stamp

_CLOSERS = {")": "(", "]": "[", "}": "{"}
_DURATION = re.compile(r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?\Z")


class Text(click.ParamType[Any]):
    """Text as given; `-` is what comes on standard input, where the field is written without a flag."""

    name = "text"

    def __init__(self, *, from_stdin: bool = False) -> None:
        self._from_stdin = from_stdin

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text.

        Raises:
            click.BadParameter: it is not UTF-8.
        """
        if self._from_stdin and value == "-":
            try:
                return sys.stdin.buffer.read().decode()
            except UnicodeDecodeError as exc:
                self.fail(f"standard input is not UTF-8 at byte {exc.start}", param, ctx)
        try:
            str(value).encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8", param, ctx)
        return value


class Whole(click.ParamType[Any]):
    """A whole number."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number", param, ctx)


class Number(click.ParamType[Any]):
    """A number."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)


class Seconds(click.ParamType[Any]):
    """A span of time: seconds, or `90s`, `5m`, `1h30m`."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the seconds, whole ones as an integer."""
        match = _DURATION.match(str(value)) if value else None
        if match is None:
            self.fail(f"{value!r} is no span of time: write 90, 90s, 5m or 1h30m", param, ctx)
        hours, minutes, seconds = (float(match.group(part) or 0) for part in "hms")
        total = hours * 3600 + minutes * 60 + seconds
        return int(total) if total == int(total) else total


class Moment(click.ParamType[Any]):
    """A time: ISO 8601; without an offset it is the time on this machine's clock."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the time in UTC, as the house writes it."""
        try:
            return stamp(datetime.fromisoformat(value).astimezone(UTC))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-11-20T04:20, with Z or an offset if need be", param, ctx)


class Location(click.ParamType[Any]):
    """A path; a relative one counts from the directory that the command is run in."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the absolute path; links are left for the daemon to follow."""
        try:
            str(value).encode()
            return str(Path(value).expanduser().absolute())
        except (UnicodeEncodeError, RuntimeError) as exc:
            self.fail(f"{value!r} cannot be used as a path: {exc}", param, ctx)


class Json(click.ParamType[Any]):
    """A JSON document, or `@FILE` that holds one; where `or_text`, anything else is plain text."""

    name = "json"

    def __init__(self, *, or_text: bool = False) -> None:
        self._or_text = or_text

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value that the document holds."""
        if not isinstance(value, str):
            return value
        if self._or_text and not value.lstrip().startswith(("{", "[")):
            return Text().convert(value, param, ctx)
        text = value
        if value.startswith("@"):
            try:
                text = Path(value[1:]).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as exc:
                self.fail(f"{value[1:]} cannot be read: {exc}", param, ctx)
        try:
            return json.loads(text)
        except ValueError as exc:
            self.fail(f"this is not JSON: {exc}", param, ctx)


class Pair(click.ParamType[Any]):
    """`KEY=VALUE`, or a JSON object with several (or `@FILE` that holds one)."""

    def __init__(self, inner: click.ParamType[Any]) -> None:
        self._inner = inner
        self.name = "json" if isinstance(inner, Json) else "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the pairs as a dictionary."""
        if value.lstrip().startswith(("{", "@")):
            found = Json().convert(value, param, ctx)
            if not isinstance(found, dict):
                self.fail("this JSON is not an object", param, ctx)
            return found
        key, has_value, text = value.partition("=")
        if not key or not has_value:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return {key: self._inner.convert(text, param, ctx)}


class Items(click.ParamType[Any]):
    """Several values in one word, parted by commas (those in brackets or quotes part nothing), or a JSON array."""

    def __init__(self, inner: click.ParamType[Any]) -> None:
        self._inner = inner
        self.name = f"{inner.name},…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the values as a list."""
        if value.lstrip().startswith("["):
            found = Json().convert(value, param, ctx)
            if not isinstance(found, list):
                self.fail("this JSON is not an array", param, ctx)
            return found
        if isinstance(self._inner, Json):
            return [self._inner.convert(value, param, ctx)]
        return [self._inner.convert(part, param, ctx) for part in parted(value)]


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


Join = Callable[[Sequence[Any]], Any]


def joined_lists(groups: Sequence[Sequence[Any]]) -> list[Any]:
    """Return one list of what a repeated flag gave."""
    return [value for group in groups for value in group]


def joined_pairs(groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one dictionary of what a repeated flag gave; the last word on a key counts."""
    return {key: value for group in groups for key, value in group.items()}
