"""What differs between two checkpoints, or between one and the working tree."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.checkpoints.errors import BadCheckpointRequest
from claude_code_mcp.features.checkpoints.models import Checkpoint, TreeSettings
from claude_code_mcp.features.checkpoints.models.replies import DiffReply, FileChange
from claude_code_mcp.features.checkpoints.models.requests import DiffCheckpoints
from claude_code_mcp.features.checkpoints.rules.paths import below, named, shown
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.taking import Taking
from claude_code_mcp.platform.worktrees.contents import Contents
from claude_code_mcp.platform.worktrees.diff import Change, Difference, TextDiff, compare, text_diff
from claude_code_mcp.platform.worktrees.errors import TreeMoved
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest
from claude_code_mcp.platform.worktrees.rooted import PLAIN, Rooted, open_root
from claude_code_mcp.platform.worktrees.taking import Digests

LIVE = "working tree"
_Content = Callable[[Entry | None], bytes]


@dataclass(frozen=True, slots=True)
class _Sides:
    """Two trees, and where the contents of each come from."""

    before: Manifest
    after: Manifest
    read_before: _Content
    read_after: _Content


class Differing:
    """Compares trees."""

    def __init__(self, book: Book, taking: Taking) -> None:
        self._book = book
        self._taking = taking

    async def diff(self, root: Path, wish: DiffCheckpoints) -> DiffReply:
        """Return what differs.

        Raises:
            CheckpointNotFound: there is no such checkpoint, or the project has none yet.
            BadCheckpointRequest: a path is none of the project.
            ManifestRefused, ObjectMissing, ObjectDamaged: the store cannot give it.
        """
        before = self._book.checkpoint(wish.checkpoint_id or self._book.project(root).position or "", root)
        after = self._book.checkpoint(wish.compare_with, root) if wish.compare_with else None
        wanted = paths_of(wish.paths, root)
        live: Manifest | None = None
        if after is None:
            async with self._taking.trees.held(root) as tree:
                live = (await self._taking.look(tree, Digests())).manifest
        return await self._taking.on_thread(lambda: self._diff((root, before, after), live, wanted, wish))

    def _diff(
        self,
        ends: tuple[Path, Checkpoint, Checkpoint | None],
        live: Manifest | None,
        wanted: list[bytes],
        wish: DiffCheckpoints,
    ) -> DiffReply:
        root, before, after = ends
        settings = self._taking.soon(self._settings(root))
        root_fd = open_root(root)
        try:
            with self._taking.blobs.reader() as reader, Rooted(root_fd) as rooted:
                contents = self._taking.contents(reader, settings)
                stored = _stored(contents)
                then = read_manifest(before.digest, reader.read)
                if after is not None:
                    sides = _Sides(then, read_manifest(after.digest, reader.read), stored, stored)
                else:
                    sides = _Sides(then, live or Manifest(()), stored, _in_tree(rooted))
                found = [
                    one
                    for one in compare(sides.before, sides.after)
                    if _asked(one, wanted) and not _only_sealed(one, contents)
                ]
                reply = DiffReply(before=before.id, after=after.id if after else LIVE, files=len(found))
                return _filled(reply, found, sides, wish)
        finally:
            os.close(root_fd)

    async def _settings(self, root: Path) -> TreeSettings:
        return self._book.project(root).settings


def paths_of(texts: list[str], root: Path) -> list[bytes]:
    """Return the paths that somebody named.

    Raises:
        BadCheckpointRequest: one of them is none of the project.
    """
    found = []
    for text in texts:
        try:
            found.append(named(text, root))
        except ValueError as exc:
            raise BadCheckpointRequest(
                f"{text[:200]!r} is no path of {root}: {exc}.", remedy="Name paths relative to the project."
            ) from None
    return found


def change_of(one: Difference) -> FileChange:
    """Return a path that differs, without its lines."""
    renamed = one.change is Change.RENAMED and one.before is not None
    return FileChange(
        path=shown(one.path),
        change=one.change.value,
        old_path=shown(one.before.path) if renamed and one.before is not None else None,
        before_bytes=one.before.size if one.before is not None else None,
        after_bytes=one.after.size if one.after is not None else None,
        sealed=any(entry is not None and entry.sealed for entry in (one.before, one.after)),
    )


def _asked(one: Difference, wanted: list[bytes]) -> bool:
    old = one.before.path if one.before is not None else one.path
    return below(one.path, wanted) or below(old, wanted)


def _filled(reply: DiffReply, found: list[Difference], sides: _Sides, wish: DiffCheckpoints) -> DiffReply:
    texts: list[str] = []
    lines = 0
    for one in found[: wish.limit]:
        item = change_of(one)
        reply.items.append(item)
        if wish.format == "names" or item.sealed or lines >= wish.max_lines or one.change is Change.MODE:
            continue
        text = _lines_of(one, sides, wish.max_lines - lines if wish.format == "unified" else wish.max_lines)
        item.binary, item.too_large = text.binary, text.too_large
        if not (text.binary or text.too_large):
            item.added, item.deleted = text.added, text.deleted
            reply.added += text.added
            reply.deleted += text.deleted
        if wish.format == "unified":
            texts.append(text.text or item.line())
            lines += texts[-1].count("\n") + 1
            reply.cut = reply.cut or text.cut
    reply.diff = "\n".join(texts)
    reply.cut = reply.cut or len(found) > wish.limit or lines >= wish.max_lines
    return reply


def _lines_of(one: Difference, sides: _Sides, most: int) -> TextDiff:
    if {entry.kind for entry in (one.before, one.after) if entry is not None} == {Kind.FOLDER}:
        return TextDiff()
    return text_diff(
        lambda: sides.read_before(one.before), lambda: sides.read_after(one.after), one, most_lines=max(1, most)
    )


def _only_sealed(one: Difference, contents: Contents) -> bool:
    """Tell whether a secret differs only in how it is kept."""
    before, after = one.before, one.after
    if one.change is not Change.CHANGED or before is None or after is None or not (before.sealed or after.sealed):
        return False
    return before.mode == after.mode and contents.alike(before, after)


def _stored(contents: Contents) -> _Content:
    def read(entry: Entry | None) -> bytes:
        if entry is None or entry.kind != Kind.FILE:
            return entry.target if entry is not None else b""
        return contents.read(entry)

    return read


def _in_tree(rooted: Rooted) -> _Content:
    def read(entry: Entry | None) -> bytes:
        if entry is None or entry.kind != Kind.FILE:
            return entry.target if entry is not None else b""
        try:
            folder, name = rooted.at(entry.path)
            fd = os.open(name, PLAIN, dir_fd=folder)
        except OSError as exc:
            raise TreeMoved(
                f"{shown(entry.path)} was changed while it was compared.", remedy="Try again.", path=shown(entry.path)
            ) from exc
        with os.fdopen(fd, "rb") as file:
            return file.read(entry.size)

    return read
