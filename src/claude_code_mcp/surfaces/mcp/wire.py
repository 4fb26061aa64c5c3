"""Lines on a stream: bounded reading, and writing that is gathered and holds back who writes too much."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

CHUNK = 256 * 1024
LONGEST_LINE = 32 * 1024 * 1024
"""The longest message taken, in bytes; a prompt may have 16 MiB of text."""
HIGH_WATER = 1024 * 1024
"""Bytes that may wait for a slow client before writers are held back."""


class TooLong(Exception):
    """A line was longer than is taken; it was skipped to its end, and reading goes on."""


async def lines(reader: asyncio.StreamReader, longest: int = LONGEST_LINE) -> AsyncIterator[list[bytes | TooLong]]:
    """Yield what came since the last time, line by line and without the line ends, until the stream ends."""
    rest = bytearray()
    skipping = False
    while chunk := await reader.read(CHUNK):
        head, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            rest += chunk
        else:
            whole = bytes(rest) + head if rest else head
            rest = bytearray(tail)
            found: list[bytes | TooLong] = [line if len(line) <= longest else TooLong() for line in whole.split(b"\n")]
            if skipping:
                found[0], skipping = TooLong(), False
            yield found
        if len(rest) > longest:
            rest.clear()
            skipping = True
    if rest.strip():
        yield [bytes(rest)]


class Outbox:
    """What goes to the client. Everything put in one turn of the event loop is one write."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._closed = False
        writer.transport.set_write_buffer_limits(high=HIGH_WATER)

    @property
    def full(self) -> bool:
        """Whether the client is so far behind that writers should wait."""
        return self._writer.transport.get_write_buffer_size() > HIGH_WATER

    def put(self, line: bytes) -> None:
        """Send a line soon; never waits."""
        if self._closed:
            return
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(line)
        self._pending_bytes += len(line)
        if self._pending_bytes > CHUNK:
            self._flush()

    async def room(self) -> None:
        """Wait until the client has caught up, or is gone."""
        if self.full and not self._closed:
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()

    def close(self) -> None:
        """Send what is pending, and nothing more."""
        self._flush()
        self._closed = True

    def _flush(self) -> None:
        if self._pending and not self._closed and not self._writer.is_closing():
            self._writer.write(b"".join(self._pending))
        self._pending.clear()
        self._pending_bytes = 0
