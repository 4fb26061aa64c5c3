"""Reading the files of a tree while others may write them: a consistent content, or none."""

import os
import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from claude_code_mcp.platform.blobs.objects import BIG_BYTES, Ref
from claude_code_mcp.platform.seal.content import Sealing, SealKey, SealWith, seal
from claude_code_mcp.platform.seal.errors import KeyUnavailable
from claude_code_mcp.platform.worktrees.looked import Pending, signature_of
from claude_code_mcp.platform.worktrees.models import Reason
from claude_code_mcp.platform.worktrees.rooted import PLAIN, Rooted
from claude_code_mcp.platform.worktrees.statcache import RACY_NS

TRIES = 4
_TORN = f"it changed during each of {TRIES} readings"
_S = TypeVar("_S")


class Sink(Protocol):
    """Where contents go: a writer of the object store, or somebody who only wants to know their digests."""

    def put_all(self, sources: Sequence[tuple[_S, int]], read: Callable[[_S], bytes | None]) -> Sequence[bytes | None]:
        """Take what `read` returns for each source, on any thread; return the digests, None where it was None."""
        ...

    def put_stream(self, read: Callable[[int], bytes]) -> Ref:
        """Take all that `read(at most so many bytes)` gives until it gives none."""
        ...


@dataclass(slots=True)
class Outcome:
    """What came of reading one file: what it was, or why there is nothing. `tries` counts the readings.

    `ref`: the digest is that of the sealed content where `sealed`; the size is always that of the content.
    """

    info: os.stat_result | None = None
    ref: Ref | None = None
    reason: Reason | None = None
    detail: str = ""
    tries: int = 0
    sealed: bool = False


class _Unfit(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def read_files(
    root_fd: int, pending: Sequence[Pending], sink: Sink, seal_with: SealWith | None = None
) -> list[Outcome]:
    """Give the content of each file to `sink`, sealed where that is wished, and return what came of each, in order.

    A content counts only if the file looked the same before and after it was read; one that was changed within the
    last clock tick is read twice. A file that changes every time is torn, and nothing of it is kept.
    """
    return _Files(root_fd, pending, seal_with).into(sink)


class _Files:
    def __init__(self, root_fd: int, pending: Sequence[Pending], seal_with: SealWith | None) -> None:
        self._seal_with = seal_with
        self._root_fd = root_fd
        self._pending = pending
        self._outcomes = [Outcome() for _ in pending]
        self._own = threading.local()
        self._lock = threading.Lock()  # guards the list of what the threads hold open
        self._rooted: list[Rooted] = []

    def into(self, sink: Sink) -> list[Outcome]:
        """Read everything."""
        small = [number for number, one in enumerate(self._pending) if one.size <= BIG_BYTES]
        try:
            sources = [(number, self._pending[number].size) for number in small]
            for number, digest in zip(small, sink.put_all(sources, self._small), strict=True):
                outcome = self._outcomes[number]
                if digest is not None and outcome.info is not None:
                    outcome.ref = Ref(digest, outcome.info.st_size, chunked=False)
            for number, outcome in enumerate(self._outcomes):
                # Those that were big, and those that had become so when they were read.
                if outcome.ref is None and outcome.reason is None:
                    self._big(number, sink)
        finally:
            for rooted in self._rooted:
                rooted.close()
        return self._outcomes

    def _folders(self) -> Rooted:
        rooted: Rooted | None = getattr(self._own, "rooted", None)
        if rooted is None:
            rooted = self._own.rooted = Rooted(self._root_fd)
            with self._lock:
                self._rooted.append(rooted)
        return rooted

    def _open(self, path: bytes) -> int:
        try:
            folder, name = self._folders().at(path)
            fd = os.open(name, PLAIN, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            raise _Unfit(Reason.VANISHED, "") from None
        except OSError as exc:
            raise _Unfit(Reason.UNREADABLE, exc.strerror or str(exc)) from None
        return fd

    def _small(self, number: int) -> bytes | None:
        """Return the content of a file that fits in one object; None where it has none, or has become too big."""
        outcome, pending = self._outcomes[number], self._pending[number]
        try:
            data = self._settled(pending.path, outcome)
            if not data or not pending.sealed:
                return data
            sealed, outcome.sealed = seal(data, self._key()), True
        except _Unfit as exc:
            outcome.reason, outcome.detail = exc.reason, exc.detail
        except OSError as exc:
            outcome.reason, outcome.detail = Reason.UNREADABLE, exc.strerror or str(exc)
        else:
            return sealed
        return None

    def _key(self) -> SealKey:
        if self._seal_with is None:
            raise _Unfit(Reason.NO_KEY, "nobody said with which key")
        try:
            return self._seal_with.key()
        except KeyUnavailable as exc:
            raise _Unfit(Reason.NO_KEY, exc.message) from None

    def _settled(self, path: bytes, outcome: Outcome) -> bytes | None:
        last: bytes | None = None
        for outcome.tries in range(1, TRIES + 1):
            fd = self._open(path)
            try:
                before = _regular(fd)
                if before.st_size > BIG_BYTES:
                    return None
                data = _read(fd, before.st_size)
                after = os.fstat(fd)
            finally:
                os.close(fd)
            if signature_of(before) != signature_of(after) or len(data) != before.st_size:
                last = None
            elif data == last or not _young(after):
                outcome.info = after
                return data
            else:
                last = data
        raise _Unfit(Reason.TORN, _TORN)

    def _big(self, number: int, sink: Sink) -> None:
        outcome = self._outcomes[number]
        try:
            for outcome.tries in range(1, TRIES + 1):
                fd = self._open(self._pending[number].path)
                try:
                    before = _regular(fd)
                    ref = self._streamed(fd, sink, outcome, sealed=self._pending[number].sealed)
                    after = os.fstat(fd)
                finally:
                    os.close(fd)
                if signature_of(before) == signature_of(after) and ref.size == after.st_size:
                    outcome.info, outcome.ref = after, ref
                    return
            outcome.reason, outcome.detail = Reason.TORN, _TORN
        except _Unfit as exc:
            outcome.reason, outcome.detail = exc.reason, exc.detail

    def _streamed(self, fd: int, sink: Sink, outcome: Outcome, *, sealed: bool) -> Ref:
        if not sealed:
            return sink.put_stream(lambda most: os.read(fd, most))
        sealing = Sealing(lambda most: os.read(fd, most), self._key())
        ref = sink.put_stream(sealing.read)
        outcome.sealed = True
        return Ref(ref.digest, sealing.size, ref.chunked)


def _regular(fd: int) -> os.stat_result:
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        raise _Unfit(Reason.VANISHED, "it is no file any more")
    return info


def _read(fd: int, size: int) -> bytes:
    data = os.read(fd, size) if size else b""
    while len(data) < size and (more := os.read(fd, size - len(data))):
        data += more
    return data


def _young(info: os.stat_result) -> bool:
    return max(info.st_ctime_ns, info.st_mtime_ns) > time.time_ns() - RACY_NS
