"""Objects on the way from store to store, in one file: a pack with a note, believed only when all of it is right."""

import hashlib
import os
import secrets
import stat
import threading
from pathlib import Path

from claude_code_mcp.platform.blobs import tables
from claude_code_mcp.platform.blobs.backend import Room
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.errors import ImportRefused, Malformed, ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.guarding import told
from claude_code_mcp.platform.blobs.objects import Faults, Imported, Wanted
from claude_code_mcp.platform.blobs.packs import Entry, PackBuilder, check_ends, read_any_table
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.blobs.tables import Table
from claude_code_mcp.platform.blobs.writing import BLOCK_BYTES, Writer
from claude_code_mcp.platform.files.atomic import remove_abandoned, sync_directory

NOTE_BYTES = 1024 * 1024
"""A note is no longer."""

LIMIT_BYTES = 1 << 36
"""An import that expands to more is refused unless more is allowed (64 GiB)."""


class _OutFile:
    """A file beside its target, renamed over it when it is whole."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path: Path | None = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.ccmtmp")
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._size = 0

    @property
    def size_bytes(self) -> int:
        return self._size

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]
        self._size += len(data)

    def publish(self, room: Room, name: str) -> bool:
        """Give it its name; neither room nor name of a pack matter here."""
        del room, name
        if self._path is None:
            raise ValueError("it was published or discarded before")
        os.fsync(self._fd)
        self._path.rename(self._target)
        path, self._path = self._path, None
        os.close(self._fd)
        sync_directory(path.parent)
        return True

    def discard(self) -> None:
        if self._path is not None:
            path, self._path = self._path, None
            os.close(self._fd)
            path.unlink(missing_ok=True)


def export_to(target: Path, reader: Reader, wanted: Wanted, note: bytes, codec: Codec) -> int:
    """Write everything in `wanted`, lists with their chunks, into one file; return its size.

    Raises:
        ValueError: the note is too long.
        ObjectMissing, ObjectDamaged: something cannot be had; there is no file then.
        BlobsUnavailable: the disk of `target` would not serve.
    """
    if len(note) > NOTE_BYTES:
        raise ValueError(f"a note has at most {NOTE_BYTES} bytes")
    digests = {*wanted.objects, *wanted.lists}
    for one in wanted.lists:
        digests.update(chunk.digest for chunk in reader.chunks(one))
    with told(f"write {target}"):
        remove_abandoned(target)
        out = _OutFile(target)
    try:
        packer = _Packer(PackBuilder(out, codec), codec)
        faults = reader.each(digests, packer.take)
        _refuse(faults)
        with told(f"write {target}"):
            packer.flush()
            packer.builder.seal(note)
            out.publish("packs", "")
        return out.size_bytes
    finally:
        out.discard()


def _refuse(faults: Faults) -> None:
    if faults.missing:
        raise ObjectMissing(
            f"{len(faults.missing)} objects are not in the store, {faults.missing[0].hex()} among them.",
            remedy="Nothing was exported. Verify the store with repair, or export something else.",
            digests=[digest.hex() for digest in faults.missing[:100]],
        )
    if faults.damaged:
        raise ObjectDamaged(
            f"{len(faults.damaged)} objects are damaged, {faults.damaged[0].hex()} among them.",
            remedy="Nothing was exported. Verify the store with repair, or export something else.",
            digests=[digest.hex() for digest in faults.damaged[:100]],
        )


class _Packer:
    """Gathers objects into blocks, as they come, from any thread."""

    def __init__(self, builder: PackBuilder, codec: Codec) -> None:
        self.builder = builder
        self._codec = codec
        self._lock = threading.Lock()  # guards the block that is being gathered, and the builder
        self._parts: list[bytes] = []
        self._entries: list[Entry] = []
        self._size = 0

    def take(self, digest: bytes, data: bytes) -> None:
        with self._lock:
            if self._parts and self._size + len(data) > BLOCK_BYTES:
                self.flush()
            self._entries.append((digest, self._size, len(data)))
            self._parts.append(data)
            self._size += len(data)

    def flush(self) -> None:
        if self._entries:
            raw = b"".join(self._parts)
            with told("write an export"):
                self.builder.add(self._codec.pack(raw), len(raw), self._entries)
            self._parts, self._entries, self._size = [], [], 0


def import_from(source: Path, writer: Writer, codec: Codec, limit_bytes: int) -> Imported:
    """Check the whole of an export, put its objects, commit, and return what it held.

    Raises:
        ImportRefused: it is no whole, honest export, or expands to more than `limit_bytes`; nothing was taken in.
        BlobsUnavailable: a disk would not serve; nothing was taken in.
    """
    try:
        with told(f"read {source}", may_be_absent=True):
            fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _refused(source, "there is no such file") from None
    try:
        table = _table(fd, _size(fd), codec, limit_bytes)
        _put(fd, table, writer, codec)
        return Imported(table.note, tuple(table.keys()), writer.commit().objects)
    except Malformed as exc:
        raise _refused(source, str(exc)) from None
    finally:
        os.close(fd)


def _refused(source: Path, why: str) -> ImportRefused:
    return ImportRefused(
        f"{source} is no export that can be taken in: {why}.",
        remedy="Nothing was taken in. Export it again where it came from.",
        path=str(source),
    )


def _size(fd: int) -> int:
    with told("read an export"):
        info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        raise Malformed("it is no regular file")
    return info.st_size


def _range(fd: int, start: int, length: int) -> bytes:
    with told("read an export"):
        return os.pread(fd, length, start)


def _table(fd: int, size_bytes: int, codec: Codec, limit_bytes: int) -> Table:
    def get(start: int, length: int) -> bytes:
        return _range(fd, start, length)

    _, table = read_any_table(get, size_bytes, codec)
    if table.packs != (tables.OWN.hex(),) or len(table.note) > NOTE_BYTES:
        raise Malformed("its table is none of an export")
    check_ends(get, size_bytes, table)
    if sum(table.block_raw) > limit_bytes:
        raise Malformed(f"it expands to more than {limit_bytes} bytes")
    return table


def _put(fd: int, table: Table, writer: Writer, codec: Codec) -> None:
    held: list[list[tuple[bytes, int, int]]] = [[] for _ in table.block_raw]
    for key, block, start, length in zip(table.keys(), table.blocks, table.starts, table.lengths, strict=True):
        held[block].append((key, start, length))
    for block, objects in enumerate(held):
        frame = _range(fd, table.block_offsets[block], table.block_stored[block])
        raw = codec.unpack(frame, table.block_raw[block])
        for digest, start, length in sorted(objects, key=lambda one: one[1]):
            data = raw[start : start + length]
            if hashlib.sha256(data).digest() != digest:
                raise Malformed(f"object {digest.hex()} has other bytes than its name says")
            writer.put(data)
