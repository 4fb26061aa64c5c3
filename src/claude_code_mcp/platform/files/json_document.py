"""A JSON text and where its parts stand, so that an edit can leave every other byte alone.

With `comments` the text is JSONC as VS Code reads it (`//`, `/* */`, a comma after the last member); without, it
is JSON as RFC 8259 has it. Comments and such commas are blanked out by spaces of the same length, so one set of
offsets serves the parser and the original.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from claude_code_mcp.platform.files.errors import BrokenText

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=[ \t\r\n]*[}\]])')
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _Missing:
    """What is found where nothing is; unlike None it is no JSON value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Member:
    """One `"key": value` of an object, by offsets; `comma` is the one after it."""

    key: str
    start: int
    value: int
    end: int
    comma: int | None


@dataclass(frozen=True, slots=True)
class Object:
    """One object: `start` is its opening brace, `end` its closing one."""

    start: int
    end: int
    members: tuple[Member, ...]
    spread: bool
    """Its members stand on lines of their own."""

    def member(self, key: str) -> Member | None:
        """Return the member called `key`."""
        return next((member for member in self.members if member.key == key), None)


class Document:
    """A valid JSON (or JSONC) text, whose root is an object.

    `text` is the original, `plain` the same without comments, `code` also without commas after last members; all
    three have the same length.
    """

    def __init__(self, text: str, *, comments: bool = False) -> None:
        """Read `text`.

        Raises:
            BrokenText: it is not valid, or its root is not an object; with the position.
        """
        self.text = text
        plain = f" {text[1:]}" if text.startswith("\ufeff") else text
        self.plain = _COMMENT.sub(_blank_comment, plain) if comments else plain
        self.code = _LAST_COMMA.sub(_blank_comma, self.plain) if comments else plain
        root = self._load()
        if not isinstance(root, dict):
            self._broken("the document is not an object", self.skip(0))
        self.root: dict[str, Any] = root
        self.outer = self.object_at(self.skip(0))

    def _load(self) -> Any:
        try:
            return json.loads(self.code, parse_constant=_no_constant)
        except json.JSONDecodeError as exc:
            self._broken(exc.msg, exc.pos)
        except RecursionError:
            self._broken("it is nested too deeply", 0)
        except ValueError as exc:
            raise BrokenText(str(exc)) from None

    def _broken(self, problem: str, offset: int) -> NoReturn:
        line = self.text.count("\n", 0, offset) + 1
        raise BrokenText(problem, line, offset - self.text.rfind("\n", 0, offset))

    def skip(self, offset: int) -> int:
        """Return the first offset from `offset` on that is neither space nor comment."""
        found = _SPACE.match(self.plain, offset)
        return found.end() if found else offset

    def get(self, path: Sequence[str]) -> Any:
        """Return the value at `path`, or MISSING."""
        value: Any = self.root
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return MISSING
            value = value[key]
        return value

    def at(self, path: Sequence[str]) -> tuple[Object, Sequence[str]]:
        """Return the innermost object on the way to `path` and the keys that are still to go.

        Raises:
            BrokenText: something on the way is no object, or has the key twice, so that no edit is certain.
        """
        found = self.outer
        for depth, key in enumerate(path[:-1]):
            member = self.only(found, key)
            if member is None:
                return found, path[depth:]
            if self.code[member.value] != "{":
                self._broken(f"{'.'.join(path[: depth + 1])} is not an object", member.value)
            found = self.object_at(member.value)
        return found, path[-1:]

    def only(self, holder: Object, key: str) -> Member | None:
        """Return the one member of `holder` that is called `key`.

        Raises:
            BrokenText: there are several.
        """
        named = [member for member in holder.members if member.key == key]
        if len(named) > 1:
            self._broken(f"the key {json.dumps(key)} stands there twice", named[1].start)
        return named[0] if named else None

    def object_at(self, start: int) -> Object:
        """Return the object whose opening brace is at `start`."""
        members = []
        at = self.skip(start + 1)
        while self.plain[at] != "}":
            key, after_key = _DECODER.raw_decode(self.code, at)
            value = self.skip(self.skip(after_key) + 1)
            end = _DECODER.raw_decode(self.code, value)[1]
            after = self.skip(end)
            comma = after if self.plain[after] == "," else None
            members.append(Member(key, at, value, end, comma))
            at = after if comma is None else self.skip(after + 1)
        spread = bool(members) and "\n" in self.plain[start : members[0].start]
        return Object(start, at, tuple(members), spread)


def _blank_comment(found: re.Match[str]) -> str:
    part = found[0]
    return part if part[0] == '"' else re.sub(r"[^\r\n]", " ", part)


def _blank_comma(found: re.Match[str]) -> str:
    return " " if found[0] == "," else found[0]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
