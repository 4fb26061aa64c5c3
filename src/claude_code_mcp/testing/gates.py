"""Gates: a reply waits at one until the test lets it through, so that no test needs to sleep."""

import asyncio
from concurrent.futures import Future

from claude_code_mcp.testing.watch import Watched


class Gate:
    """One gate, by name. It counts who waits and how many may pass; all methods may be called from any thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._state = Watched()
        self._waiting = 0
        self._passes = 0
        self._open = False

    @property
    def waiting(self) -> int:
        """How many replies wait here now."""
        with self._state.lock:
            return self._waiting

    def release(self, count: int = 1) -> None:
        """Let `count` replies through: those that wait, then those that come."""
        with self._state.lock:
            self._passes += count
        self._state.changed()

    def open(self) -> None:
        """Let everybody through from now on."""
        with self._state.lock:
            self._open = True
        self._state.changed()

    def reached(self, count: int = 1) -> "Future[int]":
        """Return a future that is answered when at least `count` replies wait here."""
        return self._state.when(lambda: self._waiting if self._waiting >= count else None)

    async def wait_reached(self, count: int = 1, *, timeout_s: float = 10) -> None:
        """Wait until at least `count` replies wait here.

        Raises:
            TimeoutError: they did not within `timeout_s` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.wrap_future(self.reached(count))
        except TimeoutError:
            raise TimeoutError(
                f"{self.waiting} of {count} replies wait at gate {self.name!r} after {timeout_s} s"
            ) from None

    async def pass_through(self) -> None:
        """Wait here until released; a reply that is given up meanwhile takes no pass."""
        with self._state.lock:
            self._waiting += 1
        self._state.changed()
        passing = self._state.when(self._take)
        try:
            await asyncio.shield(asyncio.wrap_future(passing))
        except asyncio.CancelledError:
            with self._state.lock:
                if passing.cancel():
                    self._waiting -= 1
                else:
                    self.release()
            raise

    def _take(self) -> bool | None:
        if not self._open and self._passes == 0:
            return None
        if not self._open:
            self._passes -= 1
        self._waiting -= 1
        return True


class Gates:
    """All gates of a model; one that nobody has named yet is closed."""

    def __init__(self) -> None:
        self._state = Watched()
        self._gates: dict[str, Gate] = {}

    def __getitem__(self, name: str) -> Gate:
        with self._state.lock:
            return self._gates.setdefault(name, Gate(name))

    def waiting(self) -> dict[str, int]:
        """Return how many replies wait at each gate."""
        with self._state.lock:
            return {name: gate.waiting for name, gate in self._gates.items()}
