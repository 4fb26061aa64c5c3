"""Reaching into a tree by folder descriptors only, so that no link is ever followed on the way."""

import os
import stat
from collections import OrderedDict
from types import TracebackType
from typing import Self

from claude_code_mcp.platform.worktrees.errors import TreeNotFound

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KEPT = 32


def open_root(root: str | bytes | os.PathLike[str]) -> int:
    """Return a descriptor of the folder at `root` (itself it may be reached through links).

    Raises:
        TreeNotFound: there is no folder that we may enter.
    """
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise TreeNotFound(
            f"The folder {os.fsdecode(root)} cannot be opened ({reason}).", remedy="Name the folder of a project."
        ) from None


def split(path: bytes) -> tuple[bytes, bytes]:
    """Return the folder of a path, empty at the root, and its last component."""
    folder, _, name = path.rpartition(b"/")
    return folder, name


class Rooted:
    """The folders below one root, opened component by component; for one thread, and to be closed."""

    def __init__(self, root_fd: int) -> None:
        """Take a descriptor of the root, which stays the caller's to close."""
        self.root_fd = root_fd
        self._open: OrderedDict[bytes, int] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def folder(self, path: bytes) -> int:
        """Return a descriptor of the folder at `path`; it stays ours, and is good until the next call.

        Raises:
            OSError: a component is missing, is no folder, or is a link.
        """
        if not path:
            return self.root_fd
        fd = self._open.get(path)
        if fd is not None:
            self._open.move_to_end(path)
            return fd
        above, name = split(path)
        fd = os.open(name, FOLDER, dir_fd=self.folder(above))
        self._open[path] = fd
        if len(self._open) > _KEPT:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)
        return fd

    def at(self, path: bytes) -> tuple[int, bytes]:
        """Return the folder of `path` as a descriptor, and its last component."""
        above, _, name = path.rpartition(b"/")
        return (self.folder(above) if above else self.root_fd), name

    def look(self, path: bytes) -> os.stat_result | None:
        """Return what stands at `path`, links not followed; None where nothing can be reached there."""
        try:
            fd, name = self.at(path)
            return os.stat(name, dir_fd=fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            # A link among the folders: whatever is behind it is not in this tree.
            if self._leads_away(path):
                return None
            raise

    def _leads_away(self, path: bytes) -> bool:
        parts = path.split(b"/")
        for depth in range(1, len(parts)):
            fd, name = self.at(b"/".join(parts[:depth]))
            if not stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                return True
        return False

    def forget(self, path: bytes = b"") -> None:
        """Close what is open at `path` and below: it is about to be moved or removed."""
        inside = path + b"/"
        for known in [known for known in self._open if not path or known == path or known.startswith(inside)]:
            os.close(self._open.pop(known))

    def close(self) -> None:
        """Close all folders but the root."""
        self.forget()
