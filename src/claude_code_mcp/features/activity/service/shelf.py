"""Sessions unfolded in memory: made from the log when first asked for, kept up to date, given back when not needed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from claude_code_mcp.features.activity.errors import ActivityNotFound
from claude_code_mcp.features.activity.models import Lifecycle, SessionActivity
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.service.captured import Captured
from claude_code_mcp.features.activity.service.changes import Changes
from claude_code_mcp.features.activity.service.reader import LogReader
from claude_code_mcp.kernel.clock import Clock, parse
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId

MOST_EVENTS = 60_000
"""Events whose trees may be in memory together; beyond that the longest unused ones are given back."""
MOST_ROWS = 5000
"""Summaries of sessions at rest that are remembered."""
PAST_S = 60.0
"""How long the tree of a session that is only in its transcript is kept after its last use."""
LOOK_S = 60.0
FRESH_S = 1.0
"""How old a summary may be before running times in it are counted anew."""
logger = logging.getLogger(__name__)
OVER = (Lifecycle.COMPLETED, Lifecycle.FAILED)


@dataclass(slots=True)
class Kept:
    """One session in memory. `made` holds what was made of it for followers, until it changes.

    `grown_at`, `growing_s`: when its tree was last built whole, and how long that took.
    """

    fold: SessionFold
    in_log: bool
    used_at: float
    events: int = 0
    made: dict[Any, Any] = field(default_factory=dict)
    summary: SessionActivity | None = None
    summed_at: float = 0.0
    grown_at: float = 0.0
    growing_s: float = 0.0

    def take(self, events: Sequence[Recorded]) -> None:
        """Take new events."""
        self.fold.extend(events)
        self.events += len(events)
        self.made.clear()
        self.summary = None


class Shelf:
    """The sessions in memory. Each can be given back at any time: it is made anew from the log, the same."""

    def __init__(
        self, reader: LogReader, changes: Changes, captured: Captured, clock: Clock, archive_after: timedelta
    ) -> None:
        self._reader = reader
        self._changes = changes
        self._captured = captured
        self._clock = clock
        self._archive_after = archive_after
        self._kept: dict[SessionId, Kept] = {}
        self._rows: dict[SessionId, tuple[int, SessionActivity]] = {}
        self._making: dict[SessionId, asyncio.Lock] = {}  # one unfolding of a session, however many ask for it

    @property
    def sessions(self) -> frozenset[SessionId]:
        """Those in memory now."""
        return frozenset(self._kept)

    async def kept(self, session_id: SessionId) -> Kept:
        """Return a session, unfolded.

        Raises:
            ActivityNotFound: neither the log nor a transcript knows it.
        """
        found = self._kept.get(session_id)
        if found is None or (not found.in_log and session_id in self._reader.known):
            lock = self._making.setdefault(session_id, asyncio.Lock())
            try:
                async with lock:
                    found = self._kept.get(session_id)
                    if found is None or (not found.in_log and session_id in self._reader.known):
                        found = await self._made(session_id)
            finally:
                self._making.pop(session_id, None)
        found.used_at = asyncio.get_running_loop().time()
        return found

    async def summary(self, session_id: SessionId) -> SessionActivity:
        """Return a session in one row; running times in it are at most `FRESH_S` old.

        Raises:
            ActivityNotFound: neither the log nor a transcript knows it.
        """
        row = self._rows.get(session_id)
        known = self._reader.known.get(session_id)
        if row is not None and known is not None and row[0] == known.seq:
            return row[1]
        kept = await self.kept(session_id)
        now = asyncio.get_running_loop().time()
        if kept.summary is None or (_goes_on(kept.summary) and now - kept.summed_at > FRESH_S):
            kept.summary, kept.summed_at = kept.fold.summary(self._clock.now()), now
            if kept.in_log and not kept.summary.live and not kept.summary.active_operations:
                self._note(session_id, kept.fold.mark, kept.summary)
        return kept.summary

    def _note(self, session_id: SessionId, seq: int, summary: SessionActivity) -> None:
        """Remember the row of a session at rest: lists need it long after its tree was given back."""
        self._rows.pop(session_id, None)
        self._rows[session_id] = (seq, summary)
        if len(self._rows) > MOST_ROWS:
            del self._rows[next(iter(self._rows))]

    async def events(self, session_id: SessionId) -> AsyncIterator[Sequence[Recorded]]:
        """Yield the events of a session once more, from where they are kept, in slices."""
        if session_id not in self._reader.known:
            async for events in self._captured.history(session_id):
                yield events
            return
        after = 0
        while events := self._reader.history(session_id, after):
            yield events
            after = events[-1].seq

    async def keep_small(self) -> None:
        """Give back what is not needed, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.tidy()

    def tidy(self) -> None:
        """Give back what ended long ago, what nobody looks at of the past, and what is too much."""
        now = asyncio.get_running_loop().time()
        followed = self._changes.followed()
        for session_id, kept in [(one, kept) for one, kept in self._kept.items() if one not in followed]:
            if self._archived(session_id, kept) or (not kept.in_log and now - kept.used_at > PAST_S):
                self._give_back(session_id)
        self._shrink(followed)

    def _shrink(self, needed: set[SessionId]) -> None:
        total = sum(kept.events for kept in self._kept.values())
        for session_id, kept in sorted(self._kept.items(), key=lambda item: item[1].used_at):
            if total <= MOST_EVENTS:
                return
            if session_id not in needed:
                total -= kept.events
                self._give_back(session_id)

    def _archived(self, session_id: SessionId, kept: Kept) -> bool:
        known = self._reader.known.get(session_id)
        if known is None or self._clock.now() - parse(known.at) < self._archive_after:
            return False
        summary = kept.summary or kept.fold.summary(self._clock.now())
        return summary.status in OVER

    def _take(self, session_id: SessionId, events: Sequence[Recorded]) -> None:
        try:
            self._kept[session_id].take(events)
        except Exception:
            # Our bug, whatever the session said: it costs no other session anything, and is made anew when asked for.
            logger.exception("session %s cannot be unfolded further", session_id)
            self._give_back(session_id)

    def _give_back(self, session_id: SessionId) -> None:
        self._reader.unwant(session_id)
        del self._kept[session_id]

    async def _made(self, session_id: SessionId) -> Kept:
        kept = Kept(SessionFold(session_id), session_id in self._reader.known, asyncio.get_running_loop().time())
        if kept.in_log:
            while events := self._reader.history(session_id, kept.fold.mark):
                kept.take(events)
                await asyncio.sleep(0)  # a long session is unfolded between other work
            # Nothing was awaited since the log was found to have no more, so nothing is missed or taken twice.
            self._reader.want(session_id, self._take)
        else:
            async for events in self._captured.history(session_id):
                kept.take(events)
                await asyncio.sleep(0)
            if not kept.events:
                raise ActivityNotFound(
                    f"No session {session_id} was seen.", remedy='activity_sessions(scope="all") shows the known ones.'
                )
            last = kept.fold.summary(self._clock.now()).last_event_at
            kept.fold.close(parse(last) if last else self._clock.now())
        self._kept[session_id] = kept
        self._shrink({session_id, *self._changes.followed()})
        return kept


def _goes_on(summary: SessionActivity) -> bool:
    """Tell whether a session's times grow while nothing happens in it."""
    return summary.status is Lifecycle.ACTIVE or bool(summary.waiting_for or summary.active_operations)
