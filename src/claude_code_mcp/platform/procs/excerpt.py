"""Looking into an output file of any size: ranges, the last lines, a search. What was cut out of it is told as a gap.

Nothing here reads more than what is asked for, and a line without end costs no more than its limit.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.platform.procs.patterns import Pattern
from claude_code_mcp.platform.procs.ring import Cut

BLOCK = 64 * 1024
OVERLAP = 4096
"""A match may not be longer than this: so much of each block is searched again with the next one, and so much of what
stands before is seen."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file from `start` on. `gap_bytes`: so many bytes before them are gone."""

    start: int
    data: bytes
    gap_bytes: int = 0

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.start + len(self.data)


@dataclass(frozen=True, slots=True)
class Found:
    """One match: where it stands, and the line around it, cut to what was asked for."""

    start: int
    end: int
    line_start: int
    line: bytes


@contextmanager
def opened(path: Path) -> Generator[int]:
    """Open a file for reading, for the length of the block.

    Raises:
        OSError: it cannot be opened.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def part(fd: int, start: int, limit: int, cut: Cut) -> Part:
    """Return at most `limit` bytes from offset `start`; one that was cut is moved to the end of the cut."""
    begin = cut.end if cut.start <= start < cut.end else start
    most = min(limit, cut.start - begin) if begin < cut.start < cut.end else limit
    return Part(begin, os.pread(fd, most, begin), begin - start)


def tail(fd: int, lines: int, limit: int, cut: Cut) -> Part:
    """Return the last `lines` lines, at most `limit` bytes of them; a last line without newline counts as one."""
    size = os.fstat(fd).st_size
    lowest = max(0, size - limit, cut.end if cut.size_bytes else 0)
    start, found, data = size, 0, b""
    while start > lowest:
        begin = max(lowest, start - BLOCK)
        block = os.pread(fd, start - begin, begin)
        data = block + data
        found += block.count(b"\n")
        start = begin
        if found > lines:
            break
    skip = _skipped(data, lines)
    return Part(start + skip, data[skip:])


def _skipped(data: bytes, lines: int) -> int:
    """Return where the last `lines` lines of `data` begin."""
    position = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return position + 1


def matches(fd: int, pattern: Pattern, start: int, cut: Cut, line_limit: int = 1000) -> Generator[Found]:
    """Yield the matches of `pattern` from offset `start` to the end of the file, in order, each once.

    What stands before `start` is seen by `^`. A match longer than 4 KiB may be missed where it crosses a
    block.
    """
    size = os.fstat(fd).st_size
    position = done = start
    while position < size:
        piece = part(fd, position, BLOCK, cut)
        if not piece.data:
            return
        lowest = cut.end if cut.size_bytes and piece.start >= cut.end else 0
        base = max(lowest, piece.start - OVERLAP)
        data = os.pread(fd, piece.start - base, base) + piece.data
        last = piece.end >= size
        for match in pattern.finditer(data, max(piece.start, done) - base):
            if match.end() == match.start():
                continue
            if not last and match.end() > len(data) - OVERLAP and base + match.start() > piece.start:
                break  # it may go on behind this block; the next one begins before it
            done = base + match.end()
            yield _with_line(fd, (base + match.start(), done), cut, line_limit)
        position = piece.end if last else max(piece.start + 1, piece.end - OVERLAP)


def _with_line(fd: int, at: tuple[int, int], cut: Cut, limit: int) -> Found:
    start, end = at
    lowest = max(0, start - limit, cut.end if cut.start < cut.end <= start else 0)
    before = os.pread(fd, start - lowest, lowest)
    line_start = lowest + before.rfind(b"\n") + 1
    after = os.pread(fd, limit, start)
    stop = after.find(b"\n")
    line = os.pread(fd, start - line_start, line_start) + (after if stop < 0 else after[:stop])
    return Found(
        start, end, line_start, line[-limit:] if len(line) > limit and start - line_start > limit else line[:limit]
    )
