"""The one way into the log for what is seen from outside: in order, many events to a commit, nothing dropped."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from claude_code_mcp.kernel.clock import Clock
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.errors import StoreClosed, StoreUnavailable
from claude_code_mcp.platform.eventlog import log

Along = Callable[[sqlite3.Connection], None]
COMMIT_EVENTS = 1000
"""Events after which a commit takes no more; bounds how long the writing thread is busy with it."""
QUEUED_EVENTS = 20_000
"""Events that may wait for the disk before whoever brings more has to wait as well."""
THICK, FULL, PACE_S = 4, 100, 0.003
"""Parcels in one commit from which on they come thick, and how long more are then gathered for the next one, unless it
was full: what a commit costs is mostly the same for one event and for fifty."""
AGAIN_S = 1.0
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Parcel:
    """Events that came together. `along`: what is written in their transaction; `told`: who waits to hear of it."""

    events: Sequence[Event]
    along: Along | None
    told: asyncio.Future[int] | None


class Recorder:
    """Appends events in the order in which they were brought, those that wait at the same time in one commit."""

    def __init__(self, database: Database, clock: Clock, pace_s: float = PACE_S) -> None:
        self.clock = clock
        self._pace_s = pace_s
        self._database = database
        self._parcels: deque[_Parcel] = deque()
        self._queued = 0
        self._work: asyncio.Task[None] | None = None
        self._closing = False
        self._room = asyncio.Event()
        self._room.set()

    async def record(self, events: Sequence[Event], along: Along | None = None) -> int:
        """Append `events` and return how many were new, once they are on disk; waits while too many are queued.

        `along` runs in the same transaction, after them.

        Raises:
            StoreUnavailable: the disk refused; nothing of it was kept.
            StoreClosed: the daemon is shutting down.
        """
        if not events and along is None:
            return 0
        await self.room()
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._put(_Parcel(events, along, told))
        return await told

    def record_soon(self, events: Sequence[Event]) -> None:
        """Append `events` after all that was brought before, without a word when it is done; tried until it is.

        Who can hold back its sender awaits `room` first.
        """
        if events:
            self._put(_Parcel(events, None, None))

    async def room(self) -> None:
        """Wait while more than `QUEUED_EVENTS` are on their way to the disk."""
        await self._room.wait()

    @property
    def queued(self) -> int:
        """How many events are on their way to the disk."""
        return self._queued

    async def aclose(self) -> None:
        """Bring to the disk what is queued; where it refuses, that is logged and given up."""
        self._closing = True
        while self._work is not None:
            await self._work

    def _put(self, parcel: _Parcel) -> None:
        self._parcels.append(parcel)
        self._queued += len(parcel.events)
        if self._queued > QUEUED_EVENTS:
            self._room.clear()
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._drain(), name="recorder")

    async def _drain(self) -> None:
        try:
            while self._parcels:
                batch = self._take()
                await self._commit(batch)
                thick = len(batch) >= THICK and sum(len(parcel.events) for parcel in batch) < FULL
                if thick and not self._closing:
                    await asyncio.sleep(self._pace_s)
        finally:
            self._work = None

    def _take(self) -> list[_Parcel]:
        batch, events = [self._parcels.popleft()], 0
        events += len(batch[0].events)
        while self._parcels and events + len(self._parcels[0].events) <= COMMIT_EVENTS:
            batch.append(self._parcels.popleft())
            events += len(batch[-1].events)
        return batch

    async def _commit(self, batch: list[_Parcel]) -> None:
        try:
            counts = await self._database.write(lambda db: [_append(db, parcel) for parcel in batch])
        except (StoreUnavailable, StoreClosed) as exc:
            await self._refused(batch, exc)
        except Exception as exc:  # noqa: BLE001 - told to whoever brought it, or logged as our bug
            if len(batch) > 1:
                # One of them cannot be written: the others must not suffer for it.
                for parcel in batch:
                    await self._commit([parcel])
                return
            self._settle(batch[0], error=exc)
        else:
            for parcel, count in zip(batch, counts, strict=True):
                self._settle(parcel, count)

    async def _refused(self, batch: list[_Parcel], exc: StoreUnavailable | StoreClosed) -> None:
        kept = [parcel for parcel in batch if parcel.told is None]
        for parcel in batch:
            if parcel.told is not None:
                self._settle(parcel, error=exc)
        if isinstance(exc, StoreClosed) or self._closing:
            for parcel in kept:
                self._settle(parcel, error=exc)
        elif kept:
            self._parcels.extendleft(reversed(kept))
            await asyncio.sleep(AGAIN_S)

    def _settle(self, parcel: _Parcel, count: int = 0, error: Exception | None = None) -> None:
        self._queued -= len(parcel.events)
        if self._queued <= QUEUED_EVENTS:
            self._room.set()
        if parcel.told is None:
            if error is not None:
                logger.error("%d events could not be recorded", len(parcel.events), exc_info=error)
        elif not parcel.told.done():
            if error is not None:
                parcel.told.set_exception(error)
            else:
                parcel.told.set_result(count)


def _append(db: sqlite3.Connection, parcel: _Parcel) -> int:
    new = log.append(db, parcel.events)
    if parcel.along is not None:
        parcel.along(db)
    return new
