"""What is remembered of each tree between two looks at it: cache, manifest parts, a watch where it is worth it."""

import asyncio
import hashlib
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from claude_code_mcp.platform.files.atomic import write_atomic
from claude_code_mcp.platform.worktrees.looked import Dirty, ScanOptions
from claude_code_mcp.platform.worktrees.parts import Parts
from claude_code_mcp.platform.worktrees.statcache import StatCache, decode_cache, encode_cache
from claude_code_mcp.platform.worktrees.watch import TreeWatch, watch_tree

KEPT = 4
"""Trees that are remembered in memory; those that are watched come on top."""


@dataclass(slots=True)
class Tree:
    """One project's tree. The lock is held by whoever takes or restores it.

    `sure_of` is the count of deletions (see `Book.forgotten`) when the cache was made; -1 where it came from the disk.
    """

    root: Path
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    parts: Parts = field(default_factory=Parts)
    cache: StatCache | None = None
    sure_of: int = -1
    options: ScanOptions | None = None
    users: int = 0
    watched: bool = False
    watch: TreeWatch | None = None
    unsaved: bool = False

    def changes(self) -> Dirty | None:
        """Return where something changed since the cache was made; None where all must be looked at."""
        if not self.watched:
            self.unwatch()
            return None
        if self.watch is None:
            self.watch = watch_tree(self.root)
        dirty = self.watch.changes()
        return dirty if self.cache is not None else None

    def remember(self, cache: StatCache, sure_of: int, options: ScanOptions) -> None:
        """Keep what the last look saw, and with which options."""
        self.cache, self.sure_of, self.options, self.unsaved = cache, sure_of, options, True
        if self.watch is not None:
            self.watch.follow(cache.folders)

    def forget(self) -> None:
        """Remember nothing: the next look reads every file."""
        self.cache, self.sure_of, self.parts = None, -1, Parts()
        self.unwatch()

    def unwatch(self) -> None:
        """Stop watching; the next look walks the whole tree."""
        if self.watch is not None:
            self.watch.close()
            self.watch = None


class Trees:
    """All trees that somebody asked about; those used last are kept in memory, the others on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._trees: OrderedDict[Path, Tree] = OrderedDict()
        self._saving = threading.Lock()  # guards the files: two may save one tree in turn

    @asynccontextmanager
    async def held(self, root: Path) -> AsyncGenerator[Tree]:
        """Hold the tree at `root` alone, after whoever holds it now."""
        tree = self._trees.get(root)
        if tree is None:
            tree = self._trees[root] = Tree(root)
        self._trees.move_to_end(root)
        tree.users += 1
        try:
            async with tree.lock:
                yield tree
        finally:
            tree.users -= 1

    def busy(self) -> bool:
        """Tell whether any tree is being taken or restored."""
        return any(tree.users for tree in self._trees.values())

    def recall(self, tree: Tree) -> None:
        """Read what an earlier daemon saw, where nothing is remembered. For a thread."""
        if tree.cache is None:
            with suppress(OSError):
                tree.cache = decode_cache(self._file(tree.root).read_bytes())
                tree.sure_of = -1

    def save(self, *trees: Tree) -> None:
        """Keep on disk what is remembered; a disk that refuses costs time at the next look, no more. For a thread."""
        for tree in trees:
            with self._saving, suppress(OSError):
                if tree.cache is not None and tree.unsaved:
                    self._directory.mkdir(mode=0o700, exist_ok=True)
                    write_atomic(self._file(tree.root), encode_cache(tree.cache))
                    tree.unsaved = False

    def drop_some(self) -> list[Tree]:
        """Take those out of memory that were used longest ago; return them, to be saved."""
        idle = [root for root, tree in self._trees.items() if not tree.watched and not tree.users]
        dropped = [self._trees.pop(root) for root in idle[: max(0, len(idle) - KEPT)]]
        for tree in dropped:
            tree.unwatch()
        return dropped

    def close(self) -> None:
        """Stop all watches, and keep on disk what is remembered."""
        for tree in self._trees.values():
            tree.unwatch()
            self.save(tree)

    def _file(self, root: Path) -> Path:
        return (
            self._directory / f"{hashlib.sha256(str(root).encode('utf-8', 'surrogateescape')).hexdigest()[:40]}.cache"
        )
