"""Sweeping: packs of which little is wanted are condemned, then copied from, then deleted; a kill costs nothing."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from claude_code_mcp.platform.blobs import marks
from claude_code_mcp.platform.blobs.backend import Backend
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.catalog import Catalog
from claude_code_mcp.platform.blobs.errors import BlobsBusy, ObjectDamaged, ObjectMissing, StoreNeedsRepair
from claude_code_mcp.platform.blobs.index import Index
from claude_code_mcp.platform.blobs.objects import Swept, Wanted
from claude_code_mcp.platform.blobs.packs import file_name
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.blobs.writing import Writer

GC = "gc"
"""The lock of who sweeps."""

SESSIONS = "sessions"
"""The lock that readers and writers share; who sweeps waits once until all that were there before are gone."""

WASTE = 0.5
"""A pack is rewritten when less than this share of it is wanted."""

SMALL_BYTES = 4 * 1024 * 1024
MANY_SMALL = 100
"""So many packs below SMALL_BYTES are written as one."""

Ask = Callable[[], Wanted]


@dataclass(slots=True)
class Share:
    """How much of a pack is wanted."""

    objects: int = 0
    raw_bytes: int = 0
    wanted_objects: int = 0
    wanted_raw_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What the choice of packs goes by, for one of them."""

    share: Share
    size_bytes: int
    age_s: float
    damaged: bool


def choose(packs: Mapping[str, Held], grace_s: float) -> set[str]:
    """Return the packs to give up: nothing or little of them is wanted, they are damaged, or small and many."""
    old = {name: held for name, held in packs.items() if abs(held.age_s) >= grace_s}
    chosen = {
        name
        for name, held in old.items()
        if not held.share.wanted_objects or held.share.wanted_raw_bytes < WASTE * held.share.raw_bytes or held.damaged
    }
    small = {name for name, held in old.items() if held.size_bytes < SMALL_BYTES}
    return chosen | small if len(small) >= MANY_SMALL else chosen


def shares(index: Index, wanted: Iterable[bytes]) -> tuple[dict[str, Share], set[bytes]]:
    """Return how much of each pack is wanted, each object counted where it would be read, and what is nowhere."""
    left = set(wanted)
    found = {name: Share() for name in index.packs()}
    for trusted in (True, False):
        for table in reversed(index.tables):
            of_pack = [found[name] for name in table.packs]
            now = [(name not in index.bad_packs) is trusted for name in table.packs]
            for key, block, length in zip(table.keys(), table.blocks, table.lengths, strict=True):
                pack = table.block_packs[block]
                if not now[pack]:
                    continue
                share = of_pack[pack]
                share.objects += 1
                share.raw_bytes += length
                if key in left:
                    left.discard(key)
                    share.wanted_objects += 1
                    share.wanted_raw_bytes += length
    return found, left


@dataclass(slots=True)
class Sweep:
    """One gc, from its lock to its end."""

    backend: Backend
    catalog: Catalog
    codec: Codec
    ask: Ask

    def run(self, grace_s: float, wait_s: float) -> Swept:
        """Sweep; see `Store.gc`."""
        with self.backend.hold(GC, shared=False, wait_s=wait_s) as held:
            if not held:
                raise BlobsBusy("Another gc of the object store is under way.", remedy="Try again when it has ended.")
            self.backend.clean()
            return self._sweep(grace_s, wait_s)

    def _sweep(self, grace_s: float, wait_s: float) -> Swept:
        index = self.catalog.fresh()
        share, missing = shares(index, self._expanded(self.ask()))
        chosen = choose(self._held(index, share), grace_s)
        self._mark(chosen)
        if not chosen:
            self.catalog.merge()
            return Swept(missing=len(missing))
        with self.backend.hold(SESSIONS, shared=False, wait_s=wait_s) as alone:
            if not alone:
                return Swept(missing=len(missing), postponed=True)
        # Whoever began before the marks is gone. Whoever begins now sees them.
        wanted = self._expanded(self.ask())
        kept = self._copied(wanted)
        return self._delete(chosen - kept, wanted, len(missing))

    def _expanded(self, wanted: Wanted) -> set[bytes]:
        """Return all that must be kept, chunks included."""
        found = {*wanted.objects, *wanted.lists}
        reader = Reader(self.backend, self.catalog, self.codec)
        try:
            for one in wanted.lists:
                found.update(chunk.digest for chunk in reader.chunks(one))
        except (ObjectMissing, ObjectDamaged) as exc:
            raise StoreNeedsRepair(
                f"Nothing was swept: it is not known which chunks are wanted. {exc.message}",
                remedy="Verify the store with repair, or delete what needs this object, then sweep again.",
                **exc.details,
            ) from exc
        finally:
            reader.close()
        return found

    def _held(self, index: Index, share: Mapping[str, Share]) -> dict[str, Held]:
        now = time.time()
        listed = self.backend.names("packs")
        damaged = {pack for pack, _ in index.bad_blocks}
        return {
            name: Held(one, listed[file].size_bytes, now - listed[file].modified_at, name in damaged)
            for name, one in share.items()
            if (file := file_name(name)) in listed
        }

    def _mark(self, chosen: set[str]) -> None:
        before = marks.read_marks(self.backend)
        for pack in before.condemned - chosen:
            marks.spare(self.backend, pack)
        for pack in sorted(chosen - before.condemned):
            marks.condemn(self.backend, pack)
        listed = self.backend.names("packs")
        for pack, at in before.damaged:
            if file_name(pack) not in listed:
                marks.clear_damaged(self.backend, pack, at)

    def _copied(self, wanted: set[bytes]) -> set[str]:
        """Copy what is wanted and nowhere else; return the packs that hold something that could not be copied."""
        index = self.catalog.fresh()
        writer = Writer(self.backend, self.catalog, self.codec)
        reader = Reader(self.backend, self.catalog, self.codec)
        lock = threading.Lock()  # guards the writer, which is for one thread

        def take(_: bytes, data: bytes) -> None:
            with lock:
                writer.put(data)

        try:
            faults = reader.each(index.shunned & wanted, take)
            writer.commit()
        finally:
            reader.close()
            writer.close()
        return {place.pack for digest in (*faults.missing, *faults.damaged) for place in index.copies(digest)}

    def _delete(self, doomed: set[str], wanted: set[bytes], missing: int) -> Swept:
        index = self.catalog.fresh()
        held: dict[str, set[bytes]] = {name: set() for name in doomed}
        for table in index.tables:
            if not doomed.isdisjoint(table.packs):
                for key, block in zip(table.keys(), table.blocks, strict=True):
                    name = table.packs[table.block_packs[block]]
                    if name in held:
                        held[name].add(key)
        freed = Counter[str]()
        rewritten = 0
        for name, size in index.packs().items():
            if name not in doomed:
                continue
            self.backend.delete("packs", file_name(name))
            freed["bytes"] += size
            rewritten += not wanted.isdisjoint(held[name])
        for pack, at in index.bad_blocks:
            if pack in doomed:
                marks.clear_damaged(self.backend, pack, at)
        for pack in doomed:
            marks.spare(self.backend, pack)
        self.catalog.fresh()
        self.catalog.merge(at_least=0, everything=True)
        gone = set().union(*held.values()) - wanted
        now = self.catalog.current()
        return Swept(
            packs_deleted=len(doomed),
            packs_rewritten=rewritten,
            objects_deleted=sum(1 for digest in gone if digest not in now),
            freed_bytes=freed["bytes"],
            missing=missing,
        )
