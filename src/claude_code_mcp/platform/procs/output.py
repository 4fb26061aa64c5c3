"""Following a file that a process appends to, from a byte offset to the end of the process."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from claude_code_mcp.platform.procs.framing import Framer, Line
from claude_code_mcp.platform.procs.watch import POLL_S, SAFETY_POLL_S, Watcher

PIECE_BYTES = 256 * 1024
"""The most that one batch holds; with nothing but newlines in it this is still tens of megabytes of objects."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Bytes of the file from `offset` on. `restarted`: the file shrank under its writer, reading begins again."""

    offset: int
    data: bytes
    restarted: bool = False

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.offset + len(self.data)


class Batch(msgspec.Struct, frozen=True, gc=False):
    """All lines that one read completed; commit them with `end`, and a later follower goes on there.

    `restarted`: the file was truncated (or rotated by copy) before these lines; offsets begin at 0 again and what
    stood between `end` of the batch before and the cut may be lost.
    """

    lines: tuple[Line, ...]
    end: int
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file to follow. `open` gives a descriptor to read; `over` tells that nobody writes any more, and `on_over`
    calls back when that becomes true (until what it returned is called)."""

    path: Path
    open: Callable[[], int]
    over: Callable[[], bool]
    on_over: Callable[[Callable[[], None]], Callable[[], None]]


async def pieces(source: Source, offset: int, watcher: Watcher) -> AsyncGenerator[Piece, None]:
    """Yield what the file holds from `offset` on and what is added to it, until its writers are gone.

    Raises:
        OutputGone: the file cannot be opened.
    """
    changed = asyncio.Event()
    fd = source.open()
    unwatch = watcher.add(source.path, changed.set)
    forget = source.on_over(changed.set)
    pauses = _Pauses(watched=unwatch is not None)
    try:
        while True:
            over = source.over()  # asked before the read: what was written up to the end is then seen
            changed.clear()
            data = os.pread(fd, PIECE_BYTES, offset)
            if data:
                yield Piece(offset, data)
                offset += len(data)
                pauses.reset()
                if len(data) < PIECE_BYTES and not over:  # all there was; more of it wakes us, in its own pace
                    await _wait(changed, pauses.next())
                else:
                    await asyncio.sleep(0)  # others have their turn during a flood
            elif os.fstat(fd).st_size < offset:
                offset = 0
                yield Piece(0, b"", restarted=True)
            elif over:
                return
            else:
                await _wait(changed, pauses.next())
    finally:
        forget()
        if unwatch is not None:
            unwatch()
        os.close(fd)


async def batches(source: Source, offset: int, watcher: Watcher, *, cap_bytes: int) -> AsyncGenerator[Batch, None]:
    """Yield the lines of the file from `offset`, the start of a line, until its writers are gone.

    A line is given when it is whole; only at the end may one without a newline come, marked torn.

    Raises:
        OutputGone: the file cannot be opened.
    """
    framer = Framer(offset, cap_bytes=cap_bytes)
    restarted = False
    found = pieces(source, offset, watcher)
    try:
        async for piece in found:
            if piece.restarted:
                if torn := framer.finish():
                    yield Batch((torn,), torn.end)
                framer, restarted = Framer(0, cap_bytes=cap_bytes), True
            lines = framer.feed(piece.data)
            if lines or piece.restarted:
                yield Batch(tuple(lines), framer.offset, restarted)
                restarted = False
    finally:
        await found.aclose()
    if torn := framer.finish():
        yield Batch((torn,), torn.end, restarted)


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    timer = asyncio.get_running_loop().call_later(timeout_s, event.set)  # a third of what a timeout costs
    try:
        await event.wait()
    finally:
        timer.cancel()


class _Pauses:
    """How long to sleep without being woken: long when watched, else the longer the quieter the file is."""

    def __init__(self, *, watched: bool) -> None:
        self._watched = watched
        self._pause = POLL_S[0]

    def reset(self) -> None:
        self._pause = POLL_S[0]

    def next(self) -> float:
        if self._watched:
            return SAFETY_POLL_S
        found, self._pause = self._pause, min(self._pause * 1.5, POLL_S[1])
        return found
