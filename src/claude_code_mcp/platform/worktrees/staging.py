"""Preparing a restore: everything new is written beside the tree's files, in a folder of its own, whole and dressed."""

import os
import stat
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from typing import Protocol

from claude_code_mcp.platform.blobs.errors import ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.objects import Faults, Ref
from claude_code_mcp.platform.seal.content import Keys, broken, opened
from claude_code_mcp.platform.seal.errors import KeyUnavailable
from claude_code_mcp.platform.worktrees.contents import write_opened
from claude_code_mcp.platform.worktrees.errors import ContentMissing
from claude_code_mcp.platform.worktrees.journal import Attributes, Journal, Step, sync_file_system
from claude_code_mcp.platform.worktrees.models import Entry, Kind
from claude_code_mcp.platform.worktrees.plan import Action, Change, Plan
from claude_code_mcp.platform.worktrees.rooted import Rooted

NEW = b"new"
OLD = b"old"
FEW = 64
"""Up to so many files are synced one by one; for more, the whole file system is."""
_HOLE_BYTES = 64 * 1024
_ZEROS = bytes(_HOLE_BYTES)
_SPARSE_BYTES = 1024 * 1024
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Source(Protocol):
    """Where contents come from: a reader of the object store, which never gives a byte that was not put."""

    def missing(self, digests: Iterable[bytes]) -> Collection[bytes]:
        """Return the digests of which it has nothing."""
        ...

    def each(self, digests: Iterable[bytes], take: Callable[[bytes, bytes], None]) -> Faults:
        """Give each object to `take`, on any thread; return those that could not be had."""
        ...

    def write_to(self, ref: Ref, write: Callable[[bytes], object]) -> int:
        """Give a content to `write`, piece by piece."""
        ...


def lay_out(plan: Plan, journal: Journal) -> dict[bytes, bytes]:
    """Fill in the journal's steps; return where each new thing is prepared, by its path in the tree.

    What is below a new folder is prepared inside it, and comes with it in one move.
    """
    places: dict[bytes, bytes] = {}
    gone: list[Change] = []
    for change in plan.changes:
        after = change.after
        if after is None:
            gone.append(change)
        elif change.action is Action.ATTRIBUTES:
            if after.kind != Kind.FOLDER:
                journal.attributes.append(Attributes(change.path, after.kind, after.mode, after.mtime_ns, change.seen))
        else:
            _place(change, places, journal)
    for change in sorted(gone, key=lambda one: one.path, reverse=True):
        folder = change.before is not None and change.before.kind == Kind.FOLDER
        journal.deletes.append(Step(change.path, b"folder" if folder else b"file", change.seen))
    for entry in reversed(plan.folders):
        journal.folders.append(Attributes(entry.path, entry.kind, entry.mode, entry.mtime_ns, None))
    journal.inside.update(plan.inside)
    return places


def _place(change: Change, places: dict[bytes, bytes], journal: Journal) -> None:
    above, _, name = change.path.rpartition(b"/")
    if above in places:
        places[change.path] = places[above] + b"/" + name
        return
    slot = b"%d" % len(journal.moves)
    places[change.path] = b"/".join([journal.staging, NEW, slot])
    if change.replaces_kind:
        journal.displaced.append(Step(change.path, slot, change.seen))
        journal.moves.append(Step(change.path, slot, None))
    else:
        journal.moves.append(Step(change.path, slot, change.seen))


class Staging:
    """The staging folder of one restore, while it is filled."""

    def __init__(self, root_fd: int, journal: Journal, places: dict[bytes, bytes], keys: Keys | None = None) -> None:
        """`places` comes from `lay_out`; `keys` open what is sealed."""
        self._root_fd = root_fd
        self._journal = journal
        self._places = places
        self._keys = keys
        self._own = threading.local()
        self._lock = threading.Lock()  # guards the list of what the threads hold open
        self._hands: list[_Hand] = []
        self._few = len(places) <= FEW
        self._exact: dict[int, bool] = {}

    def fill(self, plan: Plan, contents: dict[bytes, list[Entry]], source: Source) -> None:
        """Write everything new, of which `contents` is what `plan.contents()` says, and make it durable.

        Raises:
            ContentMissing: the store lacks something, or has it damaged.
            KeyUnavailable, SealBroken: something is sealed, and cannot be opened.
            OSError: the disk would not take it.
        """
        try:
            self._folders(plan)
            self._contents(contents, source)
            if not self._few:
                sync_file_system(self._root_fd)
            elif self._places:
                self._sync_folders()
        finally:
            for hand in self._hands:
                hand.close()

    def _at(self, place: bytes) -> tuple[int, bytes]:
        above, _, name = place.rpartition(b"/")
        return self._hand().folder(above), name

    def _hand(self) -> "_Hand":
        hand: _Hand | None = getattr(self._own, "hand", None)
        if hand is None:
            hand = self._own.hand = _Hand(self._root_fd)
            with self._lock:
                self._hands.append(hand)
        return hand

    def _folders(self, plan: Plan) -> None:
        staging = self._journal.staging
        os.mkdir(staging, 0o700, dir_fd=self._root_fd)
        for name in (NEW, OLD):
            os.mkdir(name, 0o700, dir_fd=self._at(staging + b"/x")[0])
        for change in plan.changes:
            place, after = self._places.get(change.path), change.after
            if place is None or after is None:
                continue
            if after.kind == Kind.FOLDER:
                folder, name = self._at(place)
                os.mkdir(name, 0o700, dir_fd=folder)
            elif after.kind == Kind.LINK:
                folder, name = self._at(place)
                os.symlink(after.target, name, dir_fd=folder)
                _set_link_time(folder, name, after.mtime_ns)

    def _contents(self, contents: dict[bytes, list[Entry]], source: Source) -> None:
        big = [entries for entries in contents.values() if entries[0].chunked]
        whole = [digest for digest, entries in contents.items() if not entries[0].chunked]

        def take(digest: bytes, data: bytes) -> None:
            hand = self._hand()
            for entry in contents[digest]:
                self._small_file(hand, entry, self._opened(entry, data) if entry.sealed else data)

        faults = source.each(whole, take) if whole else Faults()
        if not faults.none:
            raise missing_content(contents, [*faults.missing, *faults.damaged])
        for entries in big:
            for entry in entries:
                try:
                    self._file(entry, partial(self._give, entry, source))
                except (ObjectMissing, ObjectDamaged):
                    raise missing_content(contents, [entry.digest]) from None

    def _give(self, entry: Entry, source: Source, write: Callable[[bytes], object]) -> None:
        if entry.sealed:
            write_opened(entry, source.write_to, write, self._keys_for(entry))
        else:
            source.write_to(Ref(entry.digest, entry.size, chunked=True), write)

    def _opened(self, entry: Entry, data: bytes) -> bytes:
        found = opened(data, self._keys_for(entry))
        if len(found) != entry.size:
            raise broken("it is of another size")
        return found

    def _keys_for(self, entry: Entry) -> Keys:
        if self._keys is None:
            raise KeyUnavailable(
                f"{os.fsdecode(entry.path)} is sealed, and there are no keys.", remedy="Nothing was changed."
            )
        return self._keys

    def _small_file(self, hand: "_Hand", entry: Entry, data: bytes) -> None:
        above, _, name = self._places[entry.path].rpartition(b"/")
        fd = os.open(name, _CREATE, entry.mode, dir_fd=hand.folder(above))
        try:
            _write(fd, data)
            self._dress(fd, entry)
        finally:
            os.close(fd)

    def _dress(self, fd: int, entry: Entry) -> None:
        if entry.size >= _SPARSE_BYTES:
            os.ftruncate(fd, entry.size)
        # What a file is made with is cut by the umask (or widened by the folder): the first of each mode tells.
        exact = self._exact.get(entry.mode)
        if exact is None:
            exact = self._exact[entry.mode] = stat.S_IMODE(os.fstat(fd).st_mode) == entry.mode
        if not exact:
            os.fchmod(fd, entry.mode)
        os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        if self._few:
            os.fsync(fd)

    def _file(self, entry: Entry, give: Callable[[Callable[[bytes], object]], object]) -> None:
        folder, name = self._at(self._places[entry.path])
        fd = os.open(name, _CREATE, entry.mode, dir_fd=folder)
        try:
            give(lambda data: _write(fd, data))
            self._dress(fd, entry)
        finally:
            os.close(fd)

    def _sync_folders(self) -> None:
        for place in {place.rpartition(b"/")[0] for place in self._places.values()}:
            with suppress(OSError):  # some file systems cannot
                os.fsync(self._at(place + b"/x")[0])


class _Hand:
    """One thread's way into the staging folder. What lies side by side is written one after the other, so the folder
    is mostly the one of the last file."""

    def __init__(self, root_fd: int) -> None:
        self._rooted = Rooted(root_fd)
        self._last = (b"", root_fd)

    def folder(self, path: bytes) -> int:
        """Return a descriptor of the folder at `path`, good until the next call."""
        last, fd = self._last
        if last != path:
            fd = self._rooted.folder(path)
            self._last = (path, fd)
        return fd

    def close(self) -> None:
        """Close all folders."""
        self._rooted.close()


def _write(fd: int, data: bytes) -> None:
    if len(data) < _SPARSE_BYTES:
        done = os.write(fd, data) if data else 0
        if done < len(data):
            _all(fd, memoryview(data)[done:])
        return
    for start in range(0, len(data), _HOLE_BYTES):
        piece = data[start : start + _HOLE_BYTES]
        if piece == _ZEROS[: len(piece)]:
            os.lseek(fd, len(piece), os.SEEK_CUR)
        else:
            _all(fd, memoryview(piece))


def _all(fd: int, left: memoryview) -> None:
    while left:
        left = left[os.write(fd, left) :]


def _set_link_time(folder: int, name: bytes, mtime_ns: int) -> None:
    with suppress(NotImplementedError):
        os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=folder, follow_symlinks=False)


def missing_content(contents: dict[bytes, list[Entry]], digests: Iterable[bytes]) -> ContentMissing:
    """Return the error that names the files whose content cannot be had."""
    paths = sorted(os.fsdecode(entry.path) for digest in digests for entry in contents[digest])
    return ContentMissing(
        f"The store cannot give the content of {len(paths)} files, {paths[0]} among them.",
        remedy="The tree was left as it is. Verify the store with repair, or restore other paths.",
        paths=paths[:100],
    )
