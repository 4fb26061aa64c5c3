"""Who may run: a limit on live processes, a smaller one on processes that are just starting, a queue by priority."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from claude_code_mcp.kernel.ids import SessionId


class Withdrawn(Exception):
    """Who waited for a place is not to have one any more."""


@dataclass(order=True, slots=True)
class _Waiter:
    rank: tuple[int, int]
    session_id: SessionId = field(compare=False)
    called: asyncio.Event = field(compare=False, default_factory=asyncio.Event)
    admitted: bool = field(compare=False, default=False)


class Admission:
    """Hands out places. A start costs a core for half a second, so about as many start at once as there are cores.

    `make_room` is called when somebody waits although only warm, idle processes hold the places; it may end one.
    """

    def __init__(self, live_limit: int, start_limit: int, make_room: Callable[[], None]) -> None:
        self._live_limit = live_limit
        self._start_limit = start_limit
        self._make_room = make_room
        self._live: set[SessionId] = set()
        self._starting: set[SessionId] = set()
        self._queue: list[_Waiter] = []
        self._arrivals = 0
        self._closed_for: str | None = None
        self._over = False

    @property
    def live(self) -> int:
        """Processes that hold a place."""
        return len(self._live)

    @property
    def waiting(self) -> int:
        """Sessions that wait for a place."""
        return len(self._queue)

    @property
    def closed_for(self) -> str | None:
        """Why nobody is admitted now, or None."""
        return self._closed_for

    def place(self, session_id: SessionId) -> int | None:
        """Return the place in the queue (1 is next), or None for who does not wait."""
        for number, waiter in enumerate(sorted(self._queue), start=1):
            if waiter.session_id == session_id:
                return number
        return None

    def close(self, reason: str | None) -> None:
        """Admit nobody while `reason` holds; None opens again."""
        self._closed_for = reason
        self.look()

    def close_for_good(self) -> None:
        """Admit nobody any more."""
        self._over = True

    async def enter(self, session_id: SessionId, priority: int) -> None:
        """Wait for a place; higher `priority` goes first, then who came first.

        Raises:
            Withdrawn: `withdraw` took the session out of the queue.
        """
        self._arrivals += 1
        waiter = _Waiter((-priority, self._arrivals), session_id)
        self._queue.append(waiter)
        self.look()
        try:
            await waiter.called.wait()
        except BaseException:
            if waiter.admitted:
                self.left(session_id)
            elif waiter in self._queue:
                self._queue.remove(waiter)
            raise
        if not waiter.admitted:
            raise Withdrawn

    def withdraw(self, session_id: SessionId) -> None:
        """Take a session out of the queue, if it waits there."""
        for waiter in [waiter for waiter in self._queue if waiter.session_id == session_id]:
            self._queue.remove(waiter)
            waiter.called.set()

    def took_up(self, session_id: SessionId) -> None:
        """Count a process that was already running when this daemon started."""
        self._live.add(session_id)

    def prefer(self, session_id: SessionId, priority: int) -> None:
        """Give a waiting session another priority."""
        for waiter in self._queue:
            if waiter.session_id == session_id:
                waiter.rank = (-priority, waiter.rank[1])

    def started(self, session_id: SessionId) -> None:
        """The process is up: let the next one start."""
        self._starting.discard(session_id)
        self.look()

    def left(self, session_id: SessionId) -> None:
        """The process is gone: its place is free."""
        self._starting.discard(session_id)
        self._live.discard(session_id)
        self.look()

    def look(self) -> None:
        """Admit who may be admitted; to be called when something changed that may make room."""
        self._queue.sort()
        closed = self._over or self._closed_for is not None
        while self._queue and not closed and len(self._starting) < self._start_limit:
            if len(self._live) >= self._live_limit:
                self._make_room()
                return
            waiter = self._queue.pop(0)
            self._live.add(waiter.session_id)
            self._starting.add(waiter.session_id)
            waiter.admitted = True
            waiter.called.set()
