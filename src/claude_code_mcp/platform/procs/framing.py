"""Lines out of bytes that arrive in any pieces. Pure, and bounded in memory whatever arrives."""

import hashlib

import msgspec

CAP_BYTES = 16 * 1024 * 1024
HEAD_BYTES = 4096


class Oversized(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a line longer than the cap: its size, the SHA-256 of all of it, and its first bytes."""

    size_bytes: int
    sha256: str
    head: bytes


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line: the file's bytes from `offset` up to `end`, its newline included.

    `data` is without the newline and otherwise as it was written: carriage returns and invalid UTF-8 stay. `nuls`
    counts the NUL bytes that stood before it and are not in `data` (a file truncated under its writer gets them).
    `torn`: the file ended for good before a newline. `oversized` replaces `data` when the line is over the cap.
    """

    offset: int
    end: int
    data: bytes
    nuls: int = 0
    torn: bool = False
    oversized: Oversized | None = None


class Framer:
    """Cuts one stream of bytes into lines; any way of feeding it the same bytes gives the same lines.

    It never holds more than the cap and one piece.
    """

    def __init__(self, offset: int = 0, *, cap_bytes: int = CAP_BYTES) -> None:
        self._cap = cap_bytes
        self._start = offset
        self._open = _Unfinished(cap_bytes)

    @property
    def offset(self) -> int:
        """Where the first line starts that is not yet whole."""
        return self._start

    def feed(self, data: bytes) -> list[Line]:
        """Take the next bytes; return the lines that are whole now."""
        *whole, rest = data.split(b"\n")
        lines = [self._close(part) for part in whole]
        if rest:
            self._open.extend(rest)
        return lines

    def finish(self) -> Line | None:
        """Return what is left without a newline as a torn line, or None; nothing may be fed afterwards."""
        return self._take(self._open.length, torn=True) if self._open.length else None

    def _close(self, part: bytes) -> Line:
        if not self._open.length and len(part) <= self._cap and part[:1] != b"\0":
            line = Line(self._start, self._start + len(part) + 1, part)
            self._start = line.end
            return line
        self._open.extend(part)
        return self._take(self._open.length + 1, torn=False)

    def _take(self, length: int, *, torn: bool) -> Line:
        found, self._open = self._open, _Unfinished(self._cap)
        start, self._start = self._start, self._start + length
        return Line(start, self._start, found.data(), found.nuls, torn, found.oversized())


class _Unfinished:
    """The beginning of a line: its pieces while it fits, else its size, hash and head."""

    def __init__(self, cap_bytes: int) -> None:
        self.nuls = 0
        self._cap = cap_bytes
        self._size = 0
        self._pieces: list[bytes] = []
        self._hash: hashlib._Hash | None = None
        self._head = b""

    @property
    def length(self) -> int:
        return self.nuls + self._size

    def extend(self, piece: bytes) -> None:
        if not self._size:
            kept = piece.lstrip(b"\0")
            self.nuls += len(piece) - len(kept)
            piece = kept
        self._size += len(piece)
        if self._hash is not None:
            self._hash.update(piece)
            self._head += piece[: HEAD_BYTES - len(self._head)]  # only a cap below the head's size leaves room
            return
        self._pieces.append(piece)
        if self._size > self._cap:
            whole = b"".join(self._pieces)
            self._hash = hashlib.sha256(whole)
            self._head = whole[:HEAD_BYTES]
            self._pieces.clear()

    def data(self) -> bytes:
        return b"".join(self._pieces)

    def oversized(self) -> Oversized | None:
        return None if self._hash is None else Oversized(self._size, self._hash.hexdigest(), self._head)
