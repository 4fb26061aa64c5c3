"""Checkpoints in words: lists, the timeline, one with everything, and the files in it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from claude_code_mcp.features.checkpoints import store
from claude_code_mcp.features.checkpoints.models import Checkpoint, TreeSettings
from claude_code_mcp.features.checkpoints.models.care import SettingsReply
from claude_code_mcp.features.checkpoints.models.replies import (
    CheckpointInfo,
    CheckpointList,
    FileInfo,
    FileList,
    NotedPath,
    Timeline,
    TimelineEntry,
)
from claude_code_mcp.features.checkpoints.models.requests import ListFiles
from claude_code_mcp.features.checkpoints.rules.paths import below, named, shown
from claude_code_mcp.features.checkpoints.rules.timeline import grown
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest, Omitted

KINDS = {Kind.FILE: "file", Kind.LINK: "link", Kind.FOLDER: "folder"}


class Views:
    """What is shown of checkpoints."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def info(self, one: Checkpoint, *, unchanged: bool = False) -> CheckpointInfo:
        """Return one checkpoint with everything that is known of it."""
        return _info(one, self._book.project(one.project).position, unchanged=unchanged)

    def list(self, project: Path | None, session_id: str | None, before: str | None, limit: int) -> CheckpointList:
        """Return the checkpoints that fit, the newest first."""
        where = str(project) if project is not None else None
        found = self._book.find(where, session_id, before=before, limit=limit + 1)
        positions = {path: self._book.project(path).position for path in {one.project for one in found}}
        items = [_info(one, positions[one.project]) for one in found[:limit]]
        return CheckpointList(items=items, next=items[-1].id if len(found) > limit else None)

    def timeline(self, project: Path, limit: int) -> Timeline:
        """Return a project's checkpoints as a tree."""
        known = self._book.project(project)
        found = self._book.of_project(str(project), limit=limit)
        there = self._book.database.read(lambda db: store.count(db, str(project)))
        return Timeline(
            project_path=str(project),
            current=known.position,
            items=[
                TimelineEntry(checkpoint=_info(twig.checkpoint, known.position), depth=twig.depth)
                for twig in grown(found)
            ],
            redo=known.redo[-1] if known.redo else None,
            older=there - len(found),
        )


def files(one: Checkpoint, manifest: Manifest, wish: ListFiles) -> FileList:
    """Return what a checkpoint holds, below the paths that are asked for.

    Raises:
        ValueError: a path is none of the project.
    """
    wanted = [named(path, Path(one.project)) for path in wish.paths]
    after = named(wish.after, Path(one.project)) if wish.after else b""
    fitting = [entry for entry in manifest.entries if entry.path > after and below(entry.path, wanted)]
    return FileList(
        checkpoint_id=one.id,
        items=[_file(entry) for entry in fitting[: wish.limit]],
        omitted=[NotedPath(path=shown(gap.path), why=gap.reason) for gap in _omitted(manifest, wanted)],
        next=shown(fitting[wish.limit - 1].path) if len(fitting) > wish.limit else None,
    )


def settings(project: Path, found: TreeSettings, notes: Sequence[str] = ()) -> SettingsReply:
    """Return how a project's checkpoints are taken and kept."""
    return SettingsReply(
        project_path=str(project),
        strategy=found.strategy,
        interval_s=found.interval_s,
        include=list(found.include),
        exclude=list(found.exclude),
        defaults=found.defaults,
        git=found.git,
        secrets=found.secrets,
        secret_files=list(found.secret_files),
        most_file_bytes=found.most_file_bytes,
        keep_last=found.keep.last,
        keep_hourly=found.keep.hourly,
        keep_daily=found.keep.daily,
        keep_bytes=found.keep.stored_bytes,
        notes=list(notes),
    )


def _omitted(manifest: Manifest, wanted: Sequence[bytes]) -> list[Omitted]:
    return [gap for gap in manifest.omitted if below(gap.path, wanted)]


def _info(one: Checkpoint, position: str | None, *, unchanged: bool = False) -> CheckpointInfo:
    return CheckpointInfo(
        id=one.id,
        project_path=one.project,
        created_at=one.created_at,
        trigger=one.trigger,
        message=one.message,
        label=one.label,
        pinned=one.pinned,
        parent_id=one.parent,
        current=one.id == position,
        unchanged=unchanged,
        file_count=one.files,
        content_bytes=one.content_bytes,
        stored_bytes=one.stored_bytes,
        took_ms=one.took_ms,
        session_id=one.point.session_id,
        conversation_id=one.point.conversation_id,
        message_uuid=one.point.message_uuid,
        cost_microusd=one.point.cost_microusd,
        left_out=one.left_out,
        torn=one.torn,
        retried=one.retried,
        remarks=one.remarks,
    )


def _file(entry: Entry) -> FileInfo:
    seconds = entry.mtime_ns // 1_000_000_000
    return FileInfo(
        path=shown(entry.path),
        kind=KINDS[Kind(entry.kind)],
        mode=f"{entry.mode:04o}",
        size_bytes=entry.size,
        modified_at=_moment(seconds),
        sha256=entry.digest.hex() if entry.digest and not (entry.chunked or entry.sealed) else None,
        sealed=entry.sealed,
        target=shown(entry.target) if entry.target else None,
    )


def _moment(seconds: int) -> str:
    try:
        return stamp(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s since 1970"
