"""Paths of a tree as text, there and back; and which folders lie in which."""

import os
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable
from pathlib import Path

EXAMPLES = 100
_BYTE = re.compile(rb"\\x([0-9a-f]{2})")


def shown(path: bytes) -> str:
    """Return a path as text; bytes that are no UTF-8 are written `\\xff`."""
    return path.decode("utf-8", "backslashreplace")


def named(text: str, root: Path) -> bytes:
    """Return the path in the tree at `root` that somebody named, absolute or relative to it, with `\\xff` for bytes.

    Raises:
        ValueError: it is none of the tree.
    """
    if "\0" in text:
        raise ValueError("it holds a NUL")
    inside = os.path.relpath(text, root) if text.startswith("/") else text
    found = os.path.normpath(inside or ".")
    if found == ".":
        return b""
    if found.startswith("/") or found.split("/")[0] == "..":
        raise ValueError("it lies outside the project")
    return _BYTE.sub(lambda match: bytes([int(match[1], 16)]), os.fsencode(found))


def below(path: bytes, wanted: Iterable[bytes]) -> bool:
    """Tell whether `path` is one of `wanted` or lies below one; without any, everything does."""
    asked = tuple(wanted)
    return not asked or any(not one or path == one or path.startswith(one + b"/") for one in asked)


def within(paths: list[bytes], wanted: Collection[bytes]) -> set[bytes]:
    """Return those of `paths`, which are ordered, for which `below` holds; found without looking at each of them."""
    if not wanted or b"" in wanted:
        return set(paths)
    found: set[bytes] = set()
    for one in wanted:
        at = bisect_left(paths, one)
        found.update(paths[at : at + 1] if paths[at : at + 1] == [one] else ())
        # What begins with `one/` lies between it and `one0`, since `0` is the byte after `/`.
        found.update(paths[bisect_left(paths, one + b"/") : bisect_left(paths, one + b"0")])
    return found


def overlap(one: str, other: str) -> bool:
    """Tell whether of two folders (absolute, links resolved) one is, or lies in, the other."""
    first, second = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return first.startswith(second) or second.startswith(first)
