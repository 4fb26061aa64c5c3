"""The second half of a restore: what lies ready takes its place. Done again after a crash, it does what is left."""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from claude_code_mcp.platform.worktrees.journal import Attributes, Journal, Step
from claude_code_mcp.platform.worktrees.models import Kind
from claude_code_mcp.platform.worktrees.plan import Noted, sighting
from claude_code_mcp.platform.worktrees.rooted import Rooted, split
from claude_code_mcp.platform.worktrees.staging import NEW, OLD
from claude_code_mcp.platform.worktrees.statcache import Signature

_NOT_FOR_GOOD = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
"""What another try may overcome; other refusals are told, and the rest is done."""
_KEPT = b"kept"


@dataclass(slots=True)
class Committed:
    """What came of it. `rescued`: changed by somebody else in the last instant, and moved to where it is named.
    `left`: not deleted, since it was changed or holds what is not ours. `failed`: the system refused."""

    rescued: list[Noted] = field(default_factory=list)
    left: list[Noted] = field(default_factory=list)
    failed: list[Noted] = field(default_factory=list)


def roll_forward(root_fd: int, journal: Journal) -> Committed:
    """Do what the journal says and is not done yet.

    Raises:
        OSError: the disk would not; done again later, it goes on where it was.
    """
    with Rooted(root_fd) as rooted:
        return _Commit(rooted, journal).run()


class _Commit:
    def __init__(self, rooted: Rooted, journal: Journal) -> None:
        self._rooted = rooted
        self._journal = journal
        self._new = b"/".join([journal.staging, NEW])
        self._old = b"/".join([journal.staging, OLD])
        self._done = Committed()

    def run(self) -> Committed:
        """Make room, move in, dress, delete, and set the folders' modes and times last."""
        for step in self._journal.displaced:
            self._trying(step.path, lambda step=step: self._displace(step))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        for step in self._journal.moves:
            self._trying(step.path, lambda step=step: self._move(step))  # type: ignore[misc]  # the same
        for one in self._journal.attributes:
            self._trying(one.path, lambda one=one: self._dress(one))  # type: ignore[misc]  # the same
        for step in self._journal.deletes:
            self._trying(step.path, lambda step=step: self._delete(step))  # type: ignore[misc]  # the same
        for one in self._journal.folders:
            self._trying(one.path, lambda one=one: self._dress(one))  # type: ignore[misc]  # the same
        return self._done

    def _trying(self, path: bytes, do: Callable[[], None]) -> None:
        try:
            do()
        except PermissionError:
            self._open_up(path)
            try:
                do()
            except OSError as exc:
                self._refused(path, exc)
        except OSError as exc:
            self._refused(path, exc)

    def _refused(self, path: bytes, exc: OSError) -> None:
        if exc.errno in _NOT_FOR_GOOD:
            raise exc
        self._done.failed.append(Noted(path, exc.strerror or str(exc)))

    def _open_up(self, path: bytes) -> None:
        """Let us write in the folder of `path`, and move what is there; its mode is set anew at the end."""
        above, _ = split(path)
        for folder in (above, path):
            with suppress(OSError):
                info = self._rooted.look(folder) if folder else None
                if info is not None and stat.S_ISDIR(info.st_mode):
                    os.fchmod(self._rooted.folder(folder), stat.S_IMODE(info.st_mode) | 0o700)

    def _displace(self, step: Step) -> None:
        place = b"/".join([self._old, step.slot])
        if self._rooted.look(place) is not None:
            return  # it was done before a crash
        if self._rooted.look(b"/".join([self._new, step.slot])) is None:
            return  # what stands there now is the new one
        info = self._rooted.look(step.path)
        if info is None:
            return
        if stat.S_ISDIR(info.st_mode) or step.seen == sighting(info):
            self._rename(step.path, place)
        else:
            self._rescue(step.path, step.slot)

    def _move(self, step: Step) -> None:
        place = b"/".join([self._new, step.slot])
        if self._rooted.look(place) is None:
            return
        info = self._look_with_folders(step)
        if info is not None and (step.seen is None or step.seen != sighting(info)):
            self._rescue(step.path, step.slot)
        self._rename(place, step.path)

    def _look_with_folders(self, step: Step) -> os.stat_result | None:
        """Return what stands at a path, after making sure that the folders above it are folders."""
        parts = step.path.split(b"/")
        for depth in range(1, len(parts)):
            folder = b"/".join(parts[:depth])
            info = self._rooted.look(folder)
            if info is not None and not stat.S_ISDIR(info.st_mode):
                self._rescue(folder, b"%s-%d" % (step.slot, depth))
                info = None
            if info is None:
                self._rooted.forget(folder)
                fd, name = self._rooted.at(folder)
                os.mkdir(name, 0o755, dir_fd=fd)
        return self._rooted.look(step.path)

    def _rescue(self, path: bytes, slot: bytes) -> None:
        place = b"/".join([self._old, _KEPT + b"-" + slot])
        self._rename(path, place)
        self._done.rescued.append(Noted(path, f"it was changed in the last instant, and is now {os.fsdecode(place)}"))

    def _rename(self, source: bytes, place: bytes) -> None:
        self._rooted.forget(source)
        # Both descriptors must be open at once, so neither may push the other out: the second is looked up first.
        self._rooted.at(place)
        from_fd, from_name = self._rooted.at(source)
        to_fd, to_name = self._rooted.at(place)
        os.rename(from_name, to_name, src_dir_fd=from_fd, dst_dir_fd=to_fd)

    def _dress(self, one: Attributes) -> None:
        info = self._rooted.look(one.path)
        if info is None or stat.S_IFMT(info.st_mode) != _TYPES[Kind(one.kind)]:
            return
        if one.seen is not None and not _same_content(one.seen, info):
            self._done.left.append(Noted(one.path, "it was changed by somebody else"))
            return
        folder, name = self._rooted.at(one.path)
        if one.kind == Kind.LINK:
            os.utime(name, ns=(one.mtime_ns, one.mtime_ns), dir_fd=folder, follow_symlinks=False)
            return
        if stat.S_ISDIR(info.st_mode):
            self._dress_fd(self._rooted.folder(one.path), one, info)
            return
        fd = _for_attributes(folder, name)
        try:
            self._dress_fd(fd, one, info)
        finally:
            os.close(fd)

    def _dress_fd(self, fd: int, one: Attributes, info: os.stat_result) -> None:
        # The set-group and sticky bits of a folder are none of ours: they stay as they are.
        kept = stat.S_IMODE(info.st_mode) & 0o7000 if stat.S_ISDIR(info.st_mode) else 0
        os.utime(fd, ns=(one.mtime_ns, one.mtime_ns))
        if stat.S_IMODE(info.st_mode) != one.mode | kept:
            os.fchmod(fd, one.mode | kept)

    def _delete(self, step: Step) -> None:
        info = self._rooted.look(step.path)
        if info is None:
            return
        folder, name = self._rooted.at(step.path)
        if stat.S_ISDIR(info.st_mode):
            if step.slot != b"folder":
                self._done.left.append(Noted(step.path, "it became a folder"))
                return
            self._rooted.forget(step.path)
            try:
                os.rmdir(name, dir_fd=self._rooted.at(step.path)[0])
            except OSError as exc:
                if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                self._done.left.append(Noted(step.path, "it holds what is ignored, or was added since"))
        elif step.seen == sighting(info):
            os.unlink(name, dir_fd=folder)
        else:
            self._done.left.append(Noted(step.path, "it was changed by somebody else"))


_TYPES = {Kind.FILE: stat.S_IFREG, Kind.LINK: stat.S_IFLNK, Kind.FOLDER: stat.S_IFDIR}


def _same_content(seen: Signature, info: os.stat_result) -> bool:
    """Tell whether size and inode are what was seen; the times may be our own work of before a crash."""
    return (seen[0], seen[3]) == (info.st_size, info.st_ino) or stat.S_ISDIR(info.st_mode)


def _for_attributes(folder: int, name: bytes) -> int:
    """Return a descriptor of a file for its mode and time, even of one that we may not read."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=folder)
    except PermissionError:
        return os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)


def clean_up(root_fd: int, journal: Journal) -> bool:
    """Remove the staging folder with what was displaced; return whether something of others' had to stay in it.

    Raises:
        OSError: the disk would not; done again later, it goes on where it was.
    """
    with Rooted(root_fd) as rooted:
        for step in journal.displaced:
            place = b"/".join([journal.staging, OLD, step.slot])
            _destroy(rooted, place, step.path, journal)
        gone = [_emptied(rooted, b"/".join([journal.staging, name])) for name in (NEW, OLD)]
        return not (all(gone) and _emptied(rooted, journal.staging))


def _emptied(rooted: Rooted, path: bytes) -> bool:
    """Remove a folder if it is empty; return whether it is gone."""
    rooted.forget(path)
    try:
        folder, name = rooted.at(path)
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except OSError as exc:
        if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        return False
    return True


def _destroy(rooted: Rooted, place: bytes, path: bytes, journal: Journal) -> None:
    """Remove something that was displaced, as far as it is what the plan saw."""
    info = rooted.look(place)
    if info is None:
        return
    if not stat.S_ISDIR(info.st_mode):
        # Its own signature was compared before it was moved; within a folder, each file's is compared now.
        if path not in journal.inside or journal.inside[path] == sighting(info):
            folder, name = rooted.at(place)
            os.unlink(name, dir_fd=folder)
        return
    os.fchmod(rooted.folder(place), 0o700)
    with os.scandir(rooted.folder(place)) as found:
        names = [os.fsencode(entry.name) for entry in found]
    for name in names:
        below = path + b"/" + name
        if below in journal.inside or stat.S_ISDIR((rooted.look(place + b"/" + name) or info).st_mode):
            _destroy(rooted, place + b"/" + name, below, journal)
    _emptied(rooted, place)


def roll_back(root_fd: int, journal: Journal) -> None:
    """Remove what was prepared; nothing else was touched.

    Raises:
        OSError: the disk would not.
    """
    with suppress(FileNotFoundError):
        info = os.stat(journal.staging, dir_fd=root_fd, follow_symlinks=False)
        if stat.S_ISDIR(info.st_mode):
            shutil.rmtree(os.fsdecode(journal.staging), dir_fd=root_fd)
