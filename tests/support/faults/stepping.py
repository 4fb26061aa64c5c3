"""Counts what a process does to the world, and kills it at a given count."""

import atexit
import fcntl
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
    """How many steps were taken, by all threads, and which is the last one: a number, or `after commit:3`, the third
    of that kind."""

    def __init__(self, last: str, journal: str) -> None:
        self._kind, _, number = last.rpartition(":")
        self._left = int(number)
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._count = 0
        self._one_at_a_time = threading.Lock()

    def take(self, what: str) -> None:
        """Count one step; the last one is not survived."""
        with self._one_at_a_time:
            self._count += 1
            self._left -= not self._kind or self._kind == what
            if self._left == 0:
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


def taken(plan: str) -> str | None:
    """Take the next line out of `plan`, and return it."""
    with open(plan, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = file.readlines()
        file.seek(0)
        file.truncate()
        file.writelines(lines[1:])
    return lines[0].strip() if lines else None


def arm(plan: str) -> None:
    """Watch this process from now on; the step that `plan` names kills it."""
    last = taken(plan)
    if last is None:
        return
    steps = Steps(last, f"{plan}.told")
    os.kill = _unwatched(os.kill, steps)
    for name in _WATCHED:
        setattr(os, name, steps.around(name, getattr(os, name)))
    signal.pidfd_send_signal = steps.around("signal", signal.pidfd_send_signal)
    socket.socket.send = steps.around("send", socket.socket.send)  # type: ignore[method-assign]  # that is the point
    subprocess.Popen.__init__ = steps.around("spawn", subprocess.Popen.__init__)  # type: ignore[method-assign]  # the same
    setattr(sqlite3, "connect", _connecting(steps))  # noqa: B010 - its type is an overload
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
        made: sqlite3.Connection = connect(*args, **{"factory": Connection, **more})
        return made

    return connected
