"""Being told that a process ended which is not our child: by pidfd, or by looking again and again."""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable

from claude_code_mcp.platform.procs.identity import Identity, is_alive

_LOOK_S = (0.02, 0.5)


class EndWatch:
    """Calls everyone back, once, when a process has ended; `ended` says the same at any time."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over
        self._ended = False
        self._callbacks: list[Callable[[], None]] = []
        self._fd: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def seen(self) -> bool:
        """Whether its end was seen already; does not look."""
        return self._ended

    def ended(self) -> bool:
        """Tell whether it has ended; true once, true for ever."""
        if not self._ended and self._over_now():
            self._finish()
        return self._ended

    def _over_now(self) -> bool:
        if self._fd is not None:  # needs no descriptor, so it also answers when none is left
            return _readable(self._fd)
        try:
            return self._is_over()
        except OSError:
            return False  # nothing could be looked at; it is asked again

    def watch(self, identity: Identity | None) -> None:
        """Begin to watch in the running loop, by pidfd when `identity` is known and the system has them."""
        if self._ended or self._fd is not None or self._timer is not None:
            return
        self._fd = None if identity is None else _handle(identity)
        if self._fd is None:
            self._look(_LOOK_S[0])
        else:
            asyncio.get_running_loop().add_reader(self._fd, self._finish)

    def on_end(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when it ends (at once when it has), until the returned function is called."""
        if self._ended:
            callback()
        self._callbacks.append(callback)

        def forget() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return forget

    def _look(self, pause_s: float) -> None:
        self._timer = None
        if self._over_now():
            self._finish()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(pause_s, self._look, min(pause_s * 1.5, _LOOK_S[1]))

    def _finish(self) -> None:
        self.close()
        if not self._ended:
            self._ended = True
            for callback in tuple(self._callbacks):
                callback()

    def close(self) -> None:
        """Watch no more."""
        if self._fd is not None:
            with contextlib.suppress(RuntimeError):  # no loop runs any more
                asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _handle(identity: Identity) -> int | None:
    """Return a descriptor of that very process; None when it is gone, or the system or our limits have none."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        fd = os.pidfd_open(identity.pid)
    except OSError:
        return None
    try:
        if is_alive(identity):  # else the descriptor is that of a later process
            return fd
    except OSError:
        pass
    os.close(fd)
    return None


def _readable(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))
