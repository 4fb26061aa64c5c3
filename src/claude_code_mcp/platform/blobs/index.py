"""What is where, in memory: all tables of the store, those of large packs searched in place."""

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from claude_code_mcp.platform.blobs.objects import Place
from claude_code_mcp.platform.blobs.tables import Table

LARGE = 65_536
"""A table with more objects is not copied into the dictionary: 150 bytes an object would be too many."""

_SHIFT = 32
_LOW = (1 << _SHIFT) - 1


class _Fan:
    """Finds digests in a large table by their first two bytes."""

    def __init__(self, number: int, table: Table) -> None:
        self.number = number
        self._table = table
        run = table.digests
        first, second = (1, 0) if sys.byteorder == "little" else (0, 1)
        pairs = bytearray(2 * len(table))
        pairs[first::2] = run[0::32]
        pairs[second::2] = run[1::32]
        counted = Counter(memoryview(pairs).cast("H"))
        self._firsts = array("I", accumulate((counted[head] for head in range(1 << 16)), initial=0))

    def find(self, digest: bytes) -> int:
        head = digest[0] << 8 | digest[1]
        return self._table.find(digest, self._firsts[head], self._firsts[head + 1])


@dataclass(slots=True)
class Index:
    """All tables. Adding is safe beside lookups in other threads; to take something away, make another index.

    `shunned` are objects of which every copy is condemned or damaged: they can be tried to be read, but nobody may
    rely on them, so putting them again stores them again.
    """

    tables: list[Table] = field(default_factory=list)
    shunned: frozenset[bytes] = frozenset()
    bad_packs: frozenset[str] = frozenset()
    bad_blocks: frozenset[tuple[str, int]] = frozenset()
    _recent: dict[bytes, int] = field(default_factory=dict)
    _fans: list[_Fan] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        tables: Iterable[Table],
        bad_packs: frozenset[str] = frozenset(),
        bad_blocks: frozenset[tuple[str, int]] = frozenset(),
    ) -> "Index":
        """Return the index of `tables`, of which some packs and blocks (pack, offset) are not to be relied on."""
        index = cls(bad_packs=bad_packs, bad_blocks=bad_blocks)
        for table in tables:
            index.add(table)
        index.shunned = index._shunned()
        return index

    def add(self, table: Table) -> None:
        """Take in one more table, of good packs; of several copies of an object the last one is found first."""
        number = len(self.tables)
        self.tables.append(table)
        if len(table) > LARGE:
            self._fans.append(_Fan(number, table))
        else:
            first = number << _SHIFT
            self._recent.update(zip(table.keys(), range(first, first + len(table)), strict=True))
        if self.shunned:
            self.shunned = self.shunned.difference(table.keys())

    def packs(self) -> dict[str, int]:
        """Return the packs that are known, with their sizes."""
        return {name: size for table in self.tables for name, size in zip(table.packs, table.pack_sizes, strict=True)}

    def __len__(self) -> int:
        return len(self._recent) + sum(len(self.tables[fan.number]) for fan in self._fans)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._recent or any(fan.find(digest) >= 0 for fan in self._fans)

    def relied_on(self, digest: bytes) -> bool:
        """Whether the object is there, and may be taken as stored."""
        return digest in self and digest not in self.shunned

    def missing(self, digests: Iterable[bytes]) -> list[bytes]:
        """Return those of `digests` that are not there or not to be relied on, in their order."""
        recent = self._recent
        absent = [digest for digest in digests if digest not in recent or digest in self.shunned]
        return [digest for digest in absent if not self.relied_on(digest)] if self._fans else absent

    def place(self, digest: bytes) -> Place | None:
        """Return where the object lies, None where it is nowhere; a good copy where one is known."""
        code = self._recent.get(digest)
        if code is not None:
            found = self.tables[code >> _SHIFT].place(code & _LOW)
            return found if self._good(found) else self._better(digest, found)
        for fan in self._fans:
            entry = fan.find(digest)
            if entry >= 0:
                found = self.tables[fan.number].place(entry)
                return found if self._good(found) else self._better(digest, found)
        return None

    def _good(self, place: Place) -> bool:
        if not self.bad_packs and not self.bad_blocks:
            return True
        return place.pack not in self.bad_packs and (place.pack, place.at) not in self.bad_blocks

    def _better(self, digest: bytes, found: Place) -> Place:
        if digest in self.shunned:
            return found
        return next((place for place in self.copies(digest) if self._good(place)), found)

    def copies(self, digest: bytes) -> Iterator[Place]:
        """Yield every place of the object, the newest first; slow, for when one copy is damaged."""
        for table in reversed(self.tables):
            entry = table.find(digest)
            while entry >= 0:
                yield table.place(entry)
                entry = table.find(digest, entry + 1)

    def _shunned(self) -> frozenset[bytes]:
        if not self.bad_packs and not self.bad_blocks:
            return frozenset()
        bad: set[bytes] = set()
        for table in self.tables:
            bad.update(key for key, good in self._judged(table) if not good)
        for table in self.tables:
            bad.difference_update([key for key, good in self._judged(table) if good])
        return frozenset(bad)

    def _judged(self, table: Table) -> Iterator[tuple[bytes, bool]]:
        good = [
            table.packs[pack] not in self.bad_packs and (table.packs[pack], offset) not in self.bad_blocks
            for pack, offset in zip(table.block_packs, table.block_offsets, strict=True)
        ]
        for key, block in zip(table.keys(), table.blocks, strict=True):
            yield key, good[block]
