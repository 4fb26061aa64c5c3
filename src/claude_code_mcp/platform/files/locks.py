"""Who edits now: our own processes by `flock` on the directory, Claude Code by the lock that it takes itself."""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from claude_code_mcp.platform.files.errors import FileBusy

_STEP_S = 0.02
_PEER_STALE_S = 10.0
_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def directory_lock(directory: Path, wait_s: float) -> Generator[None]:
    """Hold the right to edit files in `directory`, among our own processes.

    The lock sits on the directory itself, so that no lock file is left in other programs' places, and ends with
    the process. A file system without such locks is edited without: the check for changes remains.

    Raises:
        FileBusy: another of our processes held it for `wait_s` seconds.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _until(lambda: _flocked(fd), wait_s, directory)
        yield
    finally:
        os.close(fd)


def _flocked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            raise
    return True


@contextmanager
def peer_lock(path: Path, wait_s: float) -> Generator[None]:
    """Hold the lock that Claude Code takes around its own edits of `path`.

    It is the one of the npm package `proper-lockfile`: a directory `<path>.lock` (of the link, not of its target),
    whose mtime its owner keeps younger than ten seconds; an older one is abandoned and may be removed (seen on
    2.1.327 with strace: mkdir, utimensat, rename, rmdir; it waits ten seconds for ours in turn).

    Raises:
        FileBusy: Claude Code held it for `wait_s` seconds.
    """
    lock = path.with_name(f"{path.name}.lock")
    _until(lambda: _made(lock), wait_s, path)
    ours = lock.stat().st_ino
    try:
        yield
    finally:
        # After a suspend of the machine the lock may have been taken over: then it is not ours to remove.
        with suppress(OSError):
            if lock.stat().st_ino == ours:
                lock.rmdir()


def _made(lock: Path) -> bool:
    try:
        lock.mkdir()
    except FileExistsError:
        with suppress(OSError):
            if time.time() - lock.stat().st_mtime > _PEER_STALE_S:
                lock.rmdir()
        return False
    return True


def _until(taken: Callable[[], bool], wait_s: float, path: Path) -> None:
    end = time.monotonic() + wait_s
    while not taken():
        if time.monotonic() >= end:
            raise FileBusy(
                f"Another program has kept {path} locked for {wait_s:g} s.",
                remedy="Nothing was changed; try again when it has finished.",
                path=str(path),
            )
        time.sleep(_STEP_S)
