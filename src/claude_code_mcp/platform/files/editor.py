"""Changes a file that other programs change too: planned first, then swapped in whole, or not at all."""

import difflib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from claude_code_mcp.platform.files import atomic
from claude_code_mcp.platform.files.errors import (
    BrokenText,
    FileBroken,
    FileBusy,
    FileRefused,
    FileUnavailable,
)
from claude_code_mcp.platform.files.locks import directory_lock, peer_lock

Edit = Callable[[str], str]
"""A pure edit: the text of the file (empty where there is none) to the text that it should have.

It may run several times, each time on what the file holds then. It raises BrokenText, or an error of its own, to
refuse.
"""

LIMIT_BYTES = 64 * 1024 * 1024
_ATTEMPTS = 20
_CONTEXT = 3
_SHOWN_LINE = 400
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an edit would do to a file: `before` is None where there is no file yet.

    `path` is the file as it was named, `target` the file behind its symbolic links.
    """

    path: Path
    target: Path
    before: str | None
    after: str
    edit: Edit

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.after != (self.before or "")

    def diff(self) -> str:
        """Return the change as a unified diff; empty without one. Very long lines are cut, with a note."""
        return _diff(self.before or "", self.after, "/dev/null" if self.before is None else str(self.path), self.path)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was really done: `plan` holds the texts of that moment, `backup` the copy of the old file."""

    plan: Plan
    wrote: bool
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    text: str | None
    digest: bytes
    mode: int
    owner: tuple[int, int] | None


def read_text(path: Path, *, limit_bytes: int = LIMIT_BYTES) -> str | None:
    """Return the text of the file at `path`, None where there is none.

    Raises:
        FileRefused: it is not a regular UTF-8 file of at most `limit_bytes` that we may read.
    """
    with _explained(path):
        return _read(Path(os.path.realpath(path)), limit_bytes, replaceable=False).text


def plan(path: Path, edit: Edit, *, limit_bytes: int = LIMIT_BYTES) -> Plan:
    """Return what `edit` would do to the file at `path`; nothing is changed.

    Raises:
        FileBroken: the file is not valid in the format that `edit` reads; with the position.
        FileRefused: it is not a regular UTF-8 file of at most `limit_bytes` that we may replace.
    """
    with _explained(path):
        target = Path(os.path.realpath(path))
        seen = _read(target, limit_bytes)
        return Plan(path, target, seen.text, edit(seen.text or ""), edit)


def apply(
    planned: Plan,
    *,
    backup: bool = False,
    peer: bool = False,
    wait_s: float = 15.0,
    new_mode: int = 0o600,
) -> Applied:
    """Do what `planned` says, under a lock, and return what was done; without a change nothing is written.

    The file is read again and edited again as often as another program changes it in between. The new content is
    synced beside the file and renamed over it, so a crash leaves the old or the new file. Mode, owner and symbolic
    links are kept; a file that is new gets `new_mode`, its missing directories 0700, or 0755 when others may read
    it. `backup` keeps a copy beside it, `peer` also takes the lock that Claude Code takes for its own files.

    Raises:
        FileBroken, FileRefused: as `plan`.
        FileBusy: it stayed locked for `wait_s` seconds, or changed each time that we looked.
        FileUnavailable: the disk is full or failing; the old file is whole.
    """
    if not planned.changed:
        return Applied(planned, wrote=False)
    with _explained(planned.path), ExitStack() as held:
        target = Path(os.path.realpath(planned.path))
        planned = replace(planned, target=target)
        # Whoever may read a new file may also come to it.
        _make(target.parent, 0o755 if new_mode & 0o044 else 0o700)
        if peer:
            held.enter_context(peer_lock(planned.path, wait_s))
        held.enter_context(directory_lock(target.parent, wait_s))
        atomic.remove_abandoned(target)
        for _ in range(_ATTEMPTS):
            done = _attempt(planned, new_mode, backup)
            if done is not None:
                return done
    raise FileBusy(
        f"{planned.path} was changed by another program each of the {_ATTEMPTS} times that we tried.",
        remedy="Nothing was changed; close the program that writes it, and try again.",
        path=str(planned.path),
    )


def _make(directory: Path, mode: int) -> None:
    for parent in [directory, *directory.parents][::-1]:
        if not parent.exists():
            # Not `parents=True`: pathlib makes parents with the umask alone.
            parent.mkdir(mode=mode, exist_ok=True)


def _attempt(planned: Plan, new_mode: int, backup: bool) -> Applied | None:
    """Edit what is there now; None when the file changed before the rename."""
    target = planned.target
    seen = _read(target, LIMIT_BYTES)
    current = replace(planned, before=seen.text, after=planned.edit(seen.text or ""))
    if not current.changed:
        return Applied(current, wrote=False)
    mode = new_mode if seen.text is None else seen.mode
    kept = None
    if backup and seen.text is not None:
        kept = target.with_name(f"{target.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.bak")
        atomic.write_atomic(kept, seen.text.encode(), mode=mode & 0o600)
    staged = atomic.stage(target, current.after.encode(), mode=mode, owner=seen.owner)
    try:
        if _read(target, LIMIT_BYTES).digest != seen.digest:
            return None
        staged.rename(target)
    finally:
        staged.unlink(missing_ok=True)
    atomic.sync_directory(target.parent)
    return Applied(current, wrote=True, backup=kept)


def _read(target: Path, limit_bytes: int, *, replaceable: bool = True) -> _Seen:
    try:
        # Without O_NONBLOCK a FIFO would hold us for ever; O_NOFOLLOW because the links were followed before.
        fd = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _Seen(None, b"", 0, None)
    try:
        info = os.fstat(fd)
        problem = _problem(info, limit_bytes) or (_no_right(info) if replaceable else "")
        if problem:
            raise _refused(target, problem)
        with open(fd, "rb", closefd=False) as file:
            data = file.read(limit_bytes + 1)
    finally:
        os.close(fd)
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        raise _refused(target, f"is not UTF-8 text (byte {exc.start})") from None
    return _Seen(text, hashlib.sha256(data).digest(), stat.S_IMODE(info.st_mode) & 0o777, (info.st_uid, info.st_gid))


def _problem(info: os.stat_result, limit_bytes: int) -> str:
    if not stat.S_ISREG(info.st_mode):
        return "is not a regular file"
    if info.st_size > limit_bytes:
        return f"has {info.st_size} bytes, more than the {limit_bytes} that are read"
    return ""


def _no_right(info: os.stat_result) -> str:
    if info.st_uid != os.geteuid() and os.geteuid() != 0:
        return f"belongs to user id {info.st_uid}, and an edit would make it ours"
    return "" if info.st_mode & stat.S_IWUSR else "is read-only"


def _refused(path: Path, problem: str) -> FileRefused:
    return FileRefused(f"{path} {problem}.", remedy="Nothing was changed.", path=str(path))


@contextmanager
def _explained(path: Path) -> Generator[None]:
    """Turn what the caller can act on into errors that say so."""
    try:
        yield
    except BrokenText as exc:
        where = f" (line {exc.line}, column {exc.column})" if exc.line else ""
        raise FileBroken(
            f"{path} is not valid{where}: {exc.problem}.",
            remedy="Correct the file and try again; nothing was changed.",
            path=str(path),
            line=exc.line,
            column=exc.column,
        ) from None
    except OSError as exc:
        reason = os.strerror(exc.errno) if exc.errno else str(exc)
        if exc.errno in _DISK:
            raise FileUnavailable(
                f"{path} could not be written: {reason}.", remedy="The old file is whole.", path=str(path)
            ) from exc
        raise _refused(path, f"could not be edited: {reason}") from exc


def _diff(before: str, after: str, old_name: str, path: Path) -> str:
    """Return a unified diff, looking only at what lies between the equal lines at both ends (files may be huge)."""
    old, new = _LINE.findall(before), _LINE.findall(after)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    start, kept = max(0, head - _CONTEXT), max(0, tail - _CONTEXT)
    parts = difflib.unified_diff(
        old[start : len(old) - kept], new[start : len(new) - kept], old_name, str(path), n=_CONTEXT
    )
    return "".join(_line(part, start) for part in parts)


def _line(part: str, offset: int) -> str:
    if part.startswith("@@"):
        return re.sub(r"([-+])(\d+)", lambda found: f"{found[1]}{int(found[2]) + offset}", part)
    body = part.rstrip("\r\n")
    if len(body) > _SHOWN_LINE:
        body = f"{body[:_SHOWN_LINE]}… ({len(body) - 1} characters)"
    return f"{body}\n" if part.endswith("\n") else f"{body}\n\\ No newline at end of file\n"
