"""Waking whoever follows: at once while that is cheap, and in batches when events come faster than they can be told."""

import asyncio
from collections.abc import Iterable

from claude_code_mcp.kernel.ids import SessionId

LONGEST_S = 0.03
"""The most that a change waits for others to be told together with it."""
AFTER = 3
"""Rounds of the loop after which those who were woken have run."""
REST = 1.0
"""How long followers are left alone after a round, in rounds: what a round costs is thus at most half of the time."""


class Changes:
    """What changed and was not told yet, and who waits to hear.

    A follower is only woken and reads what it wants itself: a slow one is behind, and costs nobody anything. What
    changes again before it is told is told once.
    """

    def __init__(self) -> None:
        self._waiting: dict[SessionId | None, set[asyncio.Future[None]]] = {}
        self._changed: set[SessionId | None] = set()
        self._due: asyncio.TimerHandle | None = None
        self._free_at = 0.0

    def tell(self, changed: Iterable[SessionId]) -> None:
        """Tell that sessions changed, now or in at most `LONGEST_S`."""
        self._changed.update(changed)
        if not self._changed or self._due is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._free_at - loop.time()
        if wait_s <= 0:
            self._wake()
        else:
            self._due = loop.call_later(wait_s, self._wake)

    def followed(self) -> set[SessionId]:
        """Return the sessions that somebody waits for now."""
        return {session_id for session_id in self._waiting if session_id is not None}

    def waited_for(self, session_id: SessionId | None) -> bool:
        """Tell whether somebody waits for a session (None: for any)."""
        return session_id in self._waiting

    async def changed(self, session_id: SessionId | None, wait_s: float) -> bool:
        """Wait until a session (None: any) changed, `wait_s` seconds at most; return whether it did."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(session_id, set())
        waiting.add(future)
        try:
            async with asyncio.timeout(wait_s):
                await future
        except TimeoutError:
            return False
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(session_id) is waiting:
                del self._waiting[session_id]
        return True

    def _wake(self) -> None:
        self._due = None
        loop = asyncio.get_running_loop()
        began = loop.time()
        changed: list[SessionId | None] = [*self._changed, None]
        self._changed.clear()
        for session_id in changed:
            for future in self._waiting.pop(session_id, ()):
                if not future.done():
                    future.set_result(None)
        self._free_at = began + LONGEST_S
        # Those woken run in the loop's next two rounds; after them the time that they took is known.
        self._later(began, AFTER)

    def _later(self, began: float, rounds: int) -> None:
        if rounds:
            asyncio.get_running_loop().call_soon(self._later, began, rounds - 1)
        else:
            self._told(began)

    def _told(self, began: float) -> None:
        now = asyncio.get_running_loop().time()
        self._free_at = min(began + LONGEST_S, now + (now - began) * REST)
        if self._due is not None:
            self._due.cancel()
            self._due = None
            self.tell(())
