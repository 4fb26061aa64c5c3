"""Writing lines into the FIFO that is a run's standard input: each line whole, in order, never waiting for ever."""

import asyncio
import contextlib
import errno
import fcntl
import os
import sys
from collections.abc import Callable

from claude_code_mcp.platform.procs.errors import StdinClosed, StdinStalled

_PIPE_BYTES = 64 * 1024
_LARGEST_PIPE_BYTES = 1024 * 1024  # what Linux allows without privilege (/proc/sys/fs/pipe-max-size)


class StdinWriter:
    """The one writer of one run.

    A line that a run took half of may not be followed by another: what is left of it is kept, whether the caller
    was cancelled or lost patience, and goes out first.
    """

    def __init__(self, run_id: str, open_fifo: Callable[[], int]) -> None:
        self._run_id = run_id
        self._open_fifo = open_fifo
        self._fd: int | None = None
        self._rest = memoryview(b"")
        self._turn = asyncio.Lock()  # guards the order of whole lines

    async def write(self, line: bytes, timeout_s: float) -> None:
        """Write `line`, with its newline if it lacks one; returns when the run's FIFO has all of it.

        Raises:
            ValueError: there is a newline within the line.
            StdinClosed: nobody reads it any more.
            StdinStalled: the run did not make room within `timeout_s`.
        """
        line = line.removesuffix(b"\n")
        if b"\n" in line:
            raise ValueError("a line for a run has no newline within")
        await self.write_bytes(line + b"\n", timeout_s)

    async def write_bytes(self, data: bytes, timeout_s: float) -> None:
        """Write `data` as it is; returns when the run's FIFO has all of it.

        Raises:
            StdinClosed: nobody reads it any more.
            StdinStalled: the run did not make room within `timeout_s`.
        """
        taken = 0
        try:
            async with asyncio.timeout(timeout_s), self._turn:
                await self._drain()
                self._rest = memoryview(data)
                try:
                    await self._drain()
                finally:
                    taken = len(data) - len(self._rest)
                    if not taken:
                        self._rest = memoryview(b"")  # nothing of it is out: it never was
        except TimeoutError:
            raise StdinStalled(
                f"Run {self._run_id} took no input for {timeout_s:g} s.",
                remedy="It may be stopped or hung: look at it, then stop it, or send again.",
                run_id=self._run_id,
                taken=taken,
            ) from None

    def close(self) -> None:
        """Give the descriptor back; a later write opens it again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    async def _drain(self) -> None:
        while self._rest:
            if self._fd is None:
                self._fd = self._open_fifo()
            if len(self._rest) > _PIPE_BYTES:
                _widen(self._fd, len(self._rest))
            try:
                self._rest = self._rest[os.write(self._fd, self._rest) :]
            except BlockingIOError:
                await _writable(self._fd)
            except BrokenPipeError:
                self._rest = memoryview(b"")
                self.close()
                raise StdinClosed(
                    f"Run {self._run_id} reads no input any more.",
                    remedy="Its process ended or closed its standard input.",
                    run_id=self._run_id,
                ) from None


def _widen(fd: int, wanted: int) -> None:
    """Let the pipe hold `wanted` bytes, where the system can: a daemon killed now then leaves no half line."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # the user's share of pipe memory is used up
            size = min(wanted, _LARGEST_PIPE_BYTES)
            if fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ) < size:
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, size)


async def _writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(fd)


def open_for_writing(path: str, run_id: str) -> int:
    """Open a FIFO for writing without waiting for a reader.

    Raises:
        StdinClosed: there is no reader, or no FIFO.
    """
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as exc:
        if exc.errno not in {errno.ENXIO, errno.ENOENT, errno.ESRCH}:
            raise
        raise StdinClosed(
            f"Run {run_id} reads no input.",
            remedy="Its process ended, closed its standard input, or was started without one.",
            run_id=run_id,
        ) from None
