"""Tables of contents: which object lies where. Pure: bytes in, bytes out."""

import hashlib
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.errors import Malformed
from claude_code_mcp.platform.blobs.objects import OBJECT_BYTES, Place

TABLE_BYTES = 1 << 30
"""No table is larger, whatever it claims (25 million objects)."""

_EXPANDS = 64  # digests do not compress: what claims more than this is no table

OWN = bytes(32)
"""Stands for the pack that a table is part of."""

_COUNTS = struct.Struct("<4sIIII16s")
_MAGIC = b"CCMT"
_FRAME = struct.Struct("<II")
_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Table:
    """Columns: packs, their blocks, and their objects in the order of their digests.

    `digests` is one run of 32-byte digests; `note` is free bytes of whoever wrote the pack.
    """

    packs: tuple[str, ...]
    pack_sizes: "array[int]"
    block_packs: "array[int]"
    block_offsets: "array[int]"
    block_stored: "array[int]"
    block_raw: "array[int]"
    digests: bytes
    blocks: "array[int]"
    starts: "array[int]"
    lengths: "array[int]"
    note: bytes = b""

    def __len__(self) -> int:
        return len(self.blocks)

    def keys(self) -> list[bytes]:
        """Return the digests in their order."""
        run = self.digests
        return [run[at : at + _WIDTH] for at in range(0, len(run), _WIDTH)]

    def place(self, entry: int) -> Place:
        """Return where object number `entry` lies."""
        block = self.blocks[entry]
        return Place(
            self.packs[self.block_packs[block]],
            self.block_offsets[block],
            self.block_stored[block],
            self.block_raw[block],
            self.starts[entry],
            self.lengths[entry],
        )

    def find(self, digest: bytes, first: int = 0, end: int | None = None) -> int:
        """Return the number of an object between `first` and `end`, -1 where it is not there."""
        stop = len(self.digests) if end is None else end * _WIDTH
        at = self.digests.find(digest, first * _WIDTH, stop)
        while at >= 0 and at % _WIDTH:
            at = self.digests.find(digest, at + 1, stop)
        return at // _WIDTH if at >= 0 else -1


def _column(kind: str, values: Iterable[int]) -> "array[int]":
    return array(kind, values)


def build(
    packs: Sequence[tuple[str, int]],
    blocks: Sequence[tuple[int, int, int, int]],
    entries: Iterable[tuple[bytes, int, int, int]],
    note: bytes = b"",
) -> Table:
    """Return the table of `packs` (name, size), `blocks` (pack, offset, stored, raw) and `entries` (digest, block,
    start, length)."""
    ordered = sorted(entries)
    pack_of, offsets, stored, raw = zip(*blocks, strict=True) if blocks else ((), (), (), ())
    digests, where, starts, lengths = zip(*ordered, strict=True) if ordered else ((), (), (), ())
    return Table(
        tuple(name for name, _ in packs),
        _column("Q", (size for _, size in packs)),
        _column("I", pack_of),
        _column("Q", offsets),
        _column("I", stored),
        _column("I", raw),
        b"".join(digests),
        _column("I", where),
        _column("I", starts),
        _column("I", lengths),
        note,
    )


def build_like(table: Table, packs: tuple[str, ...], sizes: tuple[int, ...]) -> Table:
    """Return `table` with other names and sizes of its packs."""
    return replace(table, packs=packs, pack_sizes=_column("Q", sizes))


def merge(tables: Iterable[Table]) -> Table:
    """Return one table that says what `tables` say."""
    packs: list[tuple[str, int]] = []
    blocks: list[tuple[int, int, int, int]] = []
    entries: list[tuple[bytes, int, int, int]] = []
    for table in tables:
        first_pack, first_block = len(packs), len(blocks)
        packs += zip(table.packs, table.pack_sizes, strict=True)
        blocks += zip(
            (pack + first_pack for pack in table.block_packs),
            table.block_offsets,
            table.block_stored,
            table.block_raw,
            strict=True,
        )
        numbers = (block + first_block for block in table.blocks)
        entries += zip(table.keys(), numbers, table.starts, table.lengths, strict=True)
    return build(packs, blocks, entries)


def without(table: Table, gone: set[str]) -> Table:
    """Return `table` without the packs named in `gone`."""
    kept = [number for number, name in enumerate(table.packs) if name not in gone]
    pack_now = {old: new for new, old in enumerate(kept)}
    held = [number for number, pack in enumerate(table.block_packs) if pack in pack_now]
    block_now = {old: new for new, old in enumerate(held)}
    return build(
        [(table.packs[old], table.pack_sizes[old]) for old in kept],
        [
            (pack_now[table.block_packs[old]], table.block_offsets[old], table.block_stored[old], table.block_raw[old])
            for old in held
        ],
        [
            (key, block_now[block], start, length)
            for key, block, start, length in zip(table.keys(), table.blocks, table.starts, table.lengths, strict=True)
            if block in block_now
        ],
        table.note,
    )


def encode(table: Table, nonce: bytes) -> bytes:
    """Return `table` as bytes; `nonce` (16 bytes) makes two tables of the same content differ."""
    counts = _COUNTS.pack(_MAGIC, len(table.packs), len(table.block_packs), len(table), len(table.note), nonce)
    names = b"".join(bytes.fromhex(name) for name in table.packs)
    columns = (table.pack_sizes, table.block_packs, table.block_offsets, table.block_stored, table.block_raw)
    objects = (table.blocks, table.starts, table.lengths)
    return b"".join((counts, names, *map(_little, columns), table.digests, *map(_little, objects), table.note))


def _little(column: "array[int]") -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()


def decode(body: bytes) -> Table:
    """Return the table that `encode` made these bytes of.

    Raises:
        Malformed: they are none, or one that points outside itself.
    """
    if len(body) < _COUNTS.size:
        raise Malformed("a table is cut off")
    magic, packs, blocks, entries, note, _ = _COUNTS.unpack_from(body)
    expected = _COUNTS.size + packs * (_WIDTH + 8) + blocks * 20 + entries * (_WIDTH + 12) + note
    if magic != _MAGIC or expected != len(body):
        raise Malformed("a table has another length than it claims")
    at = _COUNTS.size

    def take(length: int) -> bytes:
        nonlocal at
        at += length
        return body[at - length : at]

    def column(kind: str, count: int) -> "array[int]":
        found: array[Any] = array(kind)
        found.frombytes(take(count * found.itemsize))
        if sys.byteorder == "big":
            found.byteswap()
        return found

    names = take(packs * _WIDTH)
    table = Table(
        tuple(names[n : n + _WIDTH].hex() for n in range(0, len(names), _WIDTH)),
        column("Q", packs),
        column("I", blocks),
        column("Q", blocks),
        column("I", blocks),
        column("I", blocks),
        take(entries * _WIDTH),
        column("I", entries),
        column("I", entries),
        column("I", entries),
        take(note),
    )
    _bound(table)
    return table


def _bound(table: Table) -> None:
    if max(table.block_packs, default=-1) >= len(table.packs) or max(table.blocks, default=-1) >= len(table.block_raw):
        raise Malformed("a table points outside itself")
    if max(table.block_raw, default=0) > OBJECT_BYTES or max(table.block_stored, default=0) > 2 * OBJECT_BYTES:
        raise Malformed("a table has a block above the limit")


def seal(table: Table, nonce: bytes, codec: Codec) -> tuple[str, bytes]:
    """Return `table` as it is stored, and its name: the SHA-256 of what it says."""
    body = encode(table, nonce)
    frame = codec.pack(body)
    return hashlib.sha256(body).hexdigest(), _FRAME.pack(len(body), len(frame)) + frame


def unseal(stored: bytes, codec: Codec) -> tuple[str, Table]:
    """Return the table that is stored as `stored`, and the name that it must have.

    Raises:
        Malformed: it is not whole.
    """
    if len(stored) < _FRAME.size:
        raise Malformed("a table is cut off")
    raw, length = _FRAME.unpack_from(stored)
    frame = stored[_FRAME.size :]
    if len(frame) != length:
        raise Malformed("a table is cut off")
    body = codec.unpack(frame, raw, limit_bytes=min(TABLE_BYTES, (1 << 20) + _EXPANDS * length))
    return hashlib.sha256(body).hexdigest(), decode(body)


def unseal_named(stored: bytes, name: str, codec: Codec) -> Table:
    """Return the table that is stored as `stored` under `name`.

    Raises:
        Malformed: it is not whole, or not the one of that name.
    """
    found, table = unseal(stored, codec)
    if found != name:
        raise Malformed("a table is not the one of its name")
    return table


def tiled(table: Table, header_bytes: int, end: int) -> None:
    """Return where blocks fill a pack from its header to `end`, and objects their blocks, without gap or overlap.

    Raises:
        Malformed: they do not.
    """
    at = header_bytes
    for offset, stored in sorted(zip(table.block_offsets, table.block_stored, strict=True)):
        if offset != at:
            raise Malformed("blocks leave a gap or overlap")
        at += stored
    if at != end:
        raise Malformed("blocks do not end where the table begins")
    filled = [0] * len(table.block_raw)
    for block, start, length in sorted(zip(table.blocks, table.starts, table.lengths, strict=True)):
        # Objects without a byte lie anywhere; there is one at most.
        if start != filled[block] and length:
            raise Malformed("objects leave a gap or overlap")
        filled[block] += length
    if filled != list(table.block_raw):
        raise Malformed("objects do not fill their blocks")
    keys = table.keys()
    if any(not before < after for before, after in pairwise(keys)):
        raise Malformed("digests are not in order")
