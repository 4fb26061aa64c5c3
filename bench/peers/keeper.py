"""Trees kept by the store's own code, as the daemon keeps them: in this process, or as a process of its own.

`python -m bench.peers.keeper HOME take ROOT`, `… restore DIGEST ROOT [PATH …]`, `… idle`: each opens the store in HOME,
does one thing, and prints what it used. The stat cache lies in HOME between two processes.
"""

import json
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claude_code_mcp.platform.blobs.objects import Committed
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.files.private import private_dir
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions
from claude_code_mcp.platform.worktrees.looked import Dirty, ScanOptions
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.parts import Parts
from claude_code_mcp.platform.worktrees.plan import RestoreWish, make_plan
from claude_code_mcp.platform.worktrees.restoring import Consent, Supply, restore_tree, restoring
from claude_code_mcp.platform.worktrees.statcache import StatCache
from claude_code_mcp.platform.worktrees.taking import Digests, Taken, keep_manifest, take_tree
from claude_code_mcp.platform.worktrees.watch import TreeWatch, watch_tree

BIG_FILES = 4 << 30


@dataclass
class Keeper:
    """A store, and what is remembered of one tree: in memory, and in a file where `on_disk`."""

    home: Path
    on_disk: bool = False
    cache: StatCache | bytes | None = None
    parts: Parts | None = None
    watch: TreeWatch | None = None
    done: Committed = field(default_factory=Committed)

    def __post_init__(self) -> None:
        self.store = Store.open(private_dir(self.home) / "blobs")
        if self.on_disk and self._cache_file.exists():
            self.cache = self._cache_file.read_bytes()

    @property
    def _cache_file(self) -> Path:
        return self.home / "tree.cache"

    def remember(self) -> None:
        """Remember the manifest's parts from one take to the next, as the daemon does."""
        self.parts = Parts()

    def follow(self, root: Path) -> None:
        """Watch the tree from now on."""
        self.watch = watch_tree(root)
        self.watch.changes()
        if isinstance(self.cache, StatCache):
            self.watch.follow(self.cache.folders)
        self.take(root)

    def take(self, root: Path) -> str:
        """Take the tree, and return the digest of its manifest once everything is durable."""
        dirty = self.watch.changes() if self.watch is not None else None
        with restoring(root, shared=True), self.store.writer() as writer:
            taken = take_tree(root, writer, ScanOptions(most_file_bytes=BIG_FILES), self.cache, dirty)
            digest = taken.manifest_digest
            if digest is None:
                digest = keep_manifest(writer, taken.encoded(self.parts))
            self.done = writer.commit()
        self._remembered(taken, digest)
        return digest.hex()

    def _remembered(self, taken: Taken, digest: bytes) -> None:
        if self.on_disk:
            if digest != taken.manifest_digest or not self._cache_file.exists():
                self._cache_file.write_bytes(taken.cache(digest))
            return
        self.cache = taken.stat_cache(digest)
        if self.watch is not None:
            self.watch.follow(self.cache.folders)

    def restore(self, root: Path, digest: str, paths: Sequence[str] = ()) -> int:
        """Restore a tree, or some paths of it; return how many steps it took."""
        wish = RestoreWish(paths=tuple(os.fsencode(path) for path in paths))
        with self.store.reader() as reader, restoring(root) as root_fd:
            target = read_manifest(bytes.fromhex(digest), reader.read, self.parts)
            options = ScanOptions(also=wish.paths or target.by_path.keys(), most_file_bytes=BIG_FILES)
            dirty = self.watch.changes() if self.watch is not None else None
            dirty = Dirty(trees=frozenset(wish.paths)) if wish.paths else dirty
            live = take_tree(root, Digests(), options, self.cache, dirty)
            ignore = IgnoreOptions()
            plan = make_plan(root, target, live.manifest, lambda one: reader.read(one.digest), wish, ignore)
            done = restore_tree(
                root_fd, root, plan, Supply(reader), self.home / "restores", Consent(outside_links=True)
            )
        if done.failed or done.wrong or done.left or done.rescued:
            raise RuntimeError(f"the restore is not what was asked for: {done}")
        return done.changes


def _peak_bytes() -> int:
    """Return the most memory that this program had. wait4 would tell that of its parent, where that had more."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    except OSError:
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used if sys.platform == "darwin" else used * 1024


def main(argv: Sequence[str]) -> None:
    """Do what the command line says, and print the digest, the bytes that were stored, and the most memory."""
    keeper = Keeper(Path(argv[0]), on_disk=True)
    told: dict[str, str | int] = {}
    if argv[1] == "take":
        told["digest"] = keeper.take(Path(argv[2]))
    elif argv[1] == "restore":
        told["steps"] = keeper.restore(Path(argv[3]), argv[2], argv[4:])
    told |= {"stored_bytes": keeper.done.stored_bytes, "peak_bytes": _peak_bytes()}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
