"""What the place of the bytes refuses, told as an error that a caller can act on."""

import errno
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from claude_code_mcp.platform.blobs.backend import Backend, Listed, Room, Staged
from claude_code_mcp.platform.blobs.errors import BlobsUnavailable, Malformed

_REMEDIES = {
    errno.ENOSPC: "Free space on that disk, then try again.",
    errno.EDQUOT: "Your quota on that disk is used up: free some, then try again.",
    errno.ENOENT: "Its directory is gone: restart the daemon, which makes a new one.",
    errno.EROFS: "The disk is read-only: what is stored can be read, nothing can be added.",
    errno.EACCES: "Check who owns the store's directory.",
    errno.EMFILE: "Too many files are open in this process: raise its limit (ulimit -n), or try again.",
    errno.ENFILE: "Too many files are open on this machine; try again.",
    errno.EIO: "The disk fails: look at the system's log, and verify the store.",
}


@contextmanager
def told(doing: str, *, may_be_absent: bool = False) -> Generator[None]:
    """Turn an OSError of what is done inside into BlobsUnavailable; FileNotFoundError stays where it says something."""
    try:
        yield
    except OSError as exc:
        if may_be_absent and isinstance(exc, FileNotFoundError):
            raise
        raise BlobsUnavailable(
            f"The object store could not {doing}: {exc.strerror or exc}.",
            remedy=f"Nothing that was kept is changed. {_REMEDIES.get(exc.errno or 0, 'Check the disk.')}",
            errno=exc.errno,
        ) from exc


@contextmanager
def _readable(name: str) -> Generator[None]:
    """Turn a read error of the medium into Malformed: it is damage to that file, and to no other."""
    try:
        with told(f"read {name}", may_be_absent=True):
            yield
    except BlobsUnavailable as exc:
        if exc.details.get("errno") != errno.EIO:
            raise
        raise Malformed("the disk cannot read it") from exc


class _GuardedStaged:
    def __init__(self, inner: Staged) -> None:
        self._inner = inner

    @property
    def size_bytes(self) -> int:
        return self._inner.size_bytes

    def write(self, data: bytes) -> None:
        with told("write"):
            self._inner.write(data)

    def publish(self, room: Room, name: str) -> bool:
        with told("keep what was written"):
            return self._inner.publish(room, name)

    def discard(self) -> None:
        with told("remove a temporary file"):
            self._inner.discard()


class GuardedBackend:
    """A backend whose refusals are BlobsUnavailable, with the `errno` in the details; FileNotFoundError stays."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner

    def names(self, room: Room) -> Mapping[str, Listed]:
        """As the backend."""
        with told(f"list its {room}"):
            return self._inner.names(room)

    def stage(self) -> Staged:
        """As the backend."""
        with told("begin to write"):
            return _GuardedStaged(self._inner.stage())

    def put(self, room: Room, name: str, data: bytes) -> bool:
        """As the backend."""
        with told("write"):
            return self._inner.put(room, name, data)

    def get(self, room: Room, name: str) -> bytes:
        """As the backend; Malformed where the disk cannot read it."""
        with _readable(name):
            return self._inner.get(room, name)

    def get_range(self, room: Room, name: str, start: int, length: int) -> bytes:
        """As the backend; Malformed where the disk cannot read it."""
        with _readable(name):
            return self._inner.get_range(room, name, start, length)

    def delete(self, room: Room, name: str) -> None:
        """As the backend."""
        with told(f"delete {name}"):
            self._inner.delete(room, name)

    @contextmanager
    def hold(self, lock: str, *, shared: bool, wait_s: float) -> Generator[bool]:
        """As the backend; what happens under the lock is not ours to explain."""
        held = self._inner.hold(lock, shared=shared, wait_s=wait_s)
        with told("lock itself"):
            got = held.__enter__()
        try:
            yield got
        finally:
            held.__exit__(None, None, None)

    def clean(self) -> int:
        """As the backend."""
        with told("clear up"):
            return self._inner.clean()
