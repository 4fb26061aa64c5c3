"""Waiting, from any thread or event loop, until shared state has become what somebody waits for."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")


class _Watcher(Generic[T]):
    def __init__(self, probe: Callable[[], T | None]) -> None:
        self.probe = probe
        self.future: Future[T] = Future()

    def look(self) -> bool:
        """Answer the future when the probe has a value; tell whether the watcher is finished."""
        if self.future.cancelled():
            return True
        value = self.probe()
        if value is None:
            return False
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(value)
        return True


class Watched:
    """State that one thread changes and others wait for.

    `lock` guards the state; change it while holding the lock, then call `changed()`.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self._watchers: list[_Watcher[object]] = []

    def when(self, probe: Callable[[], T | None]) -> "Future[T]":
        """Return a future that gets the first value other than None that `probe` returns."""
        watcher = _Watcher(probe)
        with self.lock:
            if not watcher.look():
                self._watchers.append(watcher)  # type: ignore[arg-type]  # the list only looks, it reads no value
        return watcher.future

    def changed(self) -> None:
        """Let everybody who waits look again."""
        with self.lock:
            self._watchers = [watcher for watcher in self._watchers if not watcher.look()]
