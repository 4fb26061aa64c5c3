"""Counts what a process does to the world, and kills it at a given count."""

import atexit
import os
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from typing import Any

_WATCHED = ("write", "pwrite", "rename", "replace", "mkfifo", "mkdir", "unlink", "fsync", "ftruncate")
_write = os.write


class Steps:
    """How many steps were taken, by all threads, and which is the last one."""

    def __init__(self, last: int, journal: str) -> None:
        self._last = last
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._count = 0
        self._one_at_a_time = threading.Lock()

    def take(self, what: str) -> None:
        """Count one step; the last one is not survived."""
        with self._one_at_a_time:
            self._count += 1
            if self._count == self._last:
                self.tell(f"killed {what}")
                os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, what: str) -> None:
        """Write down what became of the process."""
        _write(self._journal, f"{self._count} {what}\n".encode())

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call` with a step before it and one after it."""

        def stepped(*args: Any, **more: Any) -> Any:
            self.take(f"before {name}")
            try:
                return call(*args, **more)
            finally:
                self.take(f"after {name}")

        return stepped


def arm(last: int, journal: str) -> None:
    """Watch this process from now on; its step number `last` kills it."""
    steps = Steps(last, journal)
    os.kill = _unwatched(os.kill, steps)
    for name in _WATCHED:
        setattr(os, name, steps.around(name, getattr(os, name)))
    signal.pidfd_send_signal = steps.around("signal", signal.pidfd_send_signal)
    socket.socket.send = steps.around("send", socket.socket.send)  # type: ignore[method-assign]  # that is the point
    subprocess.Popen.__init__ = steps.around("spawn", subprocess.Popen.__init__)  # type: ignore[method-assign]  # the same
    sqlite3.connect = _connecting(steps)
    atexit.register(steps.tell, "lived")


def _unwatched(kill: Callable[..., None], steps: Steps) -> Callable[..., None]:
    def stepped(pid: int, number: int) -> None:
        if pid != os.getpid():
            steps.take("before kill")
        kill(pid, number)

    return stepped


def _connecting(steps: Steps) -> Callable[..., sqlite3.Connection]:
    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql != "COMMIT":
                return super().execute(sql, *args)
            steps.take("before commit")
            try:
                return super().execute(sql, *args)
            finally:
                steps.take("after commit")

    connect = sqlite3.connect

    def connected(*args: Any, **more: Any) -> sqlite3.Connection:
        return connect(*args, **{"factory": Connection, **more})

    return connected
