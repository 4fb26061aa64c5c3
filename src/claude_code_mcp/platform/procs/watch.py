"""Being told that a file grew: one inotify instance for all files, polling where there is none or none is left."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

POLL_S = (0.005, 0.25)
PACE_S = 0.004
"""The shortest time between two looks at a stream of changes; the first change after a pause is seen at once."""
BURST = 8.0
"""So many looks at one file may follow each other at once, so that a turn begins and a slow one goes on without
delay; BURST_BACK a second come back."""
BURST_BACK = 4.0
BEAT_S = 0.1
"""When they are used up, a file that goes on changing is looked at on each beat, all such files on the same one.
A look costs more than ten lines do, and lines that are found together share one commit."""
SAFETY_POLL_S = 5.0
"""How often a watched file is looked at all the same: some file systems (network, FUSE) report nothing."""


class Watcher(Protocol):
    """Calls back when files change."""

    def add(self, path: Path, wake: Callable[[], None]) -> Callable[[], None] | None:
        """Call `wake` whenever `path` changes, until the returned function is called; None when it cannot be
        watched, so that the caller has to poll."""
        ...

    def expect(self, path: Path) -> None:
        """Changes of `path` that come now are wanted at once: its process was asked something."""
        ...

    def close(self) -> None:
        """Watch nothing any more."""
        ...


class NoWatcher:
    """For systems without inotify: every caller polls."""

    def add(self, path: Path, wake: Callable[[], None]) -> Callable[[], None] | None:  # noqa: ARG002 -- a protocol
        """Return None."""
        return None

    def expect(self, path: Path) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def watcher(*, eager: bool = False) -> Watcher:
    """Return the best watcher of this system; to be called in the event loop that it will wake. An `eager` one never
    makes a file that goes on changing wait for a beat: for files that are only watched while somebody looks."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # no instance left (fs.inotify.max_user_instances), or no descriptor
            return _Inotify(asyncio.get_running_loop(), eager=eager)
    return NoWatcher()


class _Watched:
    """One file, who wants to know of it, and how many looks at it may still come at once."""

    __slots__ = ("_at", "_looks", "_size", "path", "wakes")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wakes: list[Callable[[], None]] = []
        self._looks = BURST
        self._at = 0.0
        self._size = -1

    def may_look(self, now: float) -> bool:
        """Take one look from the store, if there is one."""
        self._looks = min(BURST, self._looks + (now - self._at) * BURST_BACK)
        self._at = now
        if self._looks < 1:
            return False
        self._looks -= 1
        return True

    def refill(self) -> None:
        """Allow a whole burst of looks again."""
        self._looks = BURST

    def grew(self) -> bool:
        """Tell whether the file has another size than when this was last asked."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return False
        before, self._size = self._size, size
        return size != before

    def wake(self) -> None:
        """Tell all who want to know."""
        for wake in tuple(self.wakes):
            wake()


if sys.platform == "linux":
    from inotify_simple import INotify, flags  # type: ignore[import-untyped]  # it ships no types

    class _Inotify:
        """Wakes by inotify(7).

        Only files are watched, so that each event is four 32-bit words without a name: watch, mask, cookie, 0.
        """

        _MASK = flags.MODIFY | flags.ATTRIB | flags.MOVE_SELF | flags.DELETE_SELF
        _QUIET = flags.MOVE_SELF | flags.DELETE_SELF
        _OVERFLOW = 0xFFFFFFFF  # watch -1: the queue was full, anything may have changed

        def __init__(self, loop: asyncio.AbstractEventLoop, *, eager: bool) -> None:
            self._loop = loop
            self._eager = eager
            self._inotify = INotify(nonblocking=True)
            self._files: dict[int, _Watched] = {}
            self._resting: set[int] = set()
            self._next: asyncio.TimerHandle | None = None
            self._last = 0.0
            self._resume()

        def add(self, path: Path, wake: Callable[[], None]) -> Callable[[], None] | None:
            try:
                watch = self._inotify.add_watch(path, self._MASK)
            except OSError:  # no watch left (fs.inotify.max_user_watches), or the file is gone
                return None
            self._files.setdefault(watch, _Watched(path)).wakes.append(wake)
            return lambda: self._leave(watch, wake)

        def expect(self, path: Path) -> None:
            for watch, file in self._files.items():
                if file.path == path:
                    file.refill()
                    if watch in self._resting:
                        self._wake_up(watch, file)

        def _leave(self, watch: int, wake: Callable[[], None]) -> None:
            file = self._files.get(watch)
            if file is None or wake not in file.wakes:
                return
            file.wakes.remove(wake)
            if not file.wakes:
                del self._files[watch]
                with contextlib.suppress(OSError):  # it went with its file
                    self._inotify.rm_watch(watch)

        def _read(self) -> None:
            words = memoryview(os.read(self._inotify.fileno(), 65536)).cast("I")
            woken = set(words[0::4])
            self._pace()
            now = self._loop.time()
            for watch in tuple(self._files) if self._OVERFLOW in woken else woken:
                file = self._files.get(watch)
                if file is None:
                    continue
                if self._eager or file.may_look(now):
                    file.wake()
                else:
                    self._rest(watch, file)

        def _rest(self, watch: int, file: "_Watched") -> None:
            """Hear nothing more of a file; it is looked at on each beat until one finds it as the last one did."""
            with contextlib.suppress(OSError):  # its name is gone: it is heard as before
                self._inotify.add_watch(file.path, self._QUIET)
            self._resting.add(watch)
            self._next = self._next or self._next_beat()

        def _next_beat(self) -> asyncio.TimerHandle:
            now = self._loop.time()
            return self._loop.call_at(now - now % BEAT_S + BEAT_S, self._beat)

        def _beat(self) -> None:
            if self._inotify.closed:
                return
            for watch in tuple(self._resting):
                file = self._files.get(watch)
                if file is None:
                    self._resting.discard(watch)
                elif file.grew():
                    file.wake()
                else:
                    self._wake_up(watch, file)
            self._next = self._next_beat() if self._resting else None

        def _wake_up(self, watch: int, file: "_Watched") -> None:
            """Hear of a file again."""
            self._resting.discard(watch)
            with contextlib.suppress(OSError):
                self._inotify.add_watch(file.path, self._MASK)
            file.wake()  # it may have grown before this

        def _pace(self) -> None:
            """Look away for a moment when changes come thick: a flood of lines is then read in few large pieces."""
            now = self._loop.time()
            if now - self._last < PACE_S:
                self._loop.remove_reader(self._inotify.fileno())
                self._loop.call_later(PACE_S, self._resume)
            self._last = now

        def _resume(self) -> None:
            if not self._inotify.closed:
                self._loop.add_reader(self._inotify.fileno(), self._read)

        def close(self) -> None:
            if not self._inotify.closed:
                self._loop.remove_reader(self._inotify.fileno())
                self._inotify.close()
            self._files.clear()
