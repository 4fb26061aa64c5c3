"""Looking after the store: what retention forgets and a sweep removes, whether every byte is right, what it costs."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from claude_code_mcp.features.checkpoints import store
from claude_code_mcp.features.checkpoints.events import CheckpointStoreDamaged, CheckpointStoreSwept
from claude_code_mcp.features.checkpoints.models import Checkpoint, Project
from claude_code_mcp.features.checkpoints.models.care import (
    Affected,
    Damaged,
    ProjectUsage,
    SweepReply,
    UsageReply,
    VerifyReply,
)
from claude_code_mcp.features.checkpoints.models.requests import Sweep, VerifyStore
from claude_code_mcp.features.checkpoints.rules.keeping import expired, oldest_first
from claude_code_mcp.features.checkpoints.rules.paths import shown
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.healing import Healer
from claude_code_mcp.features.checkpoints.service.taking import Taking
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.platform.blobs.checking import Offer
from claude_code_mcp.platform.blobs.errors import ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.objects import Swept, Verified, Wanted
from claude_code_mcp.platform.worktrees.errors import ManifestRefused
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.taking import Needed, Needs

EVERY_S = 3600.0
FIRST_S = 300.0
GRACE_S = 3600.0
_PATHS = 50
_STEP = 0.1
_KEPT_OBJECTS = 100_000
"""What the last sweep found to be needed is kept in memory up to so many objects: about 10 MB."""
log = logging.getLogger(__name__)


class Caring:
    """Keeps the store small and right."""

    def __init__(self, book: Book, taking: Taking) -> None:
        self._book = book
        self._taking = taking
        self._swept_at = -1
        self._known: Needed | None = None

    async def run(self) -> None:
        """Forget what retention says and sweep, every hour; what fails is tried again the next time."""
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                await self.expire()
                if self._book.forgotten != self._swept_at:
                    await self.sweep(Sweep(grace_s=GRACE_S))
            except ClaudeCodeMcpError:
                log.warning("the checkpoints could not be looked after; the next round may go better", exc_info=True)
            await asyncio.sleep(EVERY_S)

    async def expire(self) -> int:
        """Forget what the projects' retention says; return how many checkpoints that were."""
        number = 0
        for project in self._book.projects():
            found = self._book.of_project(project.path)
            number += await self._book.delete(expired(found, project.settings.keep, _held(project)), "retention")
            if project.settings.keep.stored_bytes is not None:
                number += await self._shrink(project, project.settings.keep.stored_bytes)
        return number

    async def sweep(self, wish: Sweep) -> SweepReply:
        """Remove from the store what no checkpoint needs.

        Raises:
            ObjectMissing, ObjectDamaged, StoreNeedsRepair: it is not known what is needed; nothing was removed.
            BlobsBusy, BlobsUnavailable: the store would not serve.
        """
        number = await self.expire() if wish.expire else 0
        forgotten = self._book.forgotten
        # Whoever relies on what was taken before looks again whether it is still there.
        self._book.forgotten += 1
        swept: Swept = await self._taking.on_thread(lambda: self._taking.blobs.gc(self._needed, grace_s=wish.grace_s))
        if not swept.postponed:
            self._swept_at = forgotten + 1
        if swept.packs_deleted:
            fact = CheckpointStoreSwept(freed_bytes=swept.freed_bytes, objects_deleted=swept.objects_deleted)
            await self._book.note(fact, "store")
        return SweepReply(
            expired=number,
            freed_bytes=swept.freed_bytes,
            objects_deleted=swept.objects_deleted,
            packs_deleted=swept.packs_deleted,
            postponed=swept.postponed,
        )

    async def verify(self, wish: VerifyStore) -> VerifyReply:
        """Read and hash every byte of the store, and with `repair` bring back what the trees still have."""
        trees = [(Path(project.path), project.settings) for project in self._book.projects()]
        healer = Healer(trees, self._taking.seal_with) if wish.repair else None
        found, affected = await self._taking.on_thread(lambda: self._verified(healer))
        if found.damages or not found.whole or found.healed:
            self._book.forgotten += 1  # caches must not rely on what is damaged
        lost = len(found.lost | found.missing)
        if lost or found.healed:
            await self._book.note(CheckpointStoreDamaged(lost=lost, healed=len(found.healed)), "store")
        return VerifyReply(
            whole=found.whole,
            objects=found.objects,
            read_bytes=found.raw_bytes,
            damages=[Damaged(pack=one.pack, why=one.reason, objects=len(one.digests)) for one in found.damages],
            lost=lost,
            healed=len(found.healed),
            affected=affected,
        )

    async def usage(self) -> UsageReply:
        """Return the room that each project's checkpoints take, and the whole store."""
        counts = {one.path: self._count(one.path) for one in self._book.projects()}
        return await self._taking.on_thread(lambda: self._usage(counts))

    def _count(self, path: str) -> int:
        return self._book.database.read(lambda db: store.count(db, path))

    def _usage(self, counts: dict[str, int]) -> UsageReply:
        blobs = self._taking.blobs
        projects = []
        for path, number in counts.items():
            usage = blobs.usage(self._needs(self._manifests(path)))
            projects.append(
                ProjectUsage(
                    project_path=path,
                    checkpoints=number,
                    content_bytes=usage.wanted_raw_bytes,
                    stored_bytes=usage.wanted_stored_bytes,
                )
            )
        whole = blobs.usage(self._needs(self._manifests(None)))
        return UsageReply(
            projects=projects,
            stored_bytes=whole.stored_bytes,
            content_bytes=whole.raw_bytes,
            objects=whole.objects,
            unneeded_bytes=max(0, whole.stored_bytes - whole.wanted_stored_bytes),
        )

    async def _shrink(self, project: Project, most: int) -> int:
        """Forget the oldest automatic checkpoints, some at a time, until the rest takes no more than `most` bytes."""
        number = 0
        left = oldest_first(self._book.of_project(project.path), _held(project))
        while left:
            needed = self._taking.on_thread(lambda: self._needs(self._manifests(project.path)))
            wanted = await needed
            usage = await self._taking.on_thread(lambda wanted=wanted: self._taking.blobs.usage(wanted))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            if usage.wanted_stored_bytes <= most:
                break
            count = max(1, round(len(left) * _STEP))
            number += await self._book.delete(left[:count], "retention")
            left = left[count:]
        return number

    def _manifests(self, project: str | None) -> set[bytes]:
        """Return the manifests that are wanted now. For a thread."""

        async def read() -> set[bytes]:
            return self._book.database.read(lambda db: store.manifests(db, project))

        return self._taking.soon(read())

    def _needed(self) -> Wanted:
        """Return all that is needed. What a manifest needs never changes, so only new ones are read."""
        manifests = self._manifests(None)
        # Taken away while it is added to: what an error leaves half done is not relied on.
        known, self._known = self._known, None
        if known is not None and not known.manifests <= manifests:
            known = None
        with self._taking.blobs.reader() as reader:
            needs = Needs(reader.read, known)
            for digest in manifests:
                needs.add(digest)
        if len(needs.objects) + len(needs.lists) <= _KEPT_OBJECTS:
            self._known = needs.found
        return needs.wanted

    def _needs(self, manifests: Iterable[bytes]) -> Wanted:
        """Return all that the manifests need; one that cannot be read needs only itself."""
        with self._taking.blobs.reader() as reader:
            needs = Needs(reader.read)
            for digest in manifests:
                with suppress(ObjectMissing, ObjectDamaged, ManifestRefused):
                    needs.add(digest)
        return needs.wanted

    def _verified(self, healer: Healer | None) -> tuple[Verified, list[Affected]]:
        offer = healer.offer if healer is not None else None
        found = last = self._look(offer)
        while last.healed:
            # A manifest or a list of chunks that is back says what else is needed, and that may be lost as well.
            last = self._look(offer)
            found = replace(last, healed=found.healed | last.healed, damages=found.damages + last.damages)
        return found, self._affected(found.lost | found.missing) if not found.whole else []

    def _look(self, offer: Offer | None) -> Verified:
        return self._taking.blobs.verify(self._needs(self._manifests(None)), repair=offer)

    def _affected(self, bad: frozenset[bytes]) -> list[Affected]:
        """Return which checkpoints lack something of `bad`."""

        async def read() -> list[Checkpoint]:
            return self._book.find(None, None)

        lacks: dict[str, list[str] | None] = {}
        found = []
        for one in self._taking.soon(read()):
            if one.manifest not in lacks:
                lacks[one.manifest] = self._lacks(one.digest, bad)
            paths = lacks[one.manifest]
            if paths is None or paths:
                listed = paths or []
                found.append(Affected(checkpoint_id=one.id, paths=listed[:_PATHS], files=len(listed)))
        return found

    def _lacks(self, digest: bytes, bad: frozenset[bytes]) -> list[str] | None:
        """Return the paths whose content is among `bad`; None where the manifest itself cannot be read."""
        with self._taking.blobs.reader() as reader:
            try:
                manifest = read_manifest(digest, reader.read)
            except (ObjectMissing, ObjectDamaged, ManifestRefused):
                return None
            found = []
            for entry in manifest.entries:
                broken = entry.digest in bad
                if entry.chunked and not broken:
                    try:
                        broken = not bad.isdisjoint(chunk.digest for chunk in reader.chunks(entry.digest))
                    except (ObjectMissing, ObjectDamaged):
                        broken = True
                if broken:
                    found.append(shown(entry.path))
            return found


def _held(project: Project) -> set[str]:
    return {*project.redo, *([project.position] if project.position is not None else [])}
