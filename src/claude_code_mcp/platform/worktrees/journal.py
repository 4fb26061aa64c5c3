"""What a restore writes down outside the tree, so that whoever comes after a crash can undo it or finish it."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from claude_code_mcp.platform.files.atomic import sync_directory, write_atomic
from claude_code_mcp.platform.files.private import private_dir
from claude_code_mcp.platform.worktrees.statcache import Signature

VERSION = 1


class Phase(StrEnum):
    """How far a restore has come.

    `staging`: only its own folder was written, so it is undone by removing that. `commit`: everything new lies ready
    on the disk, so it is finished. `cleanup`: the tree is new; what it left behind is removed.
    """

    STAGING = "staging"
    COMMIT = "commit"
    CLEANUP = "cleanup"


class Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One path of the tree, its place in the staging folder, and how it looked (None: nothing was there)."""

    path: bytes
    slot: bytes
    seen: Signature | None


class Attributes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Mode and time that a path will have."""

    path: bytes
    kind: int
    mode: int
    mtime_ns: int
    seen: Signature | None


class Journal(msgspec.Struct, kw_only=True):
    """One restore: its tree, its staging folder, and what is to be done once everything lies ready.

    `displaced`: what makes room for something of another kind. `moves`: what takes its place from the staging folder.
    `deletes`: what goes, the deepest first. `inside`: files within displaced folders, which may be destroyed with
    them.
    """

    version: int = VERSION
    root: bytes
    device: int
    inode: int
    staging: bytes
    phase: Phase = Phase.STAGING
    displaced: list[Step] = []
    moves: list[Step] = []
    attributes: list[Attributes] = []
    deletes: list[Step] = []
    folders: list[Attributes] = []
    inside: dict[bytes, Signature] = {}


class JournalFile:
    """The journal of one restore on disk. Each change of phase is one atomic replacement of the file."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path = path
        self.journal = journal

    def write(self, phase: Phase) -> None:
        """Make it durable that the restore is in `phase`.

        Raises:
            OSError: the disk would not; the phase before is still the one that counts.
        """
        before = self.journal.phase
        self.journal.phase = phase
        try:
            write_atomic(self.path, msgspec.msgpack.encode(self.journal))
        except BaseException:
            self.journal.phase = before
            raise

    def remove(self) -> None:
        """The restore is over."""
        self.path.unlink(missing_ok=True)
        sync_directory(self.path.parent)


def new_journal(directory: Path, journal: Journal, name: str) -> JournalFile:
    """Begin the journal `name` in `directory`, which is made where it is not there."""
    file = JournalFile(private_dir(directory) / f"{name}.restore", journal)
    file.write(Phase.STAGING)
    return file


def open_journals(directory: Path) -> Iterator[JournalFile]:
    """Yield the journals of restores that are at work, or were when their process ended."""
    for path in sorted(directory.glob("*.restore")):
        # One that cannot be read is none of ours, or of a later version: it stays as it is.
        with suppress(OSError, msgspec.MsgspecError):
            journal = msgspec.msgpack.decode(path.read_bytes(), type=Journal)
            if journal.version == VERSION:
                yield JournalFile(path, journal)


def sync_file_system(fd: int) -> None:
    """Make everything that was written to the file system of `fd` durable; one call for any number of files.

    Raises:
        OSError: the disk would not.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        os.sync()
    elif library.syncfs(fd):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
