"""Keeps the index as the packs are: what is new is read, what is gone is dropped, what is many is merged.

A pack's own table is the truth; the files of the room `index` are copies of such tables, many in one file, so that
a store of a thousand packs opens with a few reads. Whatever happens to them, nothing is lost.
"""

import os
import threading
from collections.abc import Mapping

from claude_code_mcp.platform.blobs import packs, tables
from claude_code_mcp.platform.blobs.backend import Backend, Listed
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.errors import Malformed
from claude_code_mcp.platform.blobs.index import LARGE, Index
from claude_code_mcp.platform.blobs.marks import Marks, read_marks
from claude_code_mcp.platform.blobs.tables import Table

SUFFIX = ".index"
MANY = 32
"""So many tables are merged into one."""


class Catalog:
    """The index of one store, for all threads of this process."""

    def __init__(self, backend: Backend, codec: Codec) -> None:
        self._backend = backend
        self._codec = codec
        self._lock = threading.Lock()  # guards the three below: one refresh at a time
        self._index: Index | None = None
        self._marks = Marks()
        self._unreadable: dict[str, str] = {}

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Packs whose table cannot be read, with the reason; their objects count as not there."""
        return self._unreadable

    def fresh(self) -> Index:
        """Return the index, after a look at what others have added or taken away.

        Raises:
            OSError: the place would not serve.
        """
        with self._lock:
            marks = read_marks(self._backend)
            listed = self._packs()
            index = self._index
            index = self._load(listed, marks) if index is None else self._moved(index, listed, marks)
            self._index, self._marks = index, marks
            return index

    def current(self) -> Index:
        """Return the index as it was last seen, without a look."""
        with self._lock:
            index = self._index
        return self.fresh() if index is None else index

    def added(self, table: Table) -> None:
        """Note a pack that we have just published."""
        with self._lock:
            if self._index is not None:
                self._index.add(table)

    def forget(self) -> None:
        """Read everything anew at the next look."""
        with self._lock:
            self._index = None

    def _packs(self) -> dict[str, Listed]:
        found = ((packs.pack_name(name), listed) for name, listed in self._backend.names("packs").items())
        return {pack: listed for pack, listed in found if pack is not None}

    def _load(self, listed: Mapping[str, Listed], marks: Marks) -> Index:
        found: list[Table] = []
        covered: set[str] = set()
        for table in sorted(self._copies().values(), key=len, reverse=True):
            stale = {name for name in table.packs if name not in listed or name in covered}
            if len(stale) < len(table.packs):
                found.append(tables.without(table, stale) if stale else table)
                covered.update(found[-1].packs)
        self._unreadable = {}
        found += self._own_tables({name: one for name, one in listed.items() if name not in covered})
        return self._indexed(found, listed, marks)

    def _moved(self, index: Index, listed: Mapping[str, Listed], marks: Marks) -> Index:
        known = index.packs()
        gone = known.keys() - listed.keys()
        self._unreadable = {name: why for name, why in self._unreadable.items() if name in listed}
        fresh = {n: one for n, one in listed.items() if n not in known and n not in self._unreadable}
        found = self._own_tables(fresh)
        sizes_changed = any(listed[name].size_bytes != size for name, size in known.items() if name in listed)
        if not gone and marks == self._marks and not sizes_changed:
            for table in found:
                index.add(table)
            return index
        kept = [tables.without(table, gone) if gone.intersection(table.packs) else table for table in index.tables]
        return self._indexed([table for table in kept if table.packs] + found, listed, marks)

    def _indexed(self, found: list[Table], listed: Mapping[str, Listed], marks: Marks) -> Index:
        cut = {
            name
            for table in found
            for name, size in zip(table.packs, table.pack_sizes, strict=True)
            if listed[name].size_bytes != size
        }
        # A mark at offset 0 is about a pack's header or table: no block begins there.
        frames = {pack for pack, at in marks.damaged if at == 0}
        return Index.of(found, marks.condemned | cut | frames, marks.damaged)

    def _own_tables(self, listed: Mapping[str, Listed]) -> list[Table]:
        found = []
        for name, one in sorted(listed.items(), key=lambda item: item[1].modified_at):
            try:
                found.append(packs.read_table(self._backend, name, one.size_bytes, self._codec))
            except Malformed as exc:
                self._unreadable[name] = str(exc)
            except FileNotFoundError:
                continue  # it was swept since the listing
        return found

    def _copies(self) -> dict[str, Table]:
        found = {}
        for file in self._backend.names("index"):
            name = file.removesuffix(SUFFIX)
            try:
                found[file] = tables.unseal_named(self._backend.get("index", file), name, self._codec)
            except (Malformed, FileNotFoundError):
                continue  # a copy: the packs' own tables are read instead
        return found

    def broken_copies(self) -> list[str]:
        """Return the files of the room `index` that are not whole."""
        return sorted(self._backend.names("index").keys() - self._copies().keys())

    def merge(self, *, at_least: int = MANY, everything: bool = False) -> None:
        """Write one copy of many small tables, and drop the copies that it replaces.

        Raises:
            OSError: the place would not serve; the copies that were there may be gone, which costs time only.
        """
        with self._lock:
            index = self._index
            if index is None:
                return
            small = [table for table in index.tables if everything or len(table) <= LARGE]
            if len(small) < at_least:
                return
            merged = tables.merge(small)
            keep = [table for table in index.tables if not any(table is one for one in small)]
            before = self._copies()
            name, stored = tables.seal(merged, os.urandom(16), self._codec)
            if merged.packs:
                self._backend.put("index", name + SUFFIX, stored)
            replaced = set(merged.packs)
            for file, table in before.items():
                if everything or replaced.issuperset(table.packs):
                    self._backend.delete("index", file)
            self._index = Index.of([*keep, merged], index.bad_packs, index.bad_blocks)

    def drop_broken_copies(self) -> None:
        """Delete what is not whole in the room `index`."""
        for file in self.broken_copies():
            self._backend.delete("index", file)
