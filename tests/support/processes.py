"""Finding what a test has left running: every process with the test's HOME in its environment."""

import array
import contextlib
import fcntl
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

_GRACE_S = 2.0
"""What was told to end may still be ending when the test is over."""


def running_in(home: Path) -> list[psutil.Process]:
    """Return the processes, ours excepted, whose environment has this HOME."""
    return list(_with_home(str(home)))


def running(home: Path, word: str) -> list[psutil.Process]:
    """Return those of them whose command line has this word in it."""
    found = []
    for process in running_in(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            if word in " ".join(process.cmdline()):
                found.append(process)
    return found


def end_all(home: Path) -> list[str]:
    """End what still runs with this HOME, after a short grace; return what had to be killed."""
    alive = _after_grace(running_in(home))
    left: list[str] = []
    while alive:
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                run = process.environ().get("CLAUDE_CODE_MCP_RUN", "no run")
                left.append(f"{process.pid} ({run}) {' '.join(process.cmdline())[:200]}")
                process.kill()
        _after_grace(alive)
        alive = running_in(home)
    return left


def _after_grace(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return which of them are alive when all are gone, or after a while; who is dead need not be reaped yet."""
    deadline = time.monotonic() + _GRACE_S
    while (alive := [one for one in processes if is_alive(one)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process lives; one that ended and only waits to be reaped does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _with_home(home: str) -> Iterator[psutil.Process]:
    own = psutil.Process().pid
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != own and process.environ().get("HOME") == home and is_alive(process):
                yield process


def until(look: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Return as soon as `look` is true; for what gives no sign when it happens, as other processes' ends."""
    deadline = time.monotonic() + timeout_s
    while not look():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def bytes_in(fifo: int) -> int:
    """Return how many bytes wait in a FIFO."""
    size = array.array("i", [0])
    fcntl.ioctl(fifo, termios.FIONREAD, size)
    return size[0]
