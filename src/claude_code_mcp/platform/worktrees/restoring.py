"""Restoring a tree: prepared beside it, committed by a journal, finished or undone by whoever comes after a crash."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from claude_code_mcp.platform.seal.content import Keys
from claude_code_mcp.platform.worktrees.commit import Committed, clean_up, roll_back, roll_forward
from claude_code_mcp.platform.worktrees.errors import (
    ContentMissing,
    RestoreBlocked,
    RestoreConflict,
    RestoreFailed,
    TreeBusy,
    TreeMoved,
    TreeNotFound,
)
from claude_code_mcp.platform.worktrees.journal import (
    Journal,
    JournalFile,
    Phase,
    new_journal,
    open_journals,
    sync_file_system,
)
from claude_code_mcp.platform.worktrees.models import RESERVED, Entry, Kind
from claude_code_mcp.platform.worktrees.plan import Action, Change, Noted, Plan, moved, sighting
from claude_code_mcp.platform.worktrees.rooted import Rooted, open_root, split
from claude_code_mcp.platform.worktrees.staging import FEW, Source, Staging, lay_out, missing_content

_STEP_S = 0.02
_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}
"""A file system without locks: the check of every path before the commit remains."""
_TYPES = {Kind.FILE: stat.S_IFREG, Kind.LINK: stat.S_IFLNK, Kind.FOLDER: stat.S_IFDIR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the caller has agreed to: losing changes that it does not know of, and links that lead out of the tree."""

    conflicts: bool = False
    outside_links: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    `rescued` was changed by others in the last instant, and lies where it is named. `left` was not deleted. `failed`
    was refused by the system. `wrong` is not as it should be, as a look at what was changed showed after the work.
    """

    changes: int = 0
    rescued: tuple[Noted, ...] = ()
    left: tuple[Noted, ...] = ()
    failed: tuple[Noted, ...] = ()
    wrong: tuple[Noted, ...] = ()


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a restore whose process had ended: `finished`, else undone; the tree is its `root`."""

    root: bytes
    finished: bool
    restored: Restored = field(default_factory=Restored)


@dataclass(frozen=True, slots=True)
class Supply:
    """Where contents come from, and the keys to those that are sealed."""

    source: Source
    keys: Keys | None = None


_Work = tuple[Plan, dict[bytes, list[Entry]], Supply]
"""What is to be done, its contents (`Plan.contents`), and where they come from."""


@contextmanager
def restoring(root: str | bytes | os.PathLike[str], wait_s: float = 0.0, *, shared: bool = False) -> Generator[int]:
    """Hold the right to restore in the tree at `root` (one at a time, of all processes); yield its descriptor.

    `shared`: hold off restores only, for whoever takes the tree and must not see half of one.

    Raises:
        TreeBusy: somebody else held it for `wait_s` seconds.
        TreeNotFound: there is no such folder.
    """
    fd = open_root(root)
    try:
        end = time.monotonic() + wait_s
        while not _locked(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() >= end:
                raise TreeBusy(
                    f"Another restore or checkpoint is at work in {os.fsdecode(root)}.",
                    remedy="Nothing was changed; try again when it is over.",
                    path=os.fsdecode(root),
                )
            time.sleep(_STEP_S)
        yield fd
    finally:
        os.close(fd)


def _locked(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            raise
    return True


def restore_tree(
    root_fd: int, root: str | bytes | os.PathLike[str], plan: Plan, supply: Supply, journals: Path, consent: Consent
) -> Restored:
    """Carry out `plan` in the tree at `root`, inside `restoring`, which gave `root_fd`.

    First everything new is written into a folder of its own, from objects that were checked as they were read; until
    that is done and durable nothing of the tree is touched, and everything that goes wrong is undone. Then each thing
    takes its place by a rename, and what must go is deleted last. Killed at any point, `recover` undoes it or
    finishes it. Links are never followed.

    Raises:
        RestoreBlocked: the plan says what is in the way.
        RestoreConflict: there are conflicts, or links that lead outside, and no consent.
        ContentMissing: the store cannot give everything.
        KeyUnavailable, SealBroken: something is sealed, and cannot be opened.
        TreeMoved: somebody changed one of the paths since the plan was made, or an earlier restore had to be settled.
        RestoreFailed: the disk would not; the message says in which state the tree is.
    """
    _agreed(plan, consent)
    if recover_held(root_fd, journals):
        # Finished later, it would undo what is restored now.
        raise TreeMoved(
            f"An earlier restore in {os.fsdecode(root)} was cut off; it has been settled just now.",
            remedy="Look at the tree, and plan again.",
            path=os.fsdecode(root),
        )
    contents = plan.contents()
    gone = set(supply.source.missing(contents))
    if gone:
        raise missing_content(contents, gone)
    if plan.empty and not plan.folders:
        return Restored()
    info = os.fstat(root_fd)
    name = uuid4().hex
    journal = Journal(
        root=os.path.realpath(os.fsencode(root)), device=info.st_dev, inode=info.st_ino,
        staging=RESERVED + name.encode(),
    )  # fmt: skip
    places = lay_out(plan, journal)
    file = _prepared(root_fd, journals, JournalFile(Path(name), journal), places, (plan, contents, supply))
    return _committed(root_fd, file, plan)


def _agreed(plan: Plan, consent: Consent) -> None:
    if plan.blocked:
        one = plan.blocked[0]
        raise RestoreBlocked(
            f"{len(plan.blocked)} paths cannot be restored; {os.fsdecode(one.path)}: {one.why}.",
            remedy="Nothing was changed. Move what is in the way, restore other paths, or leave alone what is sealed"
            " and cannot be opened (skip_sealed).",
            paths=[os.fsdecode(blocked.path) for blocked in plan.blocked[:100]],
        )
    if plan.conflicts and not consent.conflicts:
        raise RestoreConflict(
            f"{len(plan.conflicts)} files were changed since, {os.fsdecode(plan.conflicts[0])} among them.",
            remedy="Nothing was changed. Make a checkpoint first, or ask again with force.",
            paths=[os.fsdecode(path) for path in plan.conflicts[:100]],
        )
    if plan.outside_links and not consent.outside_links:
        one = plan.outside_links[0]
        raise RestoreConflict(
            f"{len(plan.outside_links)} links would lead out of the tree; {os.fsdecode(one.path)} {one.why}.",
            remedy="Nothing was changed. Ask again and allow links that lead outside, or restore other paths.",
            paths=[os.fsdecode(link.path) for link in plan.outside_links[:100]],
        )


def _prepared(
    root_fd: int, journals: Path, draft: JournalFile, places: dict[bytes, bytes], work: "_Work"
) -> JournalFile:
    """Write everything new, note that it is there, and return the journal in its commit phase."""
    plan, contents, supply = work
    file: JournalFile | None = None
    journal = draft.journal
    try:
        # The steps are written down with the commit only; until then the name of the folder is all that counts.
        bare = Journal(root=journal.root, device=journal.device, inode=journal.inode, staging=journal.staging)
        file = new_journal(journals, bare, draft.path.name)
        Staging(root_fd, journal, places, supply.keys).fill(plan, contents, supply.source)
        _all_unmoved(root_fd, plan)
        file.journal = journal
        file.write(Phase.COMMIT)
    except BaseException as exc:
        _undo(root_fd, file, journal)
        if isinstance(exc, OSError):
            raise RestoreFailed(
                f"The files could not be written ({exc.strerror or exc}).",
                remedy="The tree was left as it is. Make room on the disk, then try again.",
            ) from exc
        raise
    return file


def _undo(root_fd: int, file: JournalFile | None, journal: Journal) -> None:
    """Undo what was prepared; if even that fails, the journal stays, and `recover` does it."""
    with suppress(OSError):
        roll_back(root_fd, journal)
        if file is not None:
            file.remove()


def _all_unmoved(root_fd: int, plan: Plan) -> None:
    """Look at every path of the plan once more. Below a folder that is not there nothing is."""
    absent: set[bytes] = set()
    with Rooted(root_fd) as rooted:
        for change in plan.changes:
            if change.seen is None and split(change.path)[0] in absent:
                absent.add(change.path)
                continue
            _unmoved(rooted, change)
            if change.seen is None:
                absent.add(change.path)


def _unmoved(rooted: Rooted, change: Change) -> None:
    info = rooted.look(change.path)
    now = None if info is None else sighting(info)
    if change.seen is None or now is None:
        if (change.seen is None) != (now is None):
            raise moved(change.path)
    elif now != change.seen and not (change.before is not None and change.before.kind == Kind.FOLDER):
        raise moved(change.path)


def _committed(root_fd: int, file: JournalFile, plan: Plan | None) -> Restored:
    try:
        done = roll_forward(root_fd, file.journal)
        wrong = [] if plan is None else _wrong(root_fd, plan)
        if len(file.journal.moves) + len(file.journal.deletes) > FEW:
            sync_file_system(root_fd)
        file.write(Phase.CLEANUP)
    except OSError as exc:
        raise RestoreFailed(
            f"The disk failed in the middle of the restore ({exc.strerror or exc}).",
            remedy="What is ready is kept; it is finished by the next restore, or when the daemon starts anew.",
        ) from exc
    return _finished(root_fd, file, done, wrong)


def _finished(root_fd: int, file: JournalFile, done: Committed, wrong: list[Noted]) -> Restored:
    with suppress(OSError):  # what is left of the staging folder harms nobody, and `recover` tries again
        clean_up(root_fd, file.journal)
        file.remove()
    steps = len(file.journal.moves) + len(file.journal.attributes) + len(file.journal.deletes)
    return Restored(steps, tuple(done.rescued), tuple(done.left), tuple(done.failed), tuple(wrong))


def _wrong(root_fd: int, plan: Plan) -> list[Noted]:
    """Look at what was changed, and return what is not as it should be.

    What came inside a new folder came with it, in one move: of that only the folder is looked at.
    """
    found = []
    came: set[bytes] = set()
    with Rooted(root_fd) as rooted:
        for change in plan.changes:
            after = change.after
            if after is not None and after.kind == Kind.FOLDER and change.action is not Action.ATTRIBUTES:
                came.add(change.path)
            if split(change.path)[0] in came:
                continue
            info = rooted.look(change.path)
            if after is None:
                if info is not None:
                    found.append(Noted(change.path, "it is still there"))
            elif info is None:
                found.append(Noted(change.path, "it is not there"))
            elif stat.S_IFMT(info.st_mode) != _TYPES[Kind(after.kind)]:
                found.append(Noted(change.path, "it is of another kind"))
            elif after.kind == Kind.FILE and (info.st_size, info.st_mtime_ns) != (after.size, after.mtime_ns):
                found.append(Noted(change.path, "its size or its time is another"))
            elif after.kind != Kind.LINK and stat.S_IMODE(info.st_mode) & 0o777 != after.mode:
                found.append(Noted(change.path, "its mode is another"))
    return found


def recover(journals: Path, *, root: str | bytes | os.PathLike[str] | None = None) -> list[Recovered]:
    """Finish or undo every restore whose process has ended (in the tree at `root`, or in all); tell what was done.

    A restore that is at work is left alone, and one whose tree is not there now is kept for later.

    Raises:
        RestoreFailed: the disk would not; ask again later.
    """
    wanted = None if root is None else os.path.realpath(os.fsencode(root))
    found = []
    for file in open_journals(journals):
        if wanted is None or file.journal.root == wanted:
            with suppress(TreeBusy, TreeNotFound), restoring(file.journal.root) as root_fd:
                info = os.fstat(root_fd)
                if (info.st_dev, info.st_ino) == (file.journal.device, file.journal.inode) and file.path.exists():
                    found.append(_recovered(root_fd, file))
    return found


def recover_held(root_fd: int, journals: Path) -> list[Recovered]:
    """As `recover`, for the tree whose right is held already."""
    info = os.fstat(root_fd)
    here = (info.st_dev, info.st_ino)
    return [
        _recovered(root_fd, file)
        for file in open_journals(journals)
        if (file.journal.device, file.journal.inode) == here
    ]


def _recovered(root_fd: int, file: JournalFile) -> Recovered:
    journal = file.journal
    if journal.phase is Phase.STAGING:
        try:
            roll_back(root_fd, journal)
            file.remove()
        except OSError as exc:
            raise RestoreFailed(
                f"What was prepared in {os.fsdecode(journal.root)} could not be removed ({exc.strerror or exc}).",
                remedy="Make room on the disk or check it, then try again.",
            ) from exc
        return Recovered(journal.root, finished=False)
    if journal.phase is Phase.CLEANUP:
        return Recovered(journal.root, finished=True, restored=_finished(root_fd, file, Committed(), []))
    return Recovered(journal.root, finished=True, restored=_committed(root_fd, file, None))


__all__ = [
    "Action",
    "Consent",
    "ContentMissing",
    "Recovered",
    "Restored",
    "recover",
    "recover_held",
    "restore_tree",
    "restoring",
]
