"""Verifying: every byte of every pack is read and hashed; what is damaged is named, and healed where it can be."""

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial

from claude_code_mcp.platform.blobs import marks
from claude_code_mcp.platform.blobs.backend import Backend, Listed
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.catalog import Catalog
from claude_code_mcp.platform.blobs.errors import BlobsUnavailable, Malformed, ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.index import Index
from claude_code_mcp.platform.blobs.objects import Damage, Verified, Wanted
from claude_code_mcp.platform.blobs.packs import HEADER, check_ends, file_name, pack_name, read_table
from claude_code_mcp.platform.blobs.reading import THREADS, Reader
from claude_code_mcp.platform.blobs.tables import Table
from claude_code_mcp.platform.blobs.writing import Writer

Offer = Callable[[bytes], bytes | None]
"""Returns the content of a digest where it is still known, else None. What it returns is checked."""

FRAME = 0
"""The offset under which damage to a pack's header, table or footer is marked: no block begins there."""

_Objects = list[tuple[bytes, int, int]]


@dataclass(slots=True)
class Check:
    """One verify, from its first pack to the last object healed."""

    backend: Backend
    catalog: Catalog
    codec: Codec
    wanted: Wanted | None = None
    _damages: list[Damage] = field(default_factory=list)
    _objects: int = 0
    _raw_bytes: int = 0

    def run(self, offer: Offer | None) -> Verified:
        """Verify; see `Store.verify`."""
        self.catalog.forget()
        index = self.catalog.fresh()
        listed = {pack: one for file, one in self.backend.names("packs").items() if (pack := pack_name(file))}
        with ThreadPoolExecutor(THREADS, thread_name_prefix="blobs") as pool:
            for pack in sorted(listed):
                with suppress(FileNotFoundError):  # it was swept meanwhile
                    self._pack(pack, listed[pack], index, pool)
        for file in self.catalog.broken_copies():
            self._damages.append(Damage(file, None, "an index file is not whole; it is written anew"))
        with suppress(BlobsUnavailable) if offer is None else nullcontext():  # a read-only store can be verified too
            self.catalog.drop_broken_copies()
            self._mark(index)
        index = self.catalog.fresh()
        lost, missing = self._lost(index), self._missing(index)
        healed = frozenset[bytes]() if offer is None else self._heal(lost | missing, offer)
        left, absent = lost - healed, missing - healed
        if offer is not None and self.wanted is not None and not left and not absent:
            self._drop_unreadable()
        return Verified(len(listed), self._objects, self._raw_bytes, tuple(self._damages), left, absent, healed)

    def _pack(self, pack: str, listed: Listed, index: Index, pool: ThreadPoolExecutor) -> None:
        table = next((one for one in index.tables if pack in one.packs), None)
        try:
            own = read_table(self.backend, pack, listed.size_bytes, self.codec)
            check_ends(partial(self.backend.get_range, "packs", file_name(pack)), listed.size_bytes, own)
        except Malformed as exc:
            held = (
                ()
                if table is None
                else tuple(key for _, _, _, objects in _blocks(table, pack) for key, _, _ in objects)
            )
            self._damages.append(Damage(pack, None, str(exc), held))
        else:
            table = own
        if table is None:
            return
        tasks = list(_blocks(table, pack))
        for damage in pool.map(partial(self._block, pack), tasks):
            if damage is not None:
                self._damages.append(damage)
        self._objects += sum(len(objects) for _, _, _, objects in tasks)
        self._raw_bytes += sum(raw for _, _, raw, _ in tasks)

    def _block(self, pack: str, block: tuple[int, int, int, _Objects]) -> Damage | None:
        at, stored, raw_bytes, objects = block
        try:
            raw = self.codec.unpack(self.backend.get_range("packs", file_name(pack), at, stored), raw_bytes)
        except Malformed as exc:
            return Damage(pack, at, str(exc), tuple(digest for digest, _, _ in objects))
        other = tuple(
            digest
            for digest, start, length in objects
            if hashlib.sha256(raw[start : start + length]).digest() != digest
        )
        return Damage(pack, at, "bytes have another digest", other) if other else None

    def _mark(self, index: Index) -> None:
        """Mark what is damaged, and take marks off what is whole (again)."""
        seen = {
            (one.pack, FRAME if one.at is None else one.at) for one in self._damages if pack_name(file_name(one.pack))
        }
        for pack, at in sorted(seen - index.bad_blocks):
            marks.mark_damaged(self.backend, pack, at)
        for pack, at in sorted(index.bad_blocks - seen):
            marks.clear_damaged(self.backend, pack, at)

    def _lost(self, index: Index) -> frozenset[bytes]:
        broken = {(one.pack, one.at) for one in self._damages}
        named = {digest for one in self._damages if one.at is not None for digest in one.digests}
        return frozenset(
            digest for digest in named if all((place.pack, place.at) in broken for place in index.copies(digest))
        )

    def _missing(self, index: Index) -> frozenset[bytes]:
        if self.wanted is None:
            return frozenset()
        found = {*self.wanted.objects, *self.wanted.lists}
        reader = Reader(self.backend, self.catalog, self.codec)
        try:
            for one in self.wanted.lists:
                with suppress(ObjectMissing, ObjectDamaged):  # told as missing or lost itself
                    found.update(chunk.digest for chunk in reader.chunks(one))
        finally:
            reader.close()
        return frozenset(digest for digest in found if digest not in index)

    def _heal(self, lost: frozenset[bytes], offer: Offer) -> frozenset[bytes]:
        """Store again what is offered, and what is whole but in packs that are not; return what was lost and is not."""
        around = {digest for one in self._damages for digest in one.digests}
        lock = threading.Lock()  # guards the writer, which is for one thread
        writer = Writer(self.backend, self.catalog, self.codec)
        reader = Reader(self.backend, self.catalog, self.codec)

        def take(_: bytes, data: bytes) -> None:
            with lock:
                writer.put(data)

        try:
            reader.each(around - lost, take)
            for digest in lost:
                data = offer(digest)
                if data is not None and hashlib.sha256(data).digest() == digest:
                    writer.put(data)
            writer.commit()
        finally:
            reader.close()
            writer.close()
        return lost - self._still_lost(lost)

    def _still_lost(self, lost: frozenset[bytes]) -> frozenset[bytes]:
        reader = Reader(self.backend, self.catalog, self.codec)
        try:
            faults = reader.each(lost)
        finally:
            reader.close()
        return frozenset((*faults.missing, *faults.damaged))

    def _drop_unreadable(self) -> None:
        """Delete packs of which nothing can be known, now that nothing wanted is missing; newer versions stay."""
        for pack in self.catalog.unreadable:
            with suppress(FileNotFoundError, Malformed):
                head = self.backend.get_range("packs", file_name(pack), 0, len(HEADER))
                if head[:8] != HEADER[:8] or head == HEADER:
                    self.backend.delete("packs", file_name(pack))
                    marks.clear_damaged(self.backend, pack, FRAME)


def _blocks(table: Table, pack: str) -> Iterable[tuple[int, int, int, _Objects]]:
    """Yield the blocks of one pack: offset, stored and expanded length, objects."""
    number = table.packs.index(pack)
    objects: dict[int, _Objects] = {block: [] for block, holder in enumerate(table.block_packs) if holder == number}
    for key, block, start, length in zip(table.keys(), table.blocks, table.starts, table.lengths, strict=True):
        if block in objects:
            objects[block].append((key, start, length))
    for block, held in objects.items():
        yield table.block_offsets[block], table.block_stored[block], table.block_raw[block], held
