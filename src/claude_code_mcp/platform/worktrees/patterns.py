"""One ignore file: its lines as git reads them, and which of them decides about a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]  # it has no stubs

from claude_code_mcp.platform.worktrees.wildmatch import NeverMatches, translate

_SPECIAL = b"*?[\\"
_COMPILE_BYTES = 64 * 1024 * 1024


class _Matcher(Protocol):
    def fullmatch(self, text: bytes, /) -> object | None:
        """Return something where all of `text` matches."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line that is a pattern.

    `negated`: it takes back what weaker lines ignore. `folders_only`: it ends in a slash. `by_name`: it is about the
    last component alone, wherever that is; else about the path below the folder of its file.
    """

    line: bytes
    negated: bool
    folders_only: bool
    by_name: bool
    expression: bytes


class PatternList:
    """The patterns of one ignore file, strongest last; `source` is what a report calls it."""

    __slots__ = ("_by_name", "_by_path", "_matchers", "patterns", "source")

    def __init__(self, source: str, patterns: Sequence[Pattern]) -> None:
        self.source = source
        self.patterns = tuple(patterns)
        self._by_name = _any_of([one.expression for one in patterns if one.by_name])
        self._by_path = _any_of([one.expression for one in patterns if not one.by_name])
        self._matchers: dict[int, _Matcher] = {}

    def decides(self, path: bytes, name: bytes, *, folder: bool) -> Pattern | None:
        """Return the pattern that decides about a thing, None where none speaks of it.

        `path` is relative to the folder of the file, `name` its last component.
        """
        named = self._by_name is not None and self._by_name.fullmatch(name) is not None
        placed = self._by_path is not None and self._by_path.fullmatch(path) is not None
        if not named and not placed:
            return None
        for number in range(len(self.patterns) - 1, -1, -1):
            one = self.patterns[number]
            if one.folders_only and not folder:
                continue
            if (named if one.by_name else placed) and self._matches(number, name if one.by_name else path):
                return one
        return None

    def _matches(self, number: int, text: bytes) -> bool:
        matcher = self._matchers.get(number)
        if matcher is None:
            matcher = self._matchers[number] = _compiled(self.patterns[number].expression)
        return matcher.fullmatch(text) is not None


class _Each:
    """Stands in for one expression of all patterns where that would be too large for RE2."""

    def __init__(self, expressions: Sequence[bytes]) -> None:
        self._matchers = [_compiled(one) for one in expressions]

    def fullmatch(self, text: bytes, /) -> object | None:
        return next((found for one in self._matchers if (found := one.fullmatch(text)) is not None), None)


def _any_of(expressions: Sequence[bytes]) -> _Matcher | None:
    if not expressions:
        return None
    try:
        return _compiled(b"|".join(b"(?:" + one + b")" for one in expressions))
    except re2.error:
        return _Each(expressions)


def _compiled(expression: bytes) -> _Matcher:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # names are bytes, whatever they mean
    options.log_errors = False
    options.max_mem = _COMPILE_BYTES
    options.dot_nl = True
    options.never_capture = True
    return cast("_Matcher", re2.compile(expression, options))


@lru_cache(maxsize=512)
def read_patterns(source: str, data: bytes, *, fold: bool = False) -> PatternList:
    """Return the patterns in the bytes of an ignore file; `fold` is git's `core.ignoreCase`."""
    found = []
    data = data.removeprefix(b"\xef\xbb\xbf")
    for raw in data.split(b"\n"):
        line = raw.removesuffix(b"\r").partition(b"\0")[0]
        if not raw or line.startswith(b"#"):
            continue
        pattern = _pattern(_trimmed(line), fold=fold)
        if pattern is not None:
            found.append(pattern)
    return PatternList(source, found)


def _trimmed(line: bytes) -> bytes:
    """Return `line` without the spaces at its end, but with one that a backslash keeps."""
    end, at = None, 0
    while at < len(line):
        if line[at] == ord(" "):
            end = at if end is None else end
        else:
            end = None
            at += line[at] == ord("\\")
        at += 1
    return line if end is None else line[:end]


def _pattern(line: bytes, *, fold: bool) -> Pattern | None:
    glob = line.removeprefix(b"!")
    folders_only = glob.endswith(b"/")
    glob = glob[:-1] if folders_only else glob
    by_name = b"/" not in glob
    if not glob:
        return None
    try:
        expression = _by_name(glob, fold=fold) if by_name else _by_path(glob, fold=fold)
    except NeverMatches:
        return None
    return Pattern(line, line.startswith(b"!"), folders_only, by_name, expression)


def _by_name(glob: bytes, *, fold: bool) -> bytes:
    if glob.startswith(b"*") and _literal_bytes(glob[1:]) == len(glob) - 1:
        return b".*" + _quoted(glob[1:], fold=fold)
    return translate(glob, pathname=False, fold=fold)


def _by_path(glob: bytes, *, fold: bool) -> bytes:
    glob = glob.removeprefix(b"/")
    literal = _literal_bytes(glob)
    # git takes the literal beginning off before it looks at the wildcards, so `a**/b` is `a`, then `**/b`.
    return _quoted(glob[:literal], fold=fold) + translate(glob[literal:], pathname=True, fold=fold)


def _quoted(literal: bytes, *, fold: bool) -> bytes:
    return translate(
        b"".join(b"[%c]" % one if one in _SPECIAL else b"%c" % one for one in literal), pathname=False, fold=fold
    )


def _literal_bytes(glob: bytes) -> int:
    return next((at for at, byte in enumerate(glob) if byte in _SPECIAL), len(glob))
