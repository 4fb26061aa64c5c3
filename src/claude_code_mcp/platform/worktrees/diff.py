"""What differs between two trees, by path, with renames; and the lines that differ in two texts."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest

_BINARY_BYTES = 8_000
_MOST_BYTES = 2 * 1024 * 1024
_MOST_PAIRS = 4_000_000
_CONTEXT = 3
_NO_NEWLINE = "\\ No newline at end of file"


class Change(StrEnum):
    """How a path differs. `type`: it is of another kind. `mode`: only its permissions differ."""

    ADDED = "added"
    DELETED = "deleted"
    CHANGED = "changed"
    TYPE = "type"
    MODE = "mode"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One path that differs; `before` and `after` are its entries, at two paths where it was renamed."""

    change: Change
    path: bytes
    before: Entry | None
    after: Entry | None


def compare(before: Manifest, after: Manifest) -> list[Difference]:
    """Return what differs, by path. Times alone, and those of folders at all, are no difference.

    A file that is gone and one with the same content that has come, each the only one of that content, are one that
    was renamed.
    """
    then, now = before.by_path, after.by_path
    gone = [entry for entry in before.entries if entry.path not in now]
    come = [entry for entry in after.entries if entry.path not in then]
    renamed = _renames(gone, come)
    sources = {entry.path for entry, _ in renamed}
    targets = {entry.path for _, entry in renamed}
    found = [Difference(Change.RENAMED, new.path, old, new) for old, new in renamed]
    found += [Difference(Change.DELETED, one.path, one, None) for one in gone if one.path not in sources]
    found += [Difference(Change.ADDED, one.path, None, one) for one in come if one.path not in targets]
    found += _changed(before, after)
    return sorted(found, key=lambda one: one.path)


def _changed(before: Manifest, after: Manifest) -> Iterator[Difference]:
    now = after.by_path
    for old in before.entries:
        new = now.get(old.path)
        if new is None or new is old:
            continue
        if old.kind != new.kind:
            yield Difference(Change.TYPE, old.path, old, new)
        elif (old.digest, old.target) != (new.digest, new.target):
            yield Difference(Change.CHANGED, old.path, old, new)
        elif old.mode != new.mode:
            yield Difference(Change.MODE, old.path, old, new)


def _renames(gone: Sequence[Entry], come: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    sources, targets = _by_content(gone), _by_content(come)
    return [
        (old[0], targets[digest][0])
        for digest, old in sources.items()
        if len(old) == 1 and len(targets.get(digest, ())) == 1
    ]


def _by_content(entries: Sequence[Entry]) -> dict[bytes, list[Entry]]:
    found: dict[bytes, list[Entry]] = {}
    for entry in entries:
        # Empty files are all alike: that two of them have one content says nothing.
        if entry.kind == Kind.FILE and entry.size:
            found.setdefault(entry.digest, []).append(entry)
    return found


@dataclass(frozen=True, slots=True)
class TextDiff:
    """The lines that differ. `binary`: the contents are no text. `too_large`: they were not compared by line.

    `added` and `deleted` count lines, `text` is a unified diff, cut after as many lines as were asked for (`cut`).
    """

    added: int = 0
    deleted: int = 0
    text: str = ""
    cut: bool = False
    binary: bool = False
    too_large: bool = False


def text_diff(
    before: Callable[[], bytes], after: Callable[[], bytes], change: Difference, *, most_lines: int = 2_000
) -> TextDiff:
    """Return how the content of a path differs; the two callables give it, and are called only where it is needed.

    Contents above 2 MiB are not compared. The time is bounded: where too much differs to look for the smallest
    difference, one block replaces another.
    """
    if max(_size(change.before), _size(change.after)) > _MOST_BYTES:
        return TextDiff(too_large=True)
    old, new = before(), after()
    if is_binary(old) or is_binary(new):
        return TextDiff(binary=True)
    a, b = _lines(old), _lines(new)
    groups = _grouped(_operations(a, b))
    lines = [f"--- {_shown(change.before)}", f"+++ {_shown(change.after)}"] if groups else []
    added = deleted = 0
    for group in groups:
        lines.append(_head(group))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += _marked(" ", a[i1:i2])
                continue
            deleted += i2 - i1
            added += j2 - j1
            lines += _marked("-", a[i1:i2])
            lines += _marked("+", b[j1:j2])
    text = "\n".join(lines[:most_lines])
    return TextDiff(added, deleted, text, cut=len(lines) > most_lines)


def is_binary(data: bytes) -> bool:
    """Tell whether git would take `data` for binary."""
    return b"\0" in data[:_BINARY_BYTES]


_Operation = tuple[str, int, int, int, int]


def _operations(a: Sequence[bytes], b: Sequence[bytes]) -> list[_Operation]:
    """Return what turns `a` into `b`, the beginning and the end that they share aside."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    inner_a, inner_b = a[start : len(a) - end], b[start : len(b) - end]
    found: list[_Operation] = [("equal", 0, start, 0, start)] if start else []
    if len(inner_a) * len(inner_b) > _MOST_PAIRS:
        found.append(("replace", start, len(a) - end, start, len(b) - end))
    else:
        matched = difflib.SequenceMatcher(None, inner_a, inner_b, autojunk=False).get_opcodes()
        found += [(tag, i1 + start, i2 + start, j1 + start, j2 + start) for tag, i1, i2, j1, j2 in matched]
    if end:
        found.append(("equal", len(a) - end, len(a), len(b) - end, len(b)))
    return found


def _grouped(operations: Sequence[_Operation]) -> list[list[_Operation]]:
    """Cut long equal stretches down to three lines around what differs."""
    groups: list[list[_Operation]] = []
    group: list[_Operation] = []
    last = len(operations) - 1
    for number, (tag, i1, i2, j1, j2) in enumerate(operations):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        head = _CONTEXT if number else 0
        tail = _CONTEXT if number < last else 0
        if i2 - i1 <= head + tail:
            group.append((tag, i1, i2, j1, j2))
            continue
        if head:
            group.append((tag, i1, i1 + head, j1, j1 + head))
            groups.append(group)
        group = [(tag, i2 - tail, i2, j2 - tail, j2)] if tail else []
    if any(tag != "equal" for tag, *_ in group):
        groups.append(group)
    return [one for one in groups if any(tag != "equal" for tag, *_ in one)]


def _head(group: Sequence[_Operation]) -> str:
    spans = []
    for first, last in ((group[0][1], group[-1][2]), (group[0][3], group[-1][4])):
        count = last - first
        begins = first + 1 if count else first
        spans.append(f"{begins}" if count == 1 else f"{begins},{count}")
    return f"@@ -{spans[0]} +{spans[1]} @@"


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    ends = lines.pop() == b""
    if not ends:
        return [*(line + b"\n" for line in lines), data[data.rfind(b"\n") + 1 :]]
    return [line + b"\n" for line in lines]


def _marked(mark: str, lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines:
        yield mark + line.removesuffix(b"\n").decode("utf-8", "backslashreplace")
        if not line.endswith(b"\n"):
            yield _NO_NEWLINE


def _size(entry: Entry | None) -> int:
    return entry.size if entry is not None else 0


def _shown(entry: Entry | None) -> str:
    return "/dev/null" if entry is None else entry.path.decode("utf-8", "backslashreplace")
