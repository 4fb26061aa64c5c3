"""What entries a tree can have: looked at one by one, which names what is wrong, or many at once, which is fast."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from operator import lt
from typing import NamedTuple

from claude_code_mcp.platform.worktrees.errors import ManifestRefused
from claude_code_mcp.platform.worktrees.models import RESERVED, Entry, Kind

_PATH_BYTES = 16_384
_DIGEST_BYTES = 32
_MOST = 2**63
_PATH = re.compile(rb"(?:(?!\.{1,2}(?:/|\Z))[^/\0]{1,255}(?:/(?=.)|\Z))+", re.DOTALL)
"""Components of 1 to 255 bytes, none of them `.` or `..`, between single slashes; a backslash is a byte like others."""
_COMPONENT_BYTES = 255
_NO_COMPONENTS = frozenset([b"", b".", b".."])


class CheckedPart(NamedTuple):
    """Entries that were looked at: `folders` they are, and `above`, the folders that they need."""

    entries: list[Entry]
    folders: frozenset[bytes]
    above: frozenset[bytes]


def checked_part(entries: list[Entry]) -> CheckedPart:
    """Return a part of a manifest, of which every entry is one that a tree can have, in order.

    Whether the folders that it needs are there is told by `fit_together`. The numbers of the entries must lie within
    the bounds that `Entry` declares, as they do when they come from a decoder.

    Raises:
        ManifestRefused: one of them is none; the message names it.
    """
    paths = [entry.path for entry in entries]
    # Plain files are told at one look, since there are so many of them.
    others = [
        entry
        for entry in entries
        if entry.kind != Kind.FILE
        or len(entry.digest) != _DIGEST_BYTES
        or entry.target
        or (entry.sealed and not entry.size)
    ]
    above = frozenset([path.rpartition(b"/")[0] for path in paths])
    if not _good(paths) or any(map(_wrong, others)):
        check(entries, above, b"")
        raise refused("its entries are no part of a tree")
    return CheckedPart(entries, frozenset([one.path for one in others if one.kind == Kind.FOLDER]), above)


def _good(paths: Sequence[bytes]) -> bool:
    """Tell whether all are paths that entries may have, in order and each once."""
    if not paths:
        return True
    text = b"/".join(paths)
    components = frozenset(text.split(b"/"))
    at_reserved = bisect_left(paths, RESERVED)
    return (
        components.isdisjoint(_NO_COMPONENTS)
        and max(map(len, components)) <= _COMPONENT_BYTES
        and b"\0" not in text
        and max(map(len, paths)) <= _PATH_BYTES
        and all(map(lt, paths, paths[1:]))
        and not any(path.startswith(RESERVED) for path in paths[at_reserved : at_reserved + 1])
    )


def fit_together(parts: Sequence[CheckedPart]) -> bool:
    """Tell whether parts, one after the other, are a tree."""
    ends = [(part.entries[0].path, part.entries[-1].path) for part in parts if part.entries]
    folders = frozenset([b""]).union(*(part.folders for part in parts))
    in_order = all(last < first for (_, last), (first, _) in pairwise(ends))
    return in_order and all(part.above <= folders for part in parts)


def check_entries(entries: Iterable[Entry]) -> None:
    """Pass where the entries are a tree: in order, each once, below folders that are entries themselves.

    Raises:
        ManifestRefused: they are not; the message names the first entry that is wrong.
    """
    entries = tuple(entries)
    check(entries, {entry.path for entry in entries if entry.kind == Kind.FOLDER} | {b""}, b"")


def check(entries: Iterable[Entry], folders: Collection[bytes], before: bytes) -> None:
    """Pass where the entries may follow the path `before` in a tree that has these folders.

    Raises:
        ManifestRefused: they may not; the message names the first entry that is wrong.
    """
    fits, file = _PATH.fullmatch, int(Kind.FILE)
    for entry in entries:
        path = entry.path
        # A plain file at a good path is told by one look, since there are so many of them.
        plain = (
            entry.kind == file
            and len(entry.digest) == _DIGEST_BYTES
            and 0 <= entry.size < _MOST
            and 0 <= entry.mode <= 0o777
            and -_MOST <= entry.mtime_ns < _MOST
            and not entry.target
            and (entry.size or not entry.sealed)
        )
        good = fits(path) is not None and len(path) <= _PATH_BYTES and path[:1] != b"."
        if not (plain and good) and (problem := path_problem(path) or _wrong(entry)):
            raise refused(f"its entry {path[:200]!r} {problem}")
        if path <= before:
            raise refused(f"its entry {path[:200]!r} stands twice or out of order")
        before = path
        if path.rpartition(b"/")[0] not in folders:
            raise refused(f"its entry {path[:200]!r} has no folder to be in")


def path_problem(path: bytes) -> str:
    """Return why no entry may have this path, empty where it may."""
    if len(path) <= _PATH_BYTES and _PATH.fullmatch(path) is not None and not path.startswith(RESERVED):
        return ""
    if not path or b"\0" in path:
        return "is empty or holds a NUL"
    if path.startswith(b"/"):
        return "is absolute"
    if path.startswith(RESERVED):
        return "is where restores are prepared"
    if any(part in {b".", b"..", b""} for part in path.split(b"/")):
        return "has a component that is empty, `.` or `..`"
    return "is too long"


def _wrong(entry: Entry) -> str:
    if not -_MOST <= entry.mtime_ns < _MOST or not 0 <= entry.size < _MOST or not 0 <= entry.mode <= 0o777:
        return "has a size, mode or time that no file has"
    if entry.kind == Kind.FILE:
        if entry.sealed and not entry.size:
            return "is sealed, and empty"
        return "" if len(entry.digest) == _DIGEST_BYTES and not entry.target else "is a file without a digest"
    if entry.digest or entry.chunked or entry.size or entry.sealed:
        return "has a content that only a file has"
    if entry.kind == Kind.LINK:
        good = entry.target and b"\0" not in entry.target and len(entry.target) < 4_096 and not entry.mode
        return "" if good else "is a link that cannot be made"
    return "" if entry.kind == Kind.FOLDER and not entry.target else "is of a kind that does not exist"


def refused(why: str) -> ManifestRefused:
    """Return the error that says why a manifest is not believed."""
    return ManifestRefused(
        f"The manifest is refused: {why}.", remedy="Nothing was written; use another checkpoint, or verify the store."
    )
