"""Restoring a project: planned, with what was there kept first, and settled by whoever comes after a crash."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from claude_code_mcp.features.checkpoints.errors import ConfigurationChange, NothingToRedo
from claude_code_mcp.features.checkpoints.models import Checkpoint, PendingRestore, TreeSettings, Trigger
from claude_code_mcp.features.checkpoints.rules.options import ignore_options
from claude_code_mcp.features.checkpoints.rules.paths import shown, within
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.occupants import Occupant, Occupants, refuse
from claude_code_mcp.features.checkpoints.service.taking import TakenTree, TakeWish, Taking
from claude_code_mcp.features.checkpoints.service.trees import Tree
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.platform.blobs.errors import ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.worktrees.errors import ManifestRefused, TreeBusy
from claude_code_mcp.platform.worktrees.journal import open_journals
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.models import Manifest
from claude_code_mcp.platform.worktrees.parts import Parts
from claude_code_mcp.platform.worktrees.plan import Plan, RestoreWish, make_plan
from claude_code_mcp.platform.worktrees.restoring import Consent, Restored, Supply, recover, restore_tree, restoring
from claude_code_mcp.platform.worktrees.taking import Digests


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """What is to be restored, and what the caller has agreed to.

    `paths`: only these and what is below them. `backup`: keep the tree as it is in a safety checkpoint first.
    `force`: although somebody is at work there, changes would be lost, or links lead outside. `allow_config`: also
    files that can run something. `skip_sealed`: leave alone what is sealed and cannot be opened.
    """

    root: Path
    checkpoint: Checkpoint
    paths: tuple[bytes, ...] = ()
    dry_run: bool = False
    backup: bool = True
    force: bool = False
    allow_config: bool = False
    skip_sealed: bool = False
    redo: bool = False

    @property
    def whole(self) -> bool:
        """Whether the whole tree is meant."""
        return not self.paths


@dataclass(frozen=True, slots=True)
class RestoreOutcome:
    """What a restore did, or would do: `restored` is None then."""

    order: RestoreOrder
    plan: Plan
    occupants: list[Occupant] = field(default_factory=list)
    stopped: list[Occupant] = field(default_factory=list)
    safety: Checkpoint | None = None
    restored: Restored | None = None


class Restoring:
    """Restores trees; of each project one at a time."""

    def __init__(self, book: Book, taking: Taking, occupants: Occupants, journals: Path) -> None:
        self._book = book
        self._taking = taking
        self._occupants = occupants
        self._journals = journals
        self._at_work: set[Path] = set()

    async def restore(self, order: RestoreOrder, caller: Caller) -> RestoreOutcome:
        """Restore, or plan only.

        Raises:
            TreeInUse: somebody is at work in the tree, and there is no force.
            TreeBusy: another restore is at work in it.
            ConfigurationChange: files that can run something would change, and nobody agreed.
            RestoreConflict, RestoreBlocked, TreeMoved: something is in the way.
            ContentMissing, RestoreFailed, ManifestRefused, BlobsUnavailable: the store or the disk would not.
        """
        if order.root in self._at_work:
            raise TreeBusy(
                f"Another restore is at work in {order.root}.",
                remedy="Nothing was changed; look at what it did before you ask again.",
                path=str(order.root),
            )
        self._at_work.add(order.root)
        try:
            return await self._restore(order, caller)
        finally:
            self._at_work.discard(order.root)

    def redo_target(self, root: Path) -> Checkpoint:
        """Return what the tree was before the last restore that has not been taken back.

        Raises:
            NothingToRedo: there is none.
        """
        for checkpoint_id in reversed(self._book.project(root).redo):
            found = self._book.get(checkpoint_id)
            if found is not None:
                return found
        raise NothingToRedo(
            f"No restore of {root} can be taken back.",
            remedy="`checkpoints timeline` shows what can be restored.",
            project_path=str(root),
        )

    async def settle(self, root: Path | None = None) -> None:
        """Finish or undo restores that were cut off (in one tree, or in all), and note where their projects stand.

        Raises:
            RestoreFailed: the disk would not; ask again later.
        """
        done = await self._taking.on_thread(lambda: recover(self._journals, root=root))
        finished = {os.fsdecode(one.root): one.finished for one in done}
        open_ones = {os.fsdecode(one.journal.root) for one in open_journals(self._journals)}
        for pending in self._book.pending_restores():
            if root is not None and pending.project != str(root):
                continue
            if pending.project in open_ones:
                continue  # its tree is not there now; it is settled when it is
            known = finished.get(pending.project)
            over = known if known is not None else await self._stands_on(pending)
            await self._book.end_restore(pending, done=over, changes=0, recovered=True)

    async def _restore(self, order: RestoreOrder, caller: Caller) -> RestoreOutcome:
        occupants = await self._occupants.within(order.root, caller)
        if order.dry_run:
            async with self._taking.trees.held(order.root) as tree:
                target = await self._manifest(order.checkpoint, tree)
                live = (await self._taking.look(tree, Digests(), _also(order, target), order.paths)).manifest
                known = await self._known(order, target, tree)
                return RestoreOutcome(order, await self._plan(order, target, live, known), occupants)
        if occupants and not order.force:
            raise refuse(order.root, occupants)
        stopped = await self._occupants.stop(occupants, caller)
        await self.settle(order.root)
        async with self._taking.trees.held(order.root) as tree:
            # From here on it is carried to its end, whoever goes away.
            return await self._taking.to_end(self._held(order, tree, occupants, stopped))

    async def _held(
        self, order: RestoreOrder, tree: Tree, occupants: list[Occupant], stopped: list[Occupant]
    ) -> RestoreOutcome:
        target = await self._manifest(order.checkpoint, tree)
        known = await self._known(order, target, tree)
        taken, live = await self._before(order, tree, target)
        safety = taken.checkpoint if taken is not None else None
        try:
            plan = await self._plan(order, target, live, known)
            _agreed(order, plan)
            restored = await self._carried_out(order, plan, safety)
        except ClaudeCodeMcpError:
            if taken is not None and not taken.unchanged and not self._open(order.root):
                await self._book.delete([taken.checkpoint.id], "nothing was restored")
            raise
        return RestoreOutcome(order, plan, occupants, stopped, safety, restored)

    async def _before(self, order: RestoreOrder, tree: Tree, target: Manifest) -> tuple[TakenTree | None, Manifest]:
        """Return the safety checkpoint, where one is wanted, and the tree as it is."""
        also = _also(order, target)
        taken: TakenTree | None = None
        if order.backup:
            label = order.checkpoint.label or order.checkpoint.message or order.checkpoint.id
            message = f"{'Before redo' if order.redo else 'Before restoring'}: {label}"[:500]
            taken = await self._taking.take_held(tree, TakeWish(trigger=Trigger.SAFETY, message=message, also=also))
        if taken is not None and taken.seen is not None:
            return taken, taken.seen.manifest
        return taken, (await self._taking.look(tree, Digests(), also, order.paths)).manifest

    async def _carried_out(self, order: RestoreOrder, plan: Plan, safety: Checkpoint | None) -> Restored:
        pending = PendingRestore(
            id=uuid7(),
            project=str(order.root),
            target=order.checkpoint.id,
            safety=safety.id if safety is not None else None,
            paths=order.paths,
            redo=order.redo,
            begun_at=self._book.stamp(),
        )
        await self._book.begin_restore(pending)
        try:
            restored = await self._taking.on_thread(lambda: self._write(order, plan))
        except BaseException:
            # A journal that is still there says that it will be finished: its end is noted then.
            if not self._open(order.root):
                await self._book.end_restore(pending, done=False, changes=0)
            raise
        await self._book.end_restore(pending, done=True, changes=restored.changes)
        return restored

    def _write(self, order: RestoreOrder, plan: Plan) -> Restored:
        consent = Consent(conflicts=order.backup or order.force, outside_links=order.force)
        with restoring(order.root) as root_fd, self._taking.blobs.reader() as reader:
            return restore_tree(root_fd, order.root, plan, Supply(reader, self._taking.keys), self._journals, consent)

    async def _manifest(self, one: Checkpoint, tree: Tree) -> Manifest:
        """Return a checkpoint's tree, for whoever holds the lock of the project's own, with which it shares most."""
        return await self._taking.on_thread(lambda: self._read_manifest(one.digest, tree.parts))

    def _read_manifest(self, digest: bytes, parts: Parts) -> Manifest:
        with self._taking.blobs.reader() as reader:
            return read_manifest(digest, reader.read, parts)

    async def _known(self, order: RestoreOrder, target: Manifest, tree: Tree) -> Manifest | None:
        """Return the state against which changes count as not kept anywhere; None where all is kept first."""
        position = self._book.get(self._book.project(order.root).position)
        if position is not None and position.digest == order.checkpoint.digest:
            return target
        if position is not None:
            with suppress(ObjectMissing, ObjectDamaged, ManifestRefused):  # a damaged one is as good as none
                return await self._manifest(position, tree)
        return None if order.backup else Manifest(())

    async def _plan(self, order: RestoreOrder, target: Manifest, live: Manifest, known: Manifest | None) -> Plan:
        settings = self._book.project(order.root).settings
        return await self._taking.on_thread(lambda: self._planned(order, target, live, known, settings))

    def _planned(
        self, order: RestoreOrder, target: Manifest, live: Manifest, known: Manifest | None, settings: TreeSettings
    ) -> Plan:
        with self._taking.blobs.reader() as reader:
            contents = self._taking.contents(reader, settings)
            wish = RestoreWish(paths=order.paths, known=known, contents=contents, skip_sealed=order.skip_sealed)
            return make_plan(order.root, target, live, contents.read, wish, ignore_options(settings))

    async def _stands_on(self, pending: PendingRestore) -> bool:
        """Tell whether the tree is what a restore was to make of it, where no journal says how far it came."""
        target = self._book.get(pending.target)
        if target is None:
            return False
        order = RestoreOrder(root=Path(pending.project), checkpoint=target, paths=pending.paths)
        try:
            async with self._taking.trees.held(order.root) as tree:
                manifest = await self._manifest(target, tree)
                live = (await self._taking.look(tree, Digests(), _also(order, manifest), order.paths)).manifest
                return (await self._plan(order, manifest, live, None)).empty
        except ClaudeCodeMcpError:
            return False

    def _open(self, root: Path) -> bool:
        return any(os.fsdecode(one.journal.root) == str(root) for one in open_journals(self._journals))


def _also(order: RestoreOrder, target: Manifest) -> frozenset[bytes]:
    return frozenset(within([entry.path for entry in target.entries], order.paths))


def _agreed(order: RestoreOrder, plan: Plan) -> None:
    if plan.executable and not (order.allow_config or order.force):
        first = plan.executable[0]
        raise ConfigurationChange(
            f"{len(plan.executable)} of the files can run or steer something; {shown(first.path)} {first.why}.",
            remedy="Nothing was changed. Look at them (dry_run), then ask again with allow_config, or name paths.",
            paths=[shown(one.path) for one in plan.executable[:100]],
        )
