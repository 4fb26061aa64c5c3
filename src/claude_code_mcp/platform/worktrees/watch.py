"""Following a tree between two scans, so that the next one looks only where something happened (Linux: inotify)."""

import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from claude_code_mcp.platform.worktrees.looked import Dirty

TRUSTED_S = 60.0
"""After so long the whole tree is walked again: writes through a memory map are not told by the kernel."""


class TreeWatch(Protocol):
    """Knows where a tree was changed. For one thread.

    The way to use it: `dirty = watch.changes()`, then `take_tree(…, cache, dirty)` with the cache of the last take,
    then `watch.follow(taken.scan.folders)`.
    """

    def changes(self) -> Dirty | None:
        """Return where something happened since the last call, None where the whole tree must be walked."""
        ...

    def follow(self, folders: Iterable[bytes]) -> None:
        """Watch exactly these folders (paths in the tree) from now on. Those that are new are dirty once more."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


class _Blind:
    """For systems without inotify: the tree is walked each time."""

    def changes(self) -> Dirty | None:
        return None

    def follow(self, folders: Iterable[bytes]) -> None:
        pass

    def close(self) -> None:
        pass


def watch_tree(root: str | bytes | os.PathLike[str], *, trusted_s: float = TRUSTED_S) -> TreeWatch:
    """Return a watch of the tree at `root`; where the system has none left, one that always asks for a walk."""
    if sys.platform == "linux":
        with suppress(OSError):
            return _Inotify(os.path.realpath(os.fsencode(root)), trusted_s)
    return _Blind()


if sys.platform == "linux":
    from inotify_simple import INotify, flags  # type: ignore[import-untyped]  # it ships no types

    class _Inotify:
        """By inotify(7). The kernel keeps the events until we ask: no thread, and nothing lost without being told."""

        _MASK = (
            flags.CREATE | flags.MODIFY | flags.ATTRIB | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO
            | flags.DELETE_SELF | flags.MOVE_SELF | flags.ONLYDIR | flags.DONT_FOLLOW
        )  # fmt: skip
        _APPEARED = flags.CREATE | flags.MOVED_TO
        _WENT = flags.DELETE_SELF | flags.MOVE_SELF | flags.UNMOUNT

        def __init__(self, root: bytes, trusted_s: float) -> None:
            self._root = root
            self._trusted_s = trusted_s
            self._walked_at = float("-inf")
            self._paths: dict[int, bytes] = {}
            self._watches: dict[bytes, int] = {}
            self._fresh: set[bytes] = set()
            self._complete = False
            self._inotify = INotify(nonblocking=True)

        def changes(self) -> Dirty | None:
            folders, trees = set(self._fresh), set()
            overflown = False
            for event in self._inotify.read(timeout=0):
                if event.mask & flags.Q_OVERFLOW:
                    overflown = True
                    continue
                path = self._paths.get(event.wd)
                if path is None:
                    continue
                folders.add(path)
                if event.mask & (self._WENT | flags.IGNORED):
                    self._forget(path)
                elif event.mask & flags.ISDIR and event.mask & (self._APPEARED | flags.MOVED_FROM):
                    below = path + b"/" + os.fsencode(event.name) if path else os.fsencode(event.name)
                    # Watches go with the folder to wherever it went, and would tell its old name.
                    self._forget(below)
                    trees.add(below)
            self._fresh = set()
            if overflown or not self._complete or time.monotonic() - self._walked_at > self._trusted_s:
                self._walked_at = time.monotonic()
                return None
            return Dirty(frozenset(folders), frozenset(trees))

        def follow(self, folders: Iterable[bytes]) -> None:
            wanted = set(folders)
            for path in self._watches.keys() - wanted:
                self._drop(path)
            self._complete = True
            for path in wanted - self._watches.keys():
                try:
                    self._add(path)
                except (FileNotFoundError, NotADirectoryError):
                    self._fresh.add(path)  # it went away since the scan
                except OSError:
                    # No watch is left (fs.inotify.max_user_watches): what is not watched must be walked.
                    self._complete = False
                    return

        def close(self) -> None:
            self._inotify.close()

        def _add(self, path: bytes) -> None:
            wd = self._inotify.add_watch(os.path.join(self._root, path) if path else self._root, self._MASK)
            if self._paths.get(wd, path) != path:
                # One folder at two places of the tree: the kernel has one watch for both.
                self._complete = False
                return
            self._paths[wd] = path
            self._watches[path] = wd
            # What happened between its scan and now is not known.
            self._fresh.add(path)

        def _forget(self, top: bytes) -> None:
            inside = top + b"/"
            for path in [path for path in self._watches if path == top or path.startswith(inside) or not top]:
                self._drop(path)

        def _drop(self, path: bytes) -> None:
            wd = self._watches.pop(path)
            self._paths.pop(wd, None)
            with suppress(OSError):  # the kernel has dropped it already
                self._inotify.rm_watch(wd)
