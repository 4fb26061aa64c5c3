"""Waiting for something to become true of a job: looked at again after each change of it."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager

from claude_code_mcp.kernel.ids import JobId


class News:
    """Who waits for changes, of one job or of any (None)."""

    def __init__(self) -> None:
        self._listeners: dict[JobId | None, set[asyncio.Event]] = {}

    def wake(self, job_id: JobId) -> None:
        """Let all who wait for a change of this job look."""
        for event in (*self._listeners.get(job_id, ()), *self._listeners.get(None, ())):
            event.set()

    @contextmanager
    def of(self, job_id: JobId | None) -> Generator[asyncio.Event]:
        """Give an event that each change sets, for the length of the block; who waits for it clears it before it
        looks."""
        event = asyncio.Event()
        self._listeners.setdefault(job_id, set()).add(event)
        try:
            yield event
        finally:
            listeners = self._listeners[job_id]
            listeners.discard(event)
            if not listeners:
                del self._listeners[job_id]

    async def until(self, job_id: JobId, true: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until `true`, looking after each change of the job; False when `timeout_s` passed before."""
        with self.of(job_id) as news:
            try:
                async with asyncio.timeout(timeout_s):
                    while not true():
                        news.clear()
                        await news.wait()
            except TimeoutError:
                return False
        return True
