"""One daemon per state directory: a lock that the kernel drops when its holder dies."""

import fcntl
import json
import os
from pathlib import Path

from claude_code_mcp.kernel.errors import Conflict


class DaemonRunning(Conflict):
    """Another daemon holds the state directory."""

    code = "daemon_running"


class DirectoryLock:
    """Holds a directory until closed: by `path`, a file in it that names the holder, and by the directory itself,
    since the file may be deleted."""

    def __init__(self, *fds: int) -> None:
        self._fds = fds

    @classmethod
    def take(cls, path: Path) -> "DirectoryLock":
        """Lock the directory of `path` and write into `path` who holds it.

        Raises:
            DaemonRunning: somebody else holds it.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(fd, 4096).decode(errors="replace").strip()
            os.close(fd)
            os.close(directory)
            raise DaemonRunning(
                f"A daemon already holds {path.parent} ({holder or 'unknown holder'}).",
                remedy="Use it, or stop it with `claude-code-mcp daemon stop`.",
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "host": os.uname().nodename}).encode(), 0)
        return cls(fd, directory)

    def release(self) -> None:
        """Let go."""
        for fd in self._fds:
            os.close(fd)
