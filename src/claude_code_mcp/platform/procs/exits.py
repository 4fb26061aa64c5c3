"""Being told that a process ended which is no child of ours: by its pidfd, looking now and then where there is none."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from claude_code_mcp.platform.procs.identity import Identity, is_alive

LOOK_S = 2.0


class Exits:
    """Calls back once for each process that is followed, when it is gone."""

    def __init__(self) -> None:
        self._fds: dict[Identity, int] = {}
        self._timers: dict[Identity, asyncio.TimerHandle] = {}

    def follow(self, who: Identity, gone: Callable[[], None]) -> None:
        """Call `gone` when that very process has ended; soon, where it has already."""
        if who in self._fds or who in self._timers:
            return
        try:
            fd = os.pidfd_open(who.pid)
        except (AttributeError, OSError):
            self._look(who, gone, 0.0)
            return
        if not is_alive(who):
            os.close(fd)
            self._look(who, gone, 0.0)
            return
        self._fds[who] = fd
        asyncio.get_running_loop().add_reader(fd, self._ended, who, gone)

    def forget(self, who: Identity) -> None:
        """Follow that process no more."""
        fd = self._fds.pop(who, None)
        if fd is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed
                asyncio.get_running_loop().remove_reader(fd)
            os.close(fd)
        timer = self._timers.pop(who, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Follow nobody any more."""
        for who in (*self._fds, *self._timers):
            self.forget(who)

    def _ended(self, who: Identity, gone: Callable[[], None]) -> None:
        self.forget(who)
        gone()

    def _look(self, who: Identity, gone: Callable[[], None], after_s: float) -> None:
        def look() -> None:
            if is_alive(who):
                self._look(who, gone, LOOK_S)
            else:
                self._ended(who, gone)

        self._timers[who] = asyncio.get_running_loop().call_later(after_s, look)
