"""Packs on a disk: temporary file, fsync, a name that must be free, fsync of the directory."""

import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from claude_code_mcp.platform.blobs.backend import Listed, Room
from claude_code_mcp.platform.files.private import private_dir

_ROOMS: tuple[Room, ...] = ("packs", "index", "marks")
_STAGING = "staging"
_STEP_S = 0.005
_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_NO_SYNC = frozenset({errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF})
_ABANDONED_S = 86_400.0
_LOCK_S = 5.0


class LocalBackend:
    """A directory of ours alone (0700), shared by all our processes; on a read-only disk it can be read."""

    def __init__(self, directory: Path) -> None:
        """Make what is missing of the directory.

        Raises:
            DirectoryUnsafe: it is not ours alone.
            OSError: the system would not make it.
        """
        self._root = directory
        private_dir(directory)
        made = False
        for name in (*_ROOMS, _STAGING):
            with suppress(FileExistsError):
                (directory / name).mkdir(mode=0o700)
                made = True
        if made:
            _sync(directory)
            _sync(directory.parent)

    def names(self, room: Room) -> dict[str, Listed]:
        """Return everything that is published in `room`."""
        found = {}
        with os.scandir(self._root / room) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    info = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(info.st_mode):  # whatever else somebody put there is none of ours
                        found[entry.name] = Listed(info.st_size, info.st_mtime)
        return found

    def stage(self) -> "StagedFile":
        """Begin something new: a locked file that nobody else looks into."""
        return StagedFile(self._root)

    def put(self, room: Room, name: str, data: bytes) -> bool:
        """Publish `data` unless the name is taken; return whether it was free."""
        if not data:
            return self._put_nothing(room, name)
        staged = self.stage()
        try:
            staged.write(data)
            return staged.publish(room, name)
        finally:
            staged.discard()

    def _put_nothing(self, room: Room, name: str) -> bool:
        """Make an empty file: there is nothing in it that could be there by half, or that must outlive the machine."""
        try:
            fd = os.open(self._root / room / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return False
        os.close(fd)
        return True

    def get(self, room: Room, name: str) -> bytes:
        """Return all of it."""
        return (self._root / room / name).read_bytes()

    def get_range(self, room: Room, name: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`; fewer where it ends before."""
        fd = os.open(self._root / room / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            data = os.pread(fd, length, start)
            while len(data) < length and (more := os.pread(fd, length - len(data), start + len(data))):
                data += more
            return data
        finally:
            os.close(fd)

    def delete(self, room: Room, name: str) -> None:
        """Delete it, where it is there."""
        (self._root / room / name).unlink(missing_ok=True)

    @contextmanager
    def hold(self, lock: str, *, shared: bool, wait_s: float) -> Generator[bool]:
        """Hold a lock among all our processes, by flock(2); a file system without locks is used without.

        Where the disk is read-only and the lock's file is not there, nobody writes, and no lock is needed.
        """
        try:
            fd = os.open(self._root / f"{lock}.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            if not shared or exc.errno not in {errno.EROFS, errno.EACCES}:
                raise
            yield True
            return
        try:
            yield _locked(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait_s)
        finally:
            os.close(fd)

    def clean(self) -> int:
        """Remove what was staged by processes that are gone; return how many."""
        removed = 0
        with os.scandir(self._root / _STAGING) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    removed += _abandoned(entry.path)
        return removed


class StagedFile:
    """A file in the staging directory, locked as long as its writer lives."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._size = 0
        path, self._fd = _new_locked(root / _STAGING)
        self._path: Path | None = path

    @property
    def size_bytes(self) -> int:
        """How much was written."""
        return self._size

    def write(self, data: bytes) -> None:
        """Append `data`."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]
        self._size += len(data)

    def publish(self, room: Room, name: str) -> bool:
        """Sync it, and give it its name unless that is taken; after an error it has none."""
        if self._path is None:
            raise ValueError("it was published or discarded before")
        os.fsync(self._fd)
        target = self._root / room / name
        try:
            os.link(self._path, target, follow_symlinks=False)
        except FileExistsError:
            self.discard()
            return False
        except OSError as exc:
            if exc.errno not in _NO_LINKS:
                raise
            # Without hard links the check and the rename are two steps; names of packs are random enough for that.
            if target.exists():
                self.discard()
                return False
            self._path.rename(target)
        _sync(target.parent)
        self.discard()
        return True

    def discard(self) -> None:
        """Close it and remove its temporary name."""
        if self._path is None:
            return
        path, self._path = self._path, None
        os.close(self._fd)
        path.unlink(missing_ok=True)


def _locked(fd: int, how: int, wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_STEP_S)
        except OSError as exc:
            if exc.errno not in _NO_LOCKS:
                raise
            return True
        else:
            return True


def _new_locked(directory: Path) -> tuple[Path, int]:
    """Return a new file in `directory`, open and locked."""
    while True:
        path = directory / f"{secrets.token_hex(16)}.tmp"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        # Who clears up may come between the two steps; then the file is gone, and we take another.
        if _locked(fd, fcntl.LOCK_EX, _LOCK_S) and os.fstat(fd).st_nlink:
            return path, fd
        os.close(fd)


def _abandoned(path: str) -> bool:
    """Remove the file at `path` if its writer is gone, which its lock tells; return whether it was."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        Path(path).unlink()
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            raise
        if time.time() - os.fstat(fd).st_mtime < _ABANDONED_S:
            return False
        Path(path).unlink()
    finally:
        os.close(fd)
    return True


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as exc:
        if exc.errno not in _NO_SYNC:
            raise
    finally:
        os.close(fd)
