"""Pack files: a header, blocks back to back, the table of what they hold, and where it begins."""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from claude_code_mcp.platform.blobs import tables
from claude_code_mcp.platform.blobs.backend import Backend, Staged
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.errors import Malformed
from claude_code_mcp.platform.blobs.tables import Table

HEADER = b"CCMPACK\n" + struct.pack("<II", 1, 0)
FOOTER = struct.Struct("<QII8s")
_END = b"CCMDONE\n"
_SUFFIX = ".pack"
_TAIL_BYTES = 64 * 1024
"""Read at once from the end: the table of a small pack comes with its footer."""

Entry = tuple[bytes, int, int]
"""Digest, start in the block, length."""


def file_name(pack: str) -> str:
    """Return the name of the file of `pack`."""
    return pack + _SUFFIX


def pack_name(file: str) -> str | None:
    """Return the pack that a file of this name holds; None for a name that is none of ours."""
    stem = file.removesuffix(_SUFFIX)
    return stem if stem != file and len(stem) == 64 and not set(stem) - set("0123456789abcdef") else None


@dataclass(slots=True)
class PackBuilder:
    """One pack on its way to the disk. Not for several threads at once."""

    staged: Staged
    codec: Codec
    blocks: list[tuple[int, int, int, int]] = field(default_factory=list)
    entries: list[tuple[bytes, int, int, int]] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """How much of it is written."""
        return self.staged.size_bytes

    def add(self, frame: bytes, raw_bytes: int, entries: list[Entry]) -> None:
        """Append a block that holds `entries`."""
        if not self.blocks:
            self.staged.write(HEADER)
        number = len(self.blocks)
        self.blocks.append((0, self.staged.size_bytes, len(frame), raw_bytes))
        self.entries += [(digest, number, start, length) for digest, start, length in entries]
        self.staged.write(frame)

    def seal(self, note: bytes = b"") -> tuple[str, Table]:
        """Write the table; return the name that the pack must get, and its table under that name."""
        if not self.blocks:
            self.staged.write(HEADER)
        table = tables.build([(tables.OWN.hex(), 0)], self.blocks, self.entries, note)
        name, stored = tables.seal(table, os.urandom(16), self.codec)
        at = self.staged.size_bytes
        self.staged.write(stored + FOOTER.pack(at, len(stored), 0, _END))
        return name, named(table, name, self.staged.size_bytes)


def named(table: Table, name: str, size_bytes: int) -> Table:
    """Return the table of one pack with that pack's name and size in it."""
    return tables.build_like(table, (name,), (size_bytes,))


def read_table(backend: Backend, pack: str, size_bytes: int, codec: Codec) -> Table:
    """Return the table at the end of `pack`.

    Raises:
        Malformed: it is not whole, or not the one of this name.
        OSError: the place would not serve.
    """
    name, table = read_any_table(partial(backend.get_range, "packs", file_name(pack)), size_bytes, codec)
    if name != pack or table.packs != (tables.OWN.hex(),):
        raise Malformed("the table is the one of another pack")
    return named(table, pack, size_bytes)


Get = Callable[[int, int], bytes]
"""Returns bytes of a file, by start and length."""


def read_any_table(get: Get, size_bytes: int, codec: Codec) -> tuple[str, Table]:
    """Return the table at the end of a file of this size, and the name that it must have.

    Raises:
        Malformed: it is not whole.
    """
    if size_bytes < len(HEADER) + FOOTER.size:
        raise Malformed("the file is cut off")
    tail = get(max(0, size_bytes - _TAIL_BYTES), _TAIL_BYTES)
    at, length = _footer(tail[-FOOTER.size :], size_bytes)
    if length + FOOTER.size <= len(tail):
        stored = tail[len(tail) - FOOTER.size - length : len(tail) - FOOTER.size]
    else:
        stored = get(at, length)
    return tables.unseal(stored, codec)


def _footer(footer: bytes, size_bytes: int) -> tuple[int, int]:
    if len(footer) != FOOTER.size:
        raise Malformed("the file is cut off")
    at, length, zero, end = FOOTER.unpack(footer)
    if end != _END or zero or at < len(HEADER) or at + length + FOOTER.size != size_bytes:
        raise Malformed("the end of the file is none of a pack")
    return at, length


def check_ends(get: Get, size_bytes: int, table: Table) -> None:
    """Return where everything of a file beside its blocks is as it was written.

    Raises:
        Malformed: it is not.
    """
    if get(0, len(HEADER)) != HEADER:
        raise Malformed("the header is none of a pack")
    at, _ = _footer(get(size_bytes - FOOTER.size, FOOTER.size), size_bytes)
    tables.tiled(table, len(HEADER), at)
