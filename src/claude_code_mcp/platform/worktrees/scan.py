"""Walking a tree: what is kept, what is left out and why, and which files must be read because they look different."""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from claude_code_mcp.platform.worktrees.ignoring import IgnoreRules, Scope, Verdict
from claude_code_mcp.platform.worktrees.looked import Dirty, LeftOut, Pending, Scan, ScanOptions, signature_of
from claude_code_mcp.platform.worktrees.models import RESERVED, Entry, Kind, Omitted, Reason
from claude_code_mcp.platform.worktrees.rooted import FOLDER, PLAIN
from claude_code_mcp.platform.worktrees.statcache import (
    NEVER,
    Known,
    KnownFolder,
    StatCache,
)

DEEPEST = 256
_PATH_BYTES = 16_384
_EXAMPLES = 5
_RULES_BYTES = 16 * 1024 * 1024
_TYPE = 0o170000


def scan_tree(
    root_fd: int, root: bytes, options: ScanOptions, cache: StatCache | None = None, dirty: Dirty | None = None
) -> Scan:
    """Walk the tree at `root`, of which `root_fd` is a descriptor; nothing is read but folders and ignore files.

    `dirty`, from a watch that has followed the tree since `cache` was made, spares looking anywhere else.
    Pipes, sockets and devices are never opened. Links are not followed. Folders of other file systems are left out.
    """
    return _Walk(root_fd, root, options, cache, dirty).run()


class _Below(NamedTuple):
    path: bytes
    name: str
    scope: Scope
    reusable: bool


class _Walk:
    def __init__(
        self, root_fd: int, root: bytes, options: ScanOptions, cache: StatCache | None, dirty: Dirty | None
    ) -> None:
        self.options = options
        self.rules = IgnoreRules(root, options.ignore, options.also)
        self.device = os.fstat(root_fd).st_dev
        self.scan = Scan(options.fingerprint(self.rules), self.rules.exceptions, time.time_ns())
        self.cache = cache
        self.same_rules = cache is not None and cache.fingerprint == self.scan.fingerprint
        self.same_exceptions = cache is not None and cache.exceptions == self.scan.exceptions
        self.dirty = self._looked_at(dirty) if self.same_rules else None
        self._touched = self.dirty.touched() if self.dirty is not None else frozenset[bytes]()
        self._reused: set[bytes] = set()
        self._dropped: set[bytes] = set()
        self._root_fd = root_fd
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[bytes]] = {}

    def _looked_at(self, dirty: Dirty | None) -> Dirty | None:
        """Return where to look: also where a key was lacking, and with other exceptions where things were left out."""
        if dirty is None or self.cache is None:
            return dirty
        more = {one.path.rpartition(b"/")[0] for one in self.cache.omitted if one.reason is Reason.NO_KEY}
        if not self.same_exceptions:
            more |= {path for path, known in self.cache.folders.items() if known.left_out}
        return Dirty(dirty.folders | more, dirty.trees)

    def run(self) -> Scan:
        """Walk, one folder after the other; at most as many descriptors are open as the tree is deep."""
        frames: list[tuple[int, list[_Below]]] = [(os.dup(self._root_fd), [])]
        try:
            frames[0][1].extend(self._folder(frames[0][0], b"", self.rules.top()))
            while frames:
                fd, below = frames[-1]
                if not below:
                    os.close(fd)
                    frames.pop()
                    continue
                step = below.pop()
                if step.reusable and step.path not in self._touched:
                    self._reuse(step.path)
                elif len(frames) >= DEEPEST:
                    self._omit_folder(step.path, Reason.NAME_TOO_LONG, "nested too deeply")
                elif (inner := self._opened(fd, step)) is not None:
                    frames.append(inner)
        finally:
            for fd, _ in frames:
                os.close(fd)
        return self._done()

    def _done(self) -> Scan:
        scan, cache = self.scan, self.cache
        for one in cache.omitted if cache is not None and self._reused else ():
            if one.path in self._dropped or one.path.rpartition(b"/")[0] in self._reused:
                self.omit(one.path, one.reason, one.detail)
        if self._dropped:
            scan.entries = [entry for entry in scan.entries if entry.path not in self._dropped]
        scan.omitted.sort(key=lambda one: one.path)
        if cache is None or cache.folders.keys() != scan.folders.keys() or list(cache.omitted) != scan.omitted:
            scan.changed = True
        for source, count in self._counts.most_common():
            scan.left_out.append(LeftOut(source, count, tuple(self._examples[source])))
        return scan

    def _opened(self, above: int, step: _Below) -> tuple[int, list[_Below]] | None:
        try:
            fd = os.open(step.name, FOLDER, dir_fd=above)
        except OSError as exc:
            # One that went away, or became a link, since it was seen is no folder any more.
            gone = isinstance(exc, FileNotFoundError | NotADirectoryError)
            self._omit_folder(step.path, Reason.VANISHED if gone else Reason.UNREADABLE, exc.strerror or "")
            return None
        try:
            return fd, self._folder(fd, step.path, step.scope)
        except OSError as exc:
            os.close(fd)
            self._omit_folder(step.path, Reason.UNREADABLE, exc.strerror or "")
            return None

    def _omit_folder(self, path: bytes, reason: Reason, detail: str) -> None:
        self._dropped.add(path)
        self.omit(path, reason, detail)

    def _reuse(self, top: bytes) -> None:
        """Take a folder and all below it as the cache has them."""
        folders = self.cache.folders if self.cache is not None else {}
        waiting = [top]
        while waiting:
            path = waiting.pop()
            known = folders.get(path)
            if known is None:
                self._dropped.add(path)  # it could not be entered then, and that was told
                continue
            self._reused.add(path)
            self.scan.folders[path] = known
            for one in known.kept.values():
                self.scan.entries.append(one.entry)
                if one.entry.kind == Kind.FOLDER:
                    waiting.append(one.entry.path)
            for name, (_, source) in known.left_out.items():
                self.count(source, path + b"/" + name)

    def _folder(self, fd: int, path: bytes, scope: Scope) -> list[_Below]:
        with os.scandir(fd) as listed:
            found = {entry.name: entry for entry in listed}
        scope = self.rules.enter(scope, path, found, lambda name: _rules_file(fd, name))
        known = self.cache.folders.get(path) if self.cache is not None else None
        return _Folder(self, fd, path, scope, known).take(found)

    def may_reuse(self, path: bytes) -> bool:
        """Whether what is below a folder need not be looked at, as far as nothing there is dirty."""
        return self.dirty is not None and not any(
            path == tree or path.startswith(tree + b"/") or not tree for tree in self.dirty.trees
        )

    def omit(self, path: bytes, reason: Reason, detail: str = "") -> None:
        """Leave something out by name."""
        if reason is not Reason.VANISHED:  # what is gone needs no protection from a restore
            self.scan.omitted.append(Omitted(path, reason, detail))
        self.scan.changed = self.scan.changed or reason is Reason.VANISHED
        self.count(reason.value, path)

    def count(self, source: str, path: bytes) -> None:
        """Count something that was left out."""
        self._counts[source] += 1
        examples = self._examples.setdefault(source, [])
        if len(examples) < _EXAMPLES:
            examples.append(path)


def _rules_file(folder: int, name: bytes) -> bytes | None:
    try:
        fd = os.open(name, PLAIN, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        try:
            data = file.read(_RULES_BYTES + 1) if stat.S_ISREG(os.fstat(fd).st_mode) else None
        except OSError:
            return None
    return data if data is not None and len(data) <= _RULES_BYTES else None


class _Folder:
    """One folder of a walk: what is there is compared with what is known."""

    def __init__(self, walk: _Walk, fd: int, path: bytes, scope: Scope, known: KnownFolder | None) -> None:
        self._walk = walk
        self._scan = walk.scan
        self._fd = fd
        self._path = path
        self._prefix = path + b"/" if path else b""
        self._scope = scope
        self._known = known
        self._hits = known.kept if known is not None else {}
        self._same_rules = known is not None and walk.same_rules and known.rules == scope.digest
        self._reusable = self._same_rules and walk.may_reuse(path)
        self._kept: dict[bytes, Known] = {}
        self._left_out: dict[bytes, tuple[bool, str]] = {}
        self._below: list[_Below] = []
        self._changed = False

    def take(self, found: Mapping[str, "os.DirEntry[str]"]) -> list[_Below]:
        """Take everything in; return the folders to walk."""
        hits = self._hits if self._same_rules else {}
        kept, entries = self._kept, self._scan.entries
        for text, one in found.items():
            name = text.encode("utf-8", "surrogateescape")
            try:
                info = one.stat(follow_symlinks=False)
            except OSError:
                self._changed = True  # it went away since the folder was listed
                continue
            hit = hits.get(name)
            mode = info.st_mode
            if hit is None or not hit.plain or hit.signature != (
                info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, mode,
            ):  # fmt: skip
                self._other(text, name, info)
                continue
            kept[name] = hit
            entries.append(hit.entry)
            if mode & _TYPE == stat.S_IFDIR:
                self._below.append(_Below(hit.entry.path, text, self._scope, self._reusable))
            elif info.st_nlink > 1:
                self._scan.hard_linked += 1
        self._remember()
        return self._below

    def _remember(self) -> None:
        known = self._known
        same = known is not None and self._same_rules and not self._changed
        if known is None or not same or len(self._kept) != len(self._hits) or self._left_out != known.left_out:
            self._scan.changed = True
            known = KnownFolder(self._scope.digest, self._kept, self._left_out)
        self._scan.folders[self._path] = known

    def _other(self, text: str, name: bytes, info: os.stat_result) -> None:
        """Take in something that is not known as it looks now."""
        path = self._prefix + name
        folder = stat.S_ISDIR(info.st_mode)
        verdict = self._verdict(path, name, folder=folder)
        if not verdict.taken:
            self._left_out[name] = (folder, verdict.source)
            self._walk.count(verdict.source, path)
        elif len(path) > _PATH_BYTES:
            self._walk.omit(path, Reason.NAME_TOO_LONG)
        elif folder:
            self._take_folder(path, text, info, verdict)
        elif stat.S_ISLNK(info.st_mode):
            self._take_link(path, info, plain=not verdict.source)
        elif stat.S_ISREG(info.st_mode):
            self._take_file(path, info, plain=not verdict.source)
        else:
            self._walk.omit(path, Reason.SPECIAL, _special(info.st_mode))

    def _verdict(self, path: bytes, name: bytes, *, folder: bool) -> Verdict:
        if not self._path and name.startswith(RESERVED):
            return Verdict(taken=False, source="a restore at work")
        known = self._known
        if known is not None and self._same_rules:
            left_out = known.left_out.get(name)
            if left_out is not None and left_out[0] == folder and self._walk.same_exceptions:
                return Verdict(taken=False, source=left_out[1])
            hit = self._hits.get(name)
            if hit is not None and hit.plain and (hit.entry.kind == Kind.FOLDER) == folder:
                return Verdict(taken=True)
        return self._walk.rules.verdict(self._scope, path, name, folder=folder)

    def _take_folder(self, path: bytes, text: str, info: os.stat_result, verdict: Verdict) -> None:
        if info.st_dev != self._walk.device:
            self._walk.omit(path, Reason.OTHER_FILE_SYSTEM)
            return
        entry = Entry(path, Kind.FOLDER, info.st_mode & 0o777, 0, info.st_mtime_ns)
        # A folder's own times say nothing about what it holds, so it may be as young as it likes.
        self._keep(Known(signature_of(info), entry, plain=not verdict.source and verdict.enter is None))
        before = self._hits.get(path.rpartition(b"/")[2])
        known = before is not None and before.entry.kind == Kind.FOLDER and before.signature[3] == info.st_ino
        self._below.append(
            _Below(path, text, verdict.enter or self._scope, self._reusable and known and verdict.enter is None)
        )

    def _take_link(self, path: bytes, info: os.stat_result, *, plain: bool) -> None:
        try:
            target = os.readlink(path.rpartition(b"/")[2], dir_fd=self._fd)
        except OSError as exc:
            self._walk.omit(path, Reason.VANISHED, exc.strerror or "")
            return
        self._keep(
            Known(self._scan.signature(info), Entry(path, Kind.LINK, 0, 0, info.st_mtime_ns, target=target), plain)
        )

    def _take_file(self, path: bytes, info: os.stat_result, *, plain: bool) -> None:
        if info.st_size > self._walk.options.most_file_bytes:
            self._walk.omit(path, Reason.TOO_LARGE, f"{info.st_size} bytes")
            return
        self._scan.hard_linked += info.st_nlink > 1
        name = path.rpartition(b"/")[2]
        hit = self._hits.get(name)
        sealed = info.st_size > 0 and self._walk.rules.seals(path, name)
        # Under other rules it may have been sealed with another key.
        kept_so = hit is not None and hit.entry.sealed == sealed and (not sealed or self._walk.same_rules)
        if hit is not None and kept_so and hit.signature == signature_of(info):
            self._keep(Known(hit.signature, hit.entry, plain))
            return
        self._changed = True
        self._kept[name] = Known(NEVER, Entry(path, Kind.FILE, 0, 0, 0), plain)
        self._scan.pending.append(Pending(path, info.st_size, sealed))

    def _keep(self, known: Known) -> None:
        name = known.entry.path.rpartition(b"/")[2]
        before = self._hits.get(name)
        # Two that are too young to tell have the same signature, so the entries are compared as well.
        if before is None or before != known:
            self._changed = True
        self._kept[name] = known
        self._scan.entries.append(known.entry)


def _special(mode: int) -> str:
    kinds: tuple[tuple[Callable[[int], bool], str], ...] = (
        (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISBLK, "a device"), (stat.S_ISCHR, "a device"),
    )  # fmt: skip
    return next((what for accepts, what in kinds if accepts(mode)), "of an unknown kind")
