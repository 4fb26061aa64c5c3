"""Directories that hold private things: 0700, ours, and nobody else's to write."""

import os
import stat
from pathlib import Path

from claude_code_mcp.platform.files.errors import DirectoryUnsafe


def private_dir(path: Path) -> Path:
    """Make `path` a directory that only we can enter, and return it; missing parents are made the same way.

    A directory of ours that others may read is narrowed to 0700. One that everybody may write is refused, since
    what it holds may not be ours any more. A symbolic link to a directory counts as that directory.

    Raises:
        DirectoryUnsafe: it belongs to another user, is writable for everybody, or is not a directory.
        OSError: the system would not make it.
    """
    for parent in [path, *path.parents][::-1]:
        if not parent.exists():
            # Not `parents=True`: pathlib makes parents with the umask alone, and that may be 000.
            parent.mkdir(mode=0o700, exist_ok=True)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except NotADirectoryError:
        raise DirectoryUnsafe(
            f"{path} is not a directory.", remedy="Move it away, or name another directory.", path=str(path)
        ) from None
    try:
        _narrow(fd, path)
    finally:
        os.close(fd)
    return path


def _narrow(fd: int, path: Path) -> None:
    info = os.fstat(fd)
    mode = stat.S_IMODE(info.st_mode)
    if info.st_uid != os.geteuid():
        raise DirectoryUnsafe(
            f"{path} belongs to user id {info.st_uid}, not to {os.geteuid()}.",
            remedy="Set CLAUDE_CODE_MCP_HOME to a directory of your own.",
            path=str(path),
        )
    if mode & stat.S_IWOTH:
        raise DirectoryUnsafe(
            f"{path} is writable for everybody (mode {mode:o}).",
            remedy=f"Look at what it holds, then run: chmod 700 {path}",
            path=str(path),
        )
    if mode != 0o700:
        os.fchmod(fd, 0o700)
