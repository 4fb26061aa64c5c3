"""How much room the disk has for output: asked before a start and now and then, because the CLI does not say when
its lines fall on a full disk."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.platform.procs.errors import DiskLow

LOW_BYTES = 256 * 1024 * 1024
LOW_FILES = 1000
Look = Callable[[Path], os.statvfs_result]
_RECOVERED = 1.25  # no flicker around the limit


@dataclass(frozen=True, slots=True)
class Disk:
    """The room of one file system for this user. `low`: new runs should not start."""

    free_bytes: int
    total_bytes: int
    low: bool


class DiskWatch:
    """Watches the file system that holds `path`; `look` is statvfs(3)."""

    def __init__(self, path: Path, *, low_bytes: int = LOW_BYTES, keep_s: float = 1.0, look: Look = os.statvfs) -> None:
        self._path = path
        self._look = look
        self._low_bytes = low_bytes
        self._keep_s = keep_s
        self._taken_at = float("-inf")
        self._disk = Disk(0, 0, low=False)

    def sample(self) -> Disk:
        """Return the room there is, at most `keep_s` seconds old.

        Raises:
            OSError: the path is gone.
        """
        now = time.monotonic()
        if now - self._taken_at >= self._keep_s:
            self._disk = self._measure()
            self._taken_at = now
        return self._disk

    def _measure(self) -> Disk:
        found = self._look(self._path)
        free = found.f_bavail * found.f_frsize
        limit = self._low_bytes * (_RECOVERED if self._disk.low else 1)
        few_files = found.f_files > 0 and found.f_favail < LOW_FILES
        return Disk(free, found.f_blocks * found.f_frsize, low=free < limit or few_files)

    def refuse_when_low(self) -> None:
        """Return when there is room for another run.

        Raises:
            DiskLow: there is not.
        """
        disk = self.sample()
        if disk.low:
            raise DiskLow(
                f"Only {disk.free_bytes // 1024 // 1024} MiB are free on the disk of {self._path}.",
                remedy="Nothing was started. Free some space, or set a lower limit, then start it again.",
                free_bytes=disk.free_bytes,
                low_bytes=self._low_bytes,
            )

    async def changes(self, every_s: float = 5.0) -> AsyncGenerator[Disk, None]:
        """Yield the first sample, and one whenever the disk becomes low or recovers; never ends by itself."""
        before: bool | None = None
        while True:
            disk = self.sample()
            if disk.low != before:
                before = disk.low
                yield disk
            await asyncio.sleep(every_s)
