"""What a restore will do, before it does anything: every change with what stands there now, and what is in the way."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress
from operator import not_

import msgspec

from claude_code_mcp.platform.claude.executable_paths import what_it_runs
from claude_code_mcp.platform.worktrees.contents import Contents
from claude_code_mcp.platform.worktrees.errors import TreeMoved
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions
from claude_code_mcp.platform.worktrees.looked import signature_of
from claude_code_mcp.platform.worktrees.manifest import case_collisions
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest, Reason
from claude_code_mcp.platform.worktrees.protection import Protection, ReadContent, below
from claude_code_mcp.platform.worktrees.rooted import Rooted, open_root, split
from claude_code_mcp.platform.worktrees.statcache import Signature


class Action(StrEnum):
    """What happens to one path. `attributes`: the content stays, mode or time change."""

    CREATE = "create"
    CHANGE = "change"
    ATTRIBUTES = "attributes"
    DELETE = "delete"


class Change(msgspec.Struct, frozen=True, gc=False):
    """One path: what is there (`before`), what will be (`after`), and how it looked when the plan was made."""

    action: Action
    path: bytes
    before: Entry | None
    after: Entry | None
    seen: Signature | None

    @property
    def replaces_kind(self) -> bool:
        """Whether a folder becomes something else, or something else a folder."""
        kinds = {self.before.kind, self.after.kind} if self.before and self.after else set()
        return len(kinds) == 2 and Kind.FOLDER in kinds


@dataclass(frozen=True, slots=True)
class Noted:
    """A path and what is to be known about it."""

    path: bytes
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreWish:
    """What is to be restored.

    `paths`: only these, and what is below them; empty for the whole tree. `known`: the state that the caller knows of,
    against which conflicts are found; None asks for none. `delete`: remove what the target lacks. `contents` opens what
    is sealed; `skip_sealed`: leave alone what cannot be opened, instead of restoring nothing.
    """

    paths: tuple[bytes, ...] = ()
    known: Manifest | None = None
    delete: bool = True
    contents: Contents | None = None
    skip_sealed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore will do, and what speaks against it.

    `blocked` things are none that may be replaced: such a plan is never carried out. `conflicts` were changed since
    the known state. `outside_links` are links that will be made and lead out of the tree. `executable` changes are
    about files that may run or steer something. `kept` would be deleted, but the target's own ignore rules, or what
    it left out by name, protect them. `collisions` are paths that a file system which folds case takes for one.
    """

    changes: tuple[Change, ...]
    folders: tuple[Entry, ...]
    blocked: tuple[Noted, ...] = ()
    conflicts: tuple[bytes, ...] = ()
    outside_links: tuple[Noted, ...] = ()
    executable: tuple[Noted, ...] = ()
    kept: tuple[Noted, ...] = ()
    collisions: tuple[tuple[bytes, bytes], ...] = ()
    inside: Mapping[bytes, Signature] = field(default_factory=dict, repr=False)

    @property
    def empty(self) -> bool:
        """Whether the tree is as the target already."""
        return not self.changes

    def contents(self) -> dict[bytes, list[Entry]]:
        """Return the contents that must be written, by digest: the files that get them."""
        found: dict[bytes, list[Entry]] = {}
        for change in self.changes:
            after = change.after
            if after is not None and after.digest and change.action is not Action.ATTRIBUTES:
                found.setdefault(after.digest, []).append(after)
        return found


def make_plan(
    root: str | bytes | os.PathLike[str],
    target: Manifest,
    live: Manifest,
    read: ReadContent,
    wish: RestoreWish,
    options: IgnoreOptions,
) -> Plan:
    """Return what makes the tree at `root` what `target` says.

    `live` is the tree as it was just taken, with `also` naming the target's paths. Nothing is changed.

    Raises:
        TreeNotFound: there is no folder at the root.
        TreeMoved: something was changed since the tree was taken.
    """
    root_fd = open_root(root)
    try:
        with Rooted(root_fd) as rooted:
            return _Planner(rooted, os.path.realpath(os.fsencode(root)), target, live, wish).plan(
                Protection(os.path.realpath(os.fsencode(root)), target, read, options)
            )
    finally:
        os.close(root_fd)


class _Planner:
    def __init__(self, rooted: Rooted, root: bytes, target: Manifest, live: Manifest, wish: RestoreWish) -> None:
        self._rooted = rooted
        self._root = root
        self._wish = wish
        self._target = target
        self._live = live
        self._wanted = _not_among(target.entries, live.entries)
        self._changes: list[Change] = []
        self._blocked: list[Noted] = []
        self._kept: list[Noted] = []
        self._inside: dict[bytes, Signature] = {}
        self._missing: set[bytes] = set()
        self._unsealed = {one.path for one in live.omitted if one.reason is Reason.NO_KEY}

    def plan(self, protection: Protection) -> Plan:
        """Compare, path by path."""
        live = self._live.by_path
        for entry in self._wanted:
            if live.get(entry.path) != entry and (self._asked(entry.path) or self._leads_to_asked(entry)):
                self._toward(entry)
        wanted = {entry.path for entry in self._wanted}
        if self._wish.delete:
            for entry in _not_among(self._live.entries, self._target.entries):
                if entry.path not in wanted and self._asked(entry.path):
                    self._away(entry, protection)
        self._keep_folders_of_kept()
        for change in self._changes:
            if change.replaces_kind and change.before is not None and change.before.kind == Kind.FOLDER:
                self._must_hold_nothing_else(change.path)
        changes = tuple(sorted(self._changes, key=lambda change: change.path))
        return Plan(
            changes, self._folders(changes), tuple(self._blocked), self._conflicts(changes),
            tuple(self._outside_links(changes)), tuple(_executable(changes)), tuple(self._kept),
            self._collisions(changes), self._inside,
        )  # fmt: skip

    def _asked(self, path: bytes) -> bool:
        wanted = self._wish.paths
        return not wanted or any(path == one or path.startswith(one + b"/") for one in wanted)

    def _leads_to_asked(self, entry: Entry) -> bool:
        """Tell whether a folder is missing above something that was asked for."""
        if entry.kind != Kind.FOLDER or not any(one.startswith(entry.path + b"/") for one in self._wish.paths):
            return False
        live = self._live.by_path.get(entry.path)
        return live is None or live.kind != Kind.FOLDER

    def _toward(self, entry: Entry) -> None:
        path = entry.path
        live = self._live.by_path.get(path)
        if self._closed(entry, live):
            return
        if live is None:
            # Below a folder that is not there nothing can be in the way.
            info = None if split(path)[0] in self._missing else self._rooted.look(path)
            if info is None and entry.kind == Kind.FOLDER:
                self._missing.add(path)
            if info is None:
                self._changes.append(Change(Action.CREATE, path, None, entry, None))
            elif not (stat.S_ISDIR(info.st_mode) and entry.kind == Kind.FOLDER):
                self._in_the_way(path)
        elif live.kind != entry.kind or live.target != entry.target or not self._alike(entry, live):
            self._changes.append(Change(Action.CHANGE, path, live, entry, self._seen(live)))
        elif live.mode != entry.mode or (live.kind != Kind.FOLDER and live.mtime_ns != entry.mtime_ns):
            self._changes.append(Change(Action.ATTRIBUTES, path, live, entry, self._seen(live)))

    def _in_the_way(self, path: bytes) -> None:
        """Note what stands there and would be lost; a secret that cannot be sealed now may be left alone."""
        if self._wish.skip_sealed and path in self._unsealed:
            self._kept.append(Noted(path, "it cannot be sealed now, so it would be lost"))
        else:
            self._blocked.append(Noted(path, "something stands there that is ignored or cannot be kept"))

    def _closed(self, entry: Entry, live: Entry | None) -> bool:
        """Note what is needed and cannot be opened: it is in the way, or left alone where that is wished."""
        contents = self._wish.contents
        needed = entry.sealed and (live is None or not self._alike(entry, live))
        why = contents.why_closed(entry) if contents is not None and needed else ""
        if why and self._wish.skip_sealed:
            self._kept.append(Noted(entry.path, why))
        elif why:
            self._blocked.append(Noted(entry.path, why))
        return bool(why)

    def _alike(self, stored: Entry, other: Entry) -> bool:
        if self._wish.contents is None or not (stored.sealed or other.sealed):
            return stored.digest == other.digest
        return self._wish.contents.alike(stored, other)

    def _away(self, entry: Entry, protection: Protection) -> None:
        why = protection.why_kept(entry.path, folder=entry.kind == Kind.FOLDER)
        if why:
            self._kept.append(Noted(entry.path, why))
            return
        self._changes.append(Change(Action.DELETE, entry.path, entry, None, self._seen(entry)))

    def _keep_folders_of_kept(self) -> None:
        """What is kept keeps the folders that it is in."""
        needed = {one.path[:at] for one in self._kept for at in range(len(one.path)) if one.path[at : at + 1] == b"/"}
        self._changes = [one for one in self._changes if one.action is not Action.DELETE or one.path not in needed]

    def _seen(self, live: Entry) -> Signature:
        """Return how a path looks now, if it still is what was taken."""
        info = self._rooted.look(live.path)
        kinds = {Kind.FILE: stat.S_IFREG, Kind.LINK: stat.S_IFLNK, Kind.FOLDER: stat.S_IFDIR}
        same = info is not None and stat.S_IFMT(info.st_mode) == kinds[Kind(live.kind)]
        if same and info is not None and live.kind != Kind.FOLDER:
            same = info.st_mtime_ns == live.mtime_ns and (live.kind == Kind.LINK or info.st_size == live.size)
        if not same or info is None:
            raise moved(live.path)
        return sighting(info)

    def _must_hold_nothing_else(self, folder: bytes) -> None:
        """Block where a folder that is to make room holds what no manifest has."""
        kept = {one.path for one in self._kept}
        for path, info in _walk(self._rooted, folder):
            if path not in self._live.by_path or path in kept:
                self._blocked.append(
                    Noted(path, f"{os.fsdecode(folder)} would make room, but this is not ours to move")
                )
                return
            if not stat.S_ISDIR(info.st_mode):
                self._inside[path] = sighting(info)

    def _folders(self, changes: Iterable[Change]) -> tuple[Entry, ...]:
        """Return the folders whose mode and time are set at the end: the target's, and others that are touched."""
        gone = {change.path for change in changes if change.action is Action.DELETE}
        found: dict[bytes, Entry] = {}
        for entry in self._wanted:
            if entry.kind == Kind.FOLDER and self._asked(entry.path):
                live = self._live.by_path.get(entry.path)
                if live is None or (live.mode, live.mtime_ns) != (entry.mode, entry.mtime_ns):
                    found[entry.path] = entry
        for change in changes:
            above, _ = split(change.path)
            if above and above not in found and above not in gone:
                entry_now = self._target.by_path.get(above) if self._asked(above) else self._live.by_path.get(above)
                entry_now = entry_now or self._target.by_path.get(above)
                if entry_now is not None and entry_now.kind == Kind.FOLDER:
                    found[above] = entry_now
        return tuple(found[path] for path in sorted(found))

    def _conflicts(self, changes: Iterable[Change]) -> tuple[bytes, ...]:
        known = self._wish.known
        if known is None:
            return ()
        found = []
        for change in changes:
            before = change.before
            if before is not None and before.kind != Kind.FOLDER:
                then = known.by_path.get(change.path)
                if then is None or not (before.same_thing(then) or self._sealed_since(then, before)):
                    found.append(change.path)
        return tuple(found)

    def _collisions(self, changes: Iterable[Change]) -> tuple[tuple[bytes, bytes], ...]:
        """Return what would be taken for one; where nothing is made, all of it is there side by side already."""
        made = any(change.action is Action.CREATE for change in changes)
        return tuple(case_collisions(self._target.entries)) if made else ()

    def _sealed_since(self, then: Entry, now: Entry) -> bool:
        """Tell whether only the way in which a secret is kept differs."""
        same = (then.kind, then.mode, then.size, then.target) == (now.kind, now.mode, now.size, now.target)
        return same and then.sealed != now.sealed and self._alike(then, now)

    def _outside_links(self, changes: Iterable[Change]) -> Iterator[Noted]:
        for change in changes:
            after = change.after
            if after is None or after.kind != Kind.LINK or change.action is Action.ATTRIBUTES:
                continue
            if leads_outside(self._root, after):
                yield Noted(change.path, f"leads to {os.fsdecode(after.target)}")


def _not_among(entries: Sequence[Entry], others: Sequence[Entry]) -> list[Entry]:
    """Return those that are not the very same objects as others: most of a tree is as it was, told at one look."""
    same = set(map(id, others))
    return list(compress(entries, map(not_, map(same.__contains__, map(id, entries)))))


def moved(path: bytes) -> TreeMoved:
    """Return the error that says that somebody else changed `path`."""
    return TreeMoved(
        f"{os.fsdecode(path)} was changed by somebody else while the restore was prepared.",
        remedy="Nothing was changed by us; try again when nobody writes there.",
        path=os.fsdecode(path),
    )


def sighting(info: os.stat_result) -> Signature:
    """Return how something looks, as far as our own work on its other names leaves it alone."""
    size, mtime, ctime, inode, mode = signature_of(info)
    linked = info.st_nlink > 1 and not stat.S_ISDIR(mode)
    return (size, mtime, 0 if linked else ctime, inode, mode)


def leads_outside(root: bytes, link: Entry) -> bool:
    """Tell whether a link, taken by its words, leads out of the tree at `root`."""
    target = link.target
    if target.startswith(b"/"):
        real = os.path.normpath(target)
        return real != root and not real.startswith(root + b"/")
    depth = link.path.count(b"/")
    for part in target.split(b"/"):
        depth += {b"..": -1, b".": 0, b"": 0}.get(part, 1)
        if depth < 0:
            return True
    return False


def _walk(rooted: Rooted, folder: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    with suppress(FileNotFoundError), os.scandir(rooted.folder(folder)) as found:
        names = [os.fsencode(entry.name) for entry in found]
        for name in names:
            path = below(folder, name)
            info = rooted.look(path)
            if info is not None:
                yield path, info
                if stat.S_ISDIR(info.st_mode):
                    yield from _walk(rooted, path)


def _executable(changes: Iterable[Change]) -> Iterator[Noted]:
    for change in changes:
        does = what_it_runs(change.path)
        gains_x = change.after is not None and change.before is not None and _runs(change.after) > _runs(change.before)
        if does and not (change.action is Action.ATTRIBUTES and not gains_x):
            yield Noted(change.path, does)


def _runs(entry: Entry) -> bool:
    return entry.kind == Kind.FILE and bool(entry.mode & 0o111)
