"""Files that grow, read on from where one stopped: whole lines only, whatever became of the file in between."""

import os
import stat
from collections.abc import Generator
from hashlib import blake2b
from pathlib import Path

import msgspec

PIECE_BYTES = 1 << 20
LINE_LIMIT_BYTES = 16 << 20
HEAD_BYTES = 4096
_MARKED_BYTES = 512
_KEPT = 2**63 - 1


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file was read, and how to know it again.

    `device`, `inode`: which file. `offset`: the byte after the last whole line that was read. `mark`: a hash of the
    last bytes before it, so that a file written anew in its place is not taken for the old one.
    """

    device: int
    inode: int
    offset: int
    mark: str = ""


class Piece(msgspec.Struct, frozen=True):
    """Some whole lines of a file, without their ends.

    `start`: where the first begins. `after`: where to go on. `restarted`: the file is not what it was, and this is its
    beginning. `long_bytes`: the one line in it is so long, and only its beginning is here; 0 for lines that are whole.
    """

    start: int
    lines: list[bytes]
    after: Place
    restarted: bool = False
    long_bytes: int = 0


def read_on(
    path: Path, place: Place | None, *, start: int | None = None, piece_bytes: int = PIECE_BYTES
) -> Generator[Piece]:
    """Yield what was appended to the file at `path` since `place`, about `piece_bytes` at a time.

    A last line without its end is left for the next time. A file that was replaced, cut or written anew is read from
    its beginning. A caller that needs older lines again gives the `start` of one: they come up to `place`, and only as
    long as the file is the same. Memory is bounded by the longest line, and that by `LINE_LIMIT_BYTES`.

    Raises:
        OSError: the file is gone or cannot be read.
    """
    # Without O_NONBLOCK a named pipe in the place of the file would hold us up for ever.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            yield from _pieces(fd, place, start, piece_bytes)
    finally:
        os.close(fd)


def _pieces(fd: int, place: Place | None, start: int | None, piece_bytes: int) -> Generator[Piece]:
    info = os.fstat(fd)
    known = place is not None and is_same(fd, info, place)
    position, until = 0, info.st_size
    if known and place is not None:
        position, until = (place.offset, until) if start is None else (start, place.offset)
    restarted = place is not None and not known
    rest = b""
    while data := os.pread(fd, min(piece_bytes, max(0, until - position - len(rest))), position + len(rest)):
        cut = data.rfind(b"\n")
        if cut < 0:
            rest += data
            if len(rest) > LINE_LIMIT_BYTES:
                end = _line_end(fd, position + len(rest))
                if end is None:
                    return
                after = _place(fd, info, end)
                yield Piece(position, [rest[:HEAD_BYTES]], after, restarted, end - 1 - position)
                position, rest, restarted = end, b"", False
            continue
        whole = rest + data[:cut] if rest else data[:cut]
        after = _place(fd, info, position + len(whole) + 1)
        yield Piece(position, whole.split(b"\n"), after, restarted)
        position, rest, restarted = after.offset, data[cut + 1 :], False
    if restarted:
        yield Piece(0, [], _place(fd, info, 0), restarted=True)


def is_same(fd: int, info: os.stat_result, place: Place) -> bool:
    """Tell whether the open file is the one that was read up to `place`, grown at most."""
    if identity(info) != (place.device, place.inode) or info.st_size < place.offset:
        return False
    return place.mark == "" or place.mark == _mark(fd, place.offset)


def identity(info: os.stat_result) -> tuple[int, int]:
    """Return device and inode as SQLite can keep them: some file systems use all 64 bits."""
    return info.st_dev & _KEPT, info.st_ino & _KEPT


def _line_end(fd: int, position: int) -> int | None:
    """Return where the line after the one at hand begins, None while that has no end."""
    while data := os.pread(fd, PIECE_BYTES, position):
        cut = data.find(b"\n")
        if cut >= 0:
            return position + cut + 1
        position += len(data)
    return None


def _place(fd: int, info: os.stat_result, offset: int) -> Place:
    device, inode = identity(info)
    return Place(device=device, inode=inode, offset=offset, mark=_mark(fd, offset))


def _mark(fd: int, offset: int) -> str:
    begin = max(0, offset - _MARKED_BYTES)
    return blake2b(os.pread(fd, offset - begin, begin), digest_size=8).hexdigest() if offset else ""
