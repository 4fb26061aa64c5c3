"""The checkpoints as they are kept: one place that changes rows and appends what happened in the same transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from claude_code_mcp.features.checkpoints import store
from claude_code_mcp.features.checkpoints.errors import CheckpointNotFound, CheckpointPinned
from claude_code_mcp.features.checkpoints.events import (
    CheckpointChanged,
    CheckpointDeleted,
    CheckpointForked,
    CheckpointRestored,
    CheckpointSettingsChanged,
    CheckpointsImported,
    CheckpointTaken,
)
from claude_code_mcp.features.checkpoints.models import (
    Checkpoint,
    PendingRestore,
    Project,
    TreeSettings,
    Trigger,
)
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import CheckpointId, SessionId
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import append

MOST_REDO = 50
"""So many restores can be taken back, one after the other."""


class Book:
    """All checkpoints and projects."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.forgotten = 0
        """How often something was deleted: whoever relied on a manifest looks again when this has grown."""
        self.settled = 0
        """How often a project's settings were changed: whoever relied on them looks again when this has grown."""

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()

    def stamp(self) -> str:
        """Return the time as it is kept."""
        return stamp(self.clock.now())

    def checkpoint(self, wanted: str, project: Path | None = None) -> Checkpoint:
        """Return the checkpoint of this id, or the only one whose id begins so.

        Raises:
            CheckpointNotFound: there is none, more than one, or it is not one of `project`.
        """
        lowered = wanted.strip().lower()
        found = self.database.read(lambda db: store.get(db, lowered))
        if found is None:
            ids = self.database.read(lambda db: store.starting_with(db, lowered)) if lowered else []
            if len(ids) == 1:
                return self.checkpoint(ids[0], project)
            why = "More than one checkpoint begins with" if ids else "There is no checkpoint"
            raise CheckpointNotFound(
                f"{why} {wanted[:40]!r}.", remedy="`checkpoints list` shows the known ones.", checkpoint_id=wanted[:40]
            )
        if project is not None and found.project != str(project):
            raise CheckpointNotFound(
                f"Checkpoint {found.id} is one of {found.project}, not of {project}.",
                remedy=f"Name project_path {found.project}, or another checkpoint.",
                checkpoint_id=found.id,
                project_path=found.project,
            )
        return found

    def get(self, checkpoint_id: str | None) -> Checkpoint | None:
        """Return the checkpoint of exactly this id, None where there is none (any more)."""
        return None if checkpoint_id is None else self.database.read(lambda db: store.get(db, checkpoint_id))

    def of_project(self, project: str, *, before: str | None = None, limit: int = -1) -> list[Checkpoint]:
        """Return the checkpoints of a project, the newest first."""
        return self.database.read(lambda db: store.find(db, project=project, before=before, limit=limit))

    def find(
        self, project: str | None, session_id: str | None, *, before: str | None = None, limit: int = -1
    ) -> list[Checkpoint]:
        """Return the checkpoints that fit, the newest first."""
        return self.database.read(
            lambda db: store.find(db, project=project, session_id=session_id, before=before, limit=limit)
        )

    def project(self, path: Path | str) -> Project:
        """Return a project, as it stands."""
        return self.database.read(lambda db: store.project(db, str(path)))

    def projects(self) -> list[Project]:
        """Return all projects."""
        return self.database.read(store.projects)

    def has_manifest(self, digest: bytes) -> bool:
        """Tell whether any checkpoint has this manifest, so that all it needs is in the store."""
        return self.database.read(lambda db: store.has_manifest(db, digest.hex()))

    async def add(self, one: Checkpoint) -> Checkpoint:
        """Keep a new checkpoint below the one that its project stands on, and let the project stand on it."""

        def write(db: sqlite3.Connection) -> Checkpoint:
            project = store.project(db, one.project)
            known = project.position is not None and store.get(db, project.position) is not None
            one.parent = project.position if known else None
            store.put(db, one)
            project.position = one.id
            store.put_project(db, project)
            append(db, [self._event(_taken(one), one.id, one.point.session_id)])
            return one

        return await self.database.write(write)

    async def bring_in(self, project: str, found: Sequence[Checkpoint]) -> None:
        """Keep checkpoints that were imported; the project goes on standing where it stands."""

        def write(db: sqlite3.Connection) -> None:
            for one in found:
                store.put(db, one)
            store.put_project(db, store.project(db, project))
            fact = CheckpointsImported(project_path=project, checkpoints=len(found))
            append(db, [self._event(fact, project)])

        await self.database.write(write)

    async def change(self, checkpoint_id: CheckpointId, change: Callable[[Checkpoint], None]) -> Checkpoint:
        """Change a checkpoint's label, message or pin.

        Raises:
            CheckpointNotFound: it was deleted.
        """

        def write(db: sqlite3.Connection) -> Checkpoint:
            one = store.get(db, checkpoint_id)
            if one is None:
                raise _gone(checkpoint_id)
            change(one)
            store.put(db, one)
            fact = CheckpointChanged(checkpoint_id=one.id, label=one.label, pinned=one.pinned)
            append(db, [self._event(fact, one.id)])
            return one

        return await self.database.write(write)

    async def delete(self, wanted: Iterable[CheckpointId], why: str) -> int:
        """Forget checkpoints; those that came from one come from its parent then. Return how many there were.

        Raises:
            CheckpointPinned: one of them is pinned; nothing was changed.
        """
        ids = list(wanted)

        def write(db: sqlite3.Connection) -> int:
            facts = [fact for checkpoint_id in ids for fact in _forget(db, checkpoint_id, why)]
            append(db, [self._event(fact, fact.checkpoint_id) for fact in facts])
            return len(facts)

        number = await self.database.write(write)
        self.forgotten += 1
        return number

    async def set(self, project: str, settings: TreeSettings) -> Project:
        """Keep how a project's checkpoints are taken and kept."""

        def write(db: sqlite3.Connection) -> Project:
            found = store.project(db, project)
            found.settings = settings
            store.put_project(db, found)
            fact = CheckpointSettingsChanged(project_path=project, strategy=settings.strategy)
            append(db, [self._event(fact, project)])
            return found

        found = await self.database.write(write)
        self.settled += 1
        return found

    async def forked(self, one: Checkpoint, folder: str, session_id: str | None) -> None:
        """Note that a branch of a checkpoint was begun in a folder, which stands on it from now on; one of its own has
        the settings of the project that it came from."""

        def write(db: sqlite3.Connection) -> None:
            if folder != one.project:
                settings = store.project(db, one.project).settings
                store.put_project(db, Project(path=folder, position=one.id, settings=settings))
            fact = CheckpointForked(
                checkpoint_id=one.id, project_path=one.project, folder=folder, session_id=session_id
            )
            append(db, [self._event(fact, one.id, session_id)])

        await self.database.write(write)
        self.settled += 1

    async def begin_restore(self, pending: PendingRestore) -> None:
        """Note that a restore begins, before anything of the tree is touched."""
        await self.database.write(lambda db: store.begin_restore(db, pending))

    async def end_restore(self, pending: PendingRestore, *, done: bool, changes: int, recovered: bool = False) -> None:
        """Note how a restore ended: where it was `done`, the project stands on its target now."""

        def write(db: sqlite3.Connection) -> None:
            store.end_restore(db, pending.id)
            if not done:
                return
            project = store.project(db, pending.project)
            if pending.whole:
                project.position = pending.target
            if pending.redo and project.redo:
                project.redo.pop()
            elif not pending.redo and pending.safety is not None:
                project.redo = [*project.redo, pending.safety][-MOST_REDO:]
            store.put_project(db, project)
            fact = CheckpointRestored(
                checkpoint_id=pending.target,
                project_path=pending.project,
                safety_id=pending.safety,
                changes=changes,
                whole=pending.whole,
                redo=pending.redo,
                recovered=recovered,
            )
            append(db, [self._event(fact, pending.target)])

        await self.database.write(write)

    def pending_restores(self) -> Sequence[PendingRestore]:
        """Return the restores of which the end was not noted."""
        return self.database.read(store.pending_restores)

    async def note(self, fact: Fact, subject: str) -> None:
        """Append a fact that changes no row."""
        await self.database.write(lambda db: append(db, [self._event(fact, subject)]))

    def _event(self, fact: Fact, subject: str, session_id: str | None = None) -> Event:
        owner = SessionId(session_id) if session_id is not None else None
        return Event(fact=fact, at=self.clock.now(), session_id=owner, subject=subject)


def _forget(db: sqlite3.Connection, checkpoint_id: CheckpointId, why: str) -> list[CheckpointDeleted]:
    one = store.get(db, checkpoint_id)
    if one is None:
        return []
    if one.pinned:
        raise CheckpointPinned(
            f"Checkpoint {one.id} is pinned.", remedy="Unpin it first (`checkpoints pin --off`).", checkpoint_id=one.id
        )
    for child in store.children(db, one.id):
        child.parent = one.parent
        store.put(db, child)
    store.delete(db, one.id)
    project = store.project(db, one.project)
    if project.position == one.id:
        project.position = one.parent
    project.redo = [kept for kept in project.redo if kept != one.id]
    store.put_project(db, project)
    return [CheckpointDeleted(checkpoint_id=one.id, project_path=one.project, why=why)]


def _gone(checkpoint_id: str) -> CheckpointNotFound:
    return CheckpointNotFound(
        f"There is no checkpoint {checkpoint_id}.", remedy="It was deleted.", checkpoint_id=checkpoint_id
    )


def _taken(one: Checkpoint) -> CheckpointTaken:
    return CheckpointTaken(
        checkpoint_id=one.id,
        project_path=one.project,
        trigger=Trigger(one.trigger).value,
        parent_id=one.parent,
        message=one.message[:500],
        files=one.files,
        content_bytes=one.content_bytes,
        stored_bytes=one.stored_bytes,
        torn=len(one.torn),
    )
