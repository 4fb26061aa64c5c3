"""A file is replaced whole or not at all: a temporary file beside it, synced, renamed over it, directory synced."""

import os
import re
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)\.[0-9a-f]{8}\.ccmtmp\Z")
_ABANDONED_S = 600.0


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by a file with `data`: after a crash at any instant the old or the new one is there, whole.

    An existing file keeps its mode where that is narrower than `mode`; the directory must exist. Temporary files
    that died with their writer are removed on the way.

    Raises:
        OSError: the system would not; the old file is untouched.
    """
    with suppress(FileNotFoundError):
        mode &= stat.S_IMODE(path.stat().st_mode)
    remove_abandoned(path)
    temporary = stage(path, data, mode=mode)
    try:
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def stage(path: Path, data: bytes, *, mode: int, owner: tuple[int, int] | None = None) -> Path:
    """Write `data` to a new, synced, temporary file beside `path` and return its name, ready to be renamed.

    `owner` is the (uid, gid) that it should have; a group that we may not give costs the group its permissions.

    Raises:
        OSError: the system would not; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.ccmtmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            _fill(fd, data)
            _dress(fd, mode, owner)
            os.fsync(fd)
        finally:
            os.close(fd)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _fill(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def _dress(fd: int, mode: int, owner: tuple[int, int] | None) -> None:
    info = os.fstat(fd)
    if owner is not None and owner != (info.st_uid, info.st_gid):
        try:
            os.fchown(fd, *owner)
        except PermissionError:
            mode &= ~stat.S_IRWXG
    os.fchmod(fd, mode & 0o777)


def sync_directory(directory: Path) -> None:
    """Make a rename in `directory` survive a loss of power; file systems that cannot are left alone."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)


def remove_abandoned(path: Path) -> list[Path]:
    """Remove the temporary files for `path` whose writer is gone (or which are ten minutes old); return them."""
    removed = []
    for found in path.parent.glob(f".{_escaped(path.name)}.*.ccmtmp"):
        named = _TEMPORARY.match(found.name)
        if named is None or named["name"] != path.name:
            continue
        with suppress(OSError):
            if time.time() - found.stat().st_mtime > _ABANDONED_S or not _alive(int(named["pid"])):
                found.unlink()
                removed.append(found)
    return removed


def _escaped(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
