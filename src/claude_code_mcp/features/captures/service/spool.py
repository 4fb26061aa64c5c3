"""Takes up what hooks left in the spool: at the start, and whenever something is added."""

import asyncio
import logging
from collections import deque

from claude_code_mcp.features.captures.service.hook_intake import HookIntake
from claude_code_mcp.platform.claude.hooks.spool import Slice, Spool
from claude_code_mcp.platform.db.errors import StoreUnavailable

LOOK_S = 0.25
"""How often the spool is looked at: two calls of `stat`, cheaper than a watch, and right on every file system."""
TIDY_S = 30.0
AHEAD = 32
"""Slices that may be on their way to the disk."""
AGAIN_S = 5.0
log = logging.getLogger(__name__)


class SpoolKeeper:
    """Brings the spool into the log, in order and each record once, and takes it out of the spool afterwards."""

    def __init__(self, spool: Spool, intake: HookIntake) -> None:
        self._spool = spool
        self._intake = intake

    async def keep(self) -> None:
        """Take up what there is, then what comes, for ever."""
        await self._patiently(aside=True)
        mark, looks = self._spool.mark(), 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            # Now and then without a change too: a log that was put aside is due, or has become long.
            if (seen := self._spool.mark()) != mark or looks * LOOK_S >= TIDY_S:
                mark, looks = seen, 0
                await self._patiently()

    async def take_up(self, *, aside: bool = False) -> int:
        """Take up what there is now; return how many events were new. `aside`: begin a new log afterwards.

        Raises:
            StoreUnavailable, StoreClosed: the rest stays in the spool.
        """
        new = await self._brought()
        count, name = self._spool.take_lost()
        if count:
            log.warning("%d hooks were not kept: the spool was full", count)
            await self._intake.take_lost(count, name)
            self._spool.forget_lost()
        self._spool.tidy(aside=aside)
        return new

    async def _brought(self) -> int:
        """Bring all slices to the log; the next ones are read while the disk is busy with those before."""
        new = 0
        on_the_way: deque[tuple[Slice, asyncio.Future[int]]] = deque()
        try:
            for slice_ in self._spool.slices():
                on_the_way.append((slice_, asyncio.ensure_future(self._intake.take_left(slice_))))
                await asyncio.sleep(0)
                while len(on_the_way) > AHEAD or (on_the_way and on_the_way[0][1].done()):
                    new += await self._arrived(*on_the_way.popleft())
            while on_the_way:
                new += await self._arrived(*on_the_way.popleft())
        finally:
            for _, future in on_the_way:
                future.cancel()
        return new

    async def _arrived(self, slice_: Slice, recorded: asyncio.Future[int]) -> int:
        new = await recorded
        self._spool.done(slice_)
        return new

    async def _patiently(self, *, aside: bool = False) -> None:
        while True:
            try:
                await self.take_up(aside=aside)
            except (StoreUnavailable, OSError) as exc:
                log.warning("the spool waits: %s", exc)
                await asyncio.sleep(AGAIN_S)
            else:
                return
