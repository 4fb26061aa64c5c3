"""Checkpoints, as operations and other features reach them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from claude_code_mcp.features.checkpoints.errors import BadCheckpointRequest
from claude_code_mcp.features.checkpoints.models import Checkpoint, Point, SecretsPolicy
from claude_code_mcp.features.checkpoints.models.care import ExportReply, ImportReply, SettingsReply
from claude_code_mcp.features.checkpoints.models.replies import (
    CheckpointInfo,
    CheckpointList,
    DeletedCheckpoints,
    DiffReply,
    FileList,
    RestoreReply,
    Timeline,
)
from claude_code_mcp.features.checkpoints.models.requests import (
    CreateCheckpoint,
    DeleteCheckpoints,
    DiffCheckpoints,
    ExportCheckpoints,
    ImportCheckpoints,
    LabelCheckpoint,
    ListCheckpoints,
    ListFiles,
    OneCheckpoint,
    PinCheckpoint,
    RedoRestore,
    RestoreCheckpoint,
    SetCheckpoints,
    ShowTimeline,
)
from claude_code_mcp.features.checkpoints.rules import settings as rules
from claude_code_mcp.features.checkpoints.service import views
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.caring import Caring
from claude_code_mcp.features.checkpoints.service.carrying import Carrying
from claude_code_mcp.features.checkpoints.service.differing import Differing, paths_of
from claude_code_mcp.features.checkpoints.service.restoring import RestoreOrder, Restoring
from claude_code_mcp.features.checkpoints.service.sealing import Sealing
from claude_code_mcp.features.checkpoints.service.taking import TakeWish, Taking
from claude_code_mcp.features.checkpoints.service.telling import told
from claude_code_mcp.features.projects.service import Projects
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.platform.worktrees.manifest import read_manifest


class Conversations(Protocol):
    """Knows the conversations that checkpoints belong to."""

    async def point_of(self, session_id: str | None, project: Path, caller: Caller) -> Point:
        """Return where a session is in its conversation now; without one, the session that somebody has in a project.

        Raises:
            SessionNotFound: nobody knows it.
        """
        ...

    async def check(self, one: Checkpoint) -> None:
        """Return where nothing speaks against going on from a checkpoint's point.

        Raises:
            ConversationCompacted: Claude Code cannot cut there any more.
        """
        ...

    async def go_back(self, one: Checkpoint, caller: Caller) -> tuple[str | None, Sequence[str]]:
        """Make a session that goes on from a checkpoint's point; return its id, and what is to be known.

        Raises:
            ClaudeCodeMcpError: it cannot be done.
        """
        ...


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work."""

    taking: Taking
    restoring: Restoring
    differing: Differing
    caring: Caring
    carrying: Carrying
    projects: Projects


class Checkpoints:
    """What may be asked about checkpoints."""

    def __init__(self, book: Book, workers: Workers) -> None:
        self.book = book
        self.taking = workers.taking
        self.restoring = workers.restoring
        self.caring = workers.caring
        self.sealing = Sealing(workers.taking)
        self.conversations: Conversations | None = None
        self._differing = workers.differing
        self._carrying = workers.carrying
        self._projects = workers.projects
        self._views = views.Views(book)

    def locate(self, project_path: str | None, caller: Caller) -> Path:
        """Return the project that a call is about; see `Projects.locate`."""
        return self._projects.locate(project_path, caller)

    def home(self, project_path: str | None, caller: Caller) -> Path:
        """As `locate`, also for a project whose folder is gone but whose checkpoints are there."""
        if project_path is not None and self.book.of_project(project_path, limit=1):
            return Path(project_path)
        return self.locate(project_path, caller)

    async def take(self, project: Path, wish: TakeWish) -> Checkpoint:
        """Take a project's tree; see `Taking.take`."""
        return await self.taking.take(project, wish)

    async def create(self, wish: CreateCheckpoint, caller: Caller) -> CheckpointInfo:
        """Take a project as it is now."""
        project = self.locate(wish.project_path, caller)
        point = Point(session_id=wish.session_id)
        if self.conversations is not None:
            point = await self.conversations.point_of(wish.session_id, project, caller)
        taken = await self.taking.take_tree(
            project,
            TakeWish(
                message=wish.message,
                label=wish.label,
                pinned=wish.pin,
                point=point,
                include=tuple(wish.include_files),
                always=wish.always,
                client=caller.client,
            ),
        )
        one = taken.checkpoint
        if taken.unchanged and ((wish.label and wish.label != one.label) or wish.pin > one.pinned):
            one = await self.book.change(one.id, lambda found: rules.named(found, wish.label, pin=wish.pin))
        return self._views.info(one, unchanged=taken.unchanged)

    async def restore(self, wish: RestoreCheckpoint, caller: Caller) -> RestoreReply:
        """Make a project what a checkpoint says: its files, its conversation, or both."""
        project = self.locate(wish.project_path, caller)
        one = self.book.checkpoint(wish.checkpoint_id, project)
        conversations = await self._conversations_of(one) if wish.what != "files" else None
        if wish.what == "conversation":
            reply = RestoreReply(checkpoint_id=one.id, project_path=str(project), dry_run=wish.dry_run)
        else:
            order = RestoreOrder(
                root=project,
                checkpoint=one,
                paths=tuple(paths_of(wish.paths, project)),
                dry_run=wish.dry_run,
                backup=wish.create_backup,
                force=wish.force,
                allow_config=wish.allow_config,
                skip_sealed=wish.skip_sealed,
            )
            reply = told(await self.restoring.restore(order, caller))
        if conversations is not None and not wish.dry_run:
            reply.session_id, notes = await conversations.go_back(one, caller)
            reply.notes += notes
        return reply

    async def redo(self, wish: RedoRestore, caller: Caller) -> RestoreReply:
        """Take the last restore back that has not been taken back yet."""
        project = self.locate(wish.project_path, caller)
        order = RestoreOrder(
            root=project,
            checkpoint=self.restoring.redo_target(project),
            dry_run=wish.dry_run,
            backup=wish.create_backup,
            force=wish.force,
            allow_config=wish.allow_config,
            skip_sealed=wish.skip_sealed,
            redo=True,
        )
        return told(await self.restoring.restore(order, caller))

    def list(self, wish: ListCheckpoints, caller: Caller) -> CheckpointList:
        """Return the checkpoints that fit, the newest first."""
        anywhere = wish.everywhere or (wish.session_id is not None and wish.project_path is None)
        project = None if anywhere else self.home(wish.project_path, caller)
        before = self.book.checkpoint(wish.before).id if wish.before else None
        return self._views.list(project, wish.session_id, before, wish.limit)

    def timeline(self, wish: ShowTimeline, caller: Caller) -> Timeline:
        """Return a project's checkpoints as a tree."""
        return self._views.timeline(self.home(wish.project_path, caller), wish.limit)

    async def diff(self, wish: DiffCheckpoints, caller: Caller) -> DiffReply:
        """Return what differs between two checkpoints, or one and the working tree."""
        return await self._differing.diff(self.locate(wish.project_path, caller), wish)

    def show(self, wish: OneCheckpoint) -> CheckpointInfo:
        """Return one checkpoint with everything that is known of it."""
        return self._views.info(self.book.checkpoint(wish.checkpoint_id))

    async def files(self, wish: ListFiles) -> FileList:
        """Return what a checkpoint holds."""
        one = self.book.checkpoint(wish.checkpoint_id)
        paths_of([*wish.paths, *([wish.after] if wish.after else [])], Path(one.project))

        def read() -> FileList:
            with self.taking.blobs.reader() as reader:
                return views.files(one, read_manifest(one.digest, reader.read), wish)

        return await self.taking.on_thread(read)

    async def label(self, wish: LabelCheckpoint) -> CheckpointInfo:
        """Name a checkpoint, or take its name away."""
        one = self.book.checkpoint(wish.checkpoint_id)
        return self._views.info(await self.book.change(one.id, lambda found: rules.labelled(found, wish.label)))

    async def pin(self, wish: PinCheckpoint) -> CheckpointInfo:
        """Keep a checkpoint until it is unpinned."""
        one = self.book.checkpoint(wish.checkpoint_id)
        return self._views.info(await self.book.change(one.id, lambda found: rules.pinned(found, pin=not wish.off)))

    async def delete(self, wish: DeleteCheckpoints) -> DeletedCheckpoints:
        """Forget checkpoints, all of them or none."""
        ids = [self.book.checkpoint(wanted).id for wanted in wish.checkpoint_ids]
        return DeletedCheckpoints(deleted=await self.book.delete(ids, "by hand"))

    async def export_to(self, wish: ExportCheckpoints, caller: Caller) -> ExportReply:
        """Write checkpoints into one file."""
        project = self.home(wish.project_path, caller)
        named = [self.book.checkpoint(wanted, project) for wanted in wish.checkpoint_ids]
        found = named or self.book.of_project(str(project))
        return await self._carrying.export_to(Path(caller.cwd) / wish.path, found, overwrite=wish.overwrite)

    async def import_from(self, wish: ImportCheckpoints, caller: Caller) -> ImportReply:
        """Take in checkpoints from a file; the tree is not touched."""
        project = self.locate(wish.project_path, caller)
        return await self._carrying.import_from(Path(caller.cwd) / wish.path, project)

    async def set(self, wish: SetCheckpoints, caller: Caller) -> SettingsReply:
        """Show how a project's checkpoints are taken and kept, after changing what is named."""
        project = self.locate(wish.project_path, caller)
        before = self.book.project(project).settings
        after = rules.changed(before, wish)
        notes: list[str] = []
        if after.secrets is SecretsPolicy.SEAL and wish.secrets is SecretsPolicy.SEAL:
            await self.sealing.ensure()
            if before.secrets is not SecretsPolicy.SEAL and (older := len(self.book.of_project(str(project)))):
                notes.append(
                    f"{older} checkpoints were taken before and hold secrets as they were: delete those, then"
                    " `checkpoints gc`, where that must not be."
                )
        if after != before:
            after = (await self.book.set(str(project), after)).settings
        return views.settings(project, after, notes)

    async def _conversations_of(self, one: Checkpoint) -> Conversations:
        """Return who can go back to a checkpoint's conversation, before anything is changed."""
        if self.conversations is None or one.point.session_id is None:
            raise BadCheckpointRequest(
                f"Checkpoint {one.id} belongs to no conversation.", remedy="Restore its files (what: files)."
            )
        await self.conversations.check(one)
        return self.conversations
