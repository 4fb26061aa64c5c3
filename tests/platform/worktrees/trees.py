"""Trees for tests: made by a description, read back as one, taken, and restored with the real store."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions, Secrets
from claude_code_mcp.platform.worktrees.looked import ScanOptions
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.models import Manifest
from claude_code_mcp.platform.worktrees.plan import Plan, RestoreWish, make_plan
from claude_code_mcp.platform.worktrees.restoring import Consent, Restored, Supply, restore_tree, restoring
from claude_code_mcp.platform.worktrees.taking import Digests, Taken, keep_manifest, take_tree

BARE = IgnoreOptions(defaults=False, secrets=Secrets.AS_GIT, git=False)
"""Nothing is left out."""

Shape = Mapping[bytes, object]
"""A tree by its paths: bytes for a file, (bytes, mode) for one with a mode, a str for a link, None for a folder."""


def make(root: Path, shape: Shape) -> None:
    """Make what `shape` describes below `root`, with the folders above it."""
    for path, thing in sorted(shape.items()):
        place = os.path.join(os.fsencode(root), path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if thing is None:
            os.makedirs(place, exist_ok=True)
        elif isinstance(thing, str):
            Path(os.fsdecode(place)).symlink_to(thing)
        else:
            data, mode = thing if isinstance(thing, tuple) else (thing, 0o644)
            assert isinstance(data, bytes)
            fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.write(fd, data)
            os.fchmod(fd, mode)
            os.close(fd)


def clear(root: Path) -> None:
    """Remove everything below `root`."""
    for place in list(root.iterdir()):
        if place.is_dir() and not place.is_symlink():
            clear(place)
            place.rmdir()
        else:
            place.unlink()


def seen(root: Path, *, times: bool = True) -> dict[bytes, object]:
    """Return everything below `root` as it is: kind, mode, content, and the times of files and links."""
    return dict(_seen(os.fsencode(root), b"", times=times))


def _seen(root: bytes, folder: bytes, *, times: bool) -> Iterator[tuple[bytes, object]]:
    for one in sorted(Path(os.fsdecode(os.path.join(root, folder))).iterdir()):
        path = os.path.join(folder, os.fsencode(one.name))
        place = os.path.join(root, path)
        info = os.lstat(place)
        mode, time = stat.S_IMODE(info.st_mode), info.st_mtime_ns if times else 0
        if stat.S_ISDIR(info.st_mode):
            yield path, ("folder", mode)
            yield from _seen(root, path, times=times)
        elif stat.S_ISLNK(info.st_mode):
            yield path, ("link", os.readlink(place))
        elif stat.S_ISREG(info.st_mode):
            yield path, ("file", mode, Path(os.fsdecode(place)).read_bytes(), time)
        else:
            yield path, ("special", stat.S_IFMT(info.st_mode))


@dataclass
class Vault:
    """A store, journals, and a tree that is taken into it and restored from it."""

    home: Path
    root: Path
    ignore: IgnoreOptions = BARE
    caches: dict[bytes, bytes] = field(default_factory=dict)
    cache: bytes | None = None

    def __post_init__(self) -> None:
        self.store = Store.open(self.home / "blobs")
        self.journals = self.home / "restores"
        self.root.mkdir(exist_ok=True)

    def take(self, *, cached: bool = True) -> bytes:
        """Take the tree, keep it, and return the digest of its manifest."""
        return self.taken(cached=cached)[1]

    def taken(self, *, cached: bool = True) -> tuple[Taken, bytes]:
        with self.store.writer() as writer:
            taken = take_tree(self.root, writer, ScanOptions(ignore=self.ignore), self.cache if cached else None)
            digest = taken.manifest_digest or keep_manifest(writer, taken.encoded())
            writer.commit()
            self.cache = taken.cache(digest)
        return taken, digest

    def manifest(self, digest: bytes) -> Manifest:
        with self.store.reader() as reader:
            return read_manifest(digest, reader.read)

    def plan(self, target: bytes | Manifest, wish: RestoreWish | None = None) -> Plan:
        with self.store.reader() as reader:
            manifest = read_manifest(target, reader.read) if isinstance(target, bytes) else target
            options = ScanOptions(ignore=self.ignore, also=manifest.by_path.keys())
            live = take_tree(self.root, Digests(), options, self.cache)
            return make_plan(
                self.root, manifest, live.manifest, lambda entry: reader.read(entry.digest), wish or RestoreWish(),
                self.ignore,
            )  # fmt: skip

    def carry_out(self, plan: Plan, consent: Consent | None = None) -> Restored:
        with self.store.reader() as reader, restoring(self.root) as root_fd:
            return restore_tree(root_fd, self.root, plan, Supply(reader), self.journals, consent or Consent())

    def restore(self, target: bytes | Manifest, wish: RestoreWish | None = None) -> Restored:
        return self.carry_out(self.plan(target, wish), Consent(outside_links=True))


names = st.binary(min_size=1, max_size=6).filter(
    lambda name: not {0, 47} & set(name) and name.lower() not in {b".", b"..", b".git", b".checkpointignore"}
)
contents = st.one_of(
    st.binary(max_size=40), st.just(b""), st.integers(1, 300_000).map(lambda size: (b"%d line\n" % size) * (size // 8))
)
things = st.one_of(
    contents,
    st.tuples(contents, st.sampled_from([0o600, 0o644, 0o755, 0o444, 0o700])),
    st.text("abc/.", min_size=1, max_size=8),
    st.none(),
)


@st.composite
def shapes(draw: st.DrawFn) -> dict[bytes, object]:
    """Draw a tree; what would have to be both a file and a folder is left out."""
    folders = [b"", *(draw(st.lists(names, max_size=3)))]
    inner = [os.path.join(above, name) for above in folders for name in draw(st.lists(names, max_size=2))]
    found: dict[bytes, object] = {}
    for folder in {*folders, *inner}:
        for name in draw(st.lists(names, max_size=3)):
            found[os.path.join(folder, name)] = draw(things)
    for path in sorted(found):
        above = [path[:at] for at, byte in enumerate(path) if byte == 47]
        if any(one in found and found[one] is not None for one in above):
            del found[path]
    return found
