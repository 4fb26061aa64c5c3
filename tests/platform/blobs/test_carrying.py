"""Exports are one file that another store takes in, all of it or nothing."""

import hashlib
import os
import random
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_code_mcp.platform.blobs import tables
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.errors import BlobsUnavailable, ImportRefused, ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.objects import BIG_BYTES, OBJECT_BYTES, Wanted
from claude_code_mcp.platform.blobs.packs import FOOTER, HEADER
from claude_code_mcp.platform.blobs.store import Store
from tests.platform.blobs.content import content, digest_of, keep, keep_stream, packs_of, read_all, some

CODEC = Codec()
Blocks = list[tuple[int, int, int, int]]
Entries = list[tuple[bytes, int, int, int]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "blobs")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tmp_path / "some.export"


def test_what_was_exported_is_in_the_other_store_with_its_note_and_its_chunks(
    store: Store, export: Path, tmp_path: Path
) -> None:
    contents = some(100)
    digests = keep(store, contents)
    big = random.Random(7).randbytes(BIG_BYTES + 5000)
    ref = keep_stream(store, big)
    size = store.export_to(export, Wanted(digests[:50], [ref.digest]), b"these are fifty files")
    assert export.stat().st_size == size
    assert export.stat().st_mode & 0o777 == 0o600
    other = Store.open(tmp_path / "other")
    keep(other, contents[:10])
    taken = other.import_from(export)
    assert taken.note == b"these are fifty files"
    with store.reader() as reader:
        chunks = {chunk.digest for chunk in reader.chunks(ref.digest)}
    assert set(taken.digests) == {*digests[:50], ref.digest, *chunks}
    assert taken.added == 41 + len(chunks)
    assert read_all(other, digests[:50]) == contents[:50]
    with other.reader() as reader:
        assert content(reader, ref) == big
    assert other.verify().whole
    assert other.import_from(export).added == 0


def test_an_export_of_nothing_is_taken_in(store: Store, export: Path, tmp_path: Path) -> None:
    store.export_to(export, Wanted([]), b"")
    assert store.import_from(export).digests == ()


def test_an_export_replaces_what_was_there_only_when_it_is_whole(store: Store, export: Path, tmp_path: Path) -> None:
    export.write_text("older")
    digests = keep(store, some(3))
    with pytest.raises(ObjectMissing, match=digest_of(b"absent").hex()):
        store.export_to(export, Wanted([*digests, digest_of(b"absent")]))
    (pack,) = packs_of(tmp_path / "blobs")
    good = pack.read_bytes()
    pack.write_bytes(good[:30] + bytes([good[30] ^ 1]) + good[31:])
    with pytest.raises(ObjectDamaged):
        store.export_to(export, Wanted(digests))
    assert export.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "some.export"]
    with pytest.raises(BlobsUnavailable):
        store.export_to(tmp_path / "no" / "such" / "place", Wanted([]))
    with pytest.raises(ValueError, match="note"):
        store.export_to(export, Wanted([]), bytes(2 << 20))


def refused(store: Store, export: Path, data: bytes, **more: int) -> str:
    """Have the import of `data` refused; return why."""
    before = store.usage()
    export.write_bytes(data)
    with pytest.raises(ImportRefused) as caught:
        store.import_from(export, **more)
    assert store.usage() == before
    return caught.value.message


def test_an_export_with_one_bit_flipped_or_cut_anywhere_is_refused_whole(store: Store, export: Path) -> None:
    store.export_to(export, Wanted(keep(store, some(20))), b"note")
    good = export.read_bytes()
    other = Store.open(export.parent / "other")
    chance = random.Random(2)
    for at in {0, 9, 15, len(good) - 1, len(good) - 10, *chance.sample(range(len(good)), 60)}:
        refused(other, export, good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
        refused(other, export, good[:at])
    refused(other, export, good + b"x")
    refused(other, export, b"")
    export.write_bytes(good)
    assert other.import_from(export).added == 20


def forge(blocks: list[bytes], entries: Entries, *, raw: list[int] | None = None, packs: int = 1) -> bytes:
    """Return an export with frames and a table of the forger's choice, and everything else as it should be."""
    at, listed = len(HEADER), Blocks()
    for number, frame in enumerate(blocks):
        listed.append((0, at, len(frame), raw[number] if raw else 0))
        at += len(frame)
    table = tables.build([(tables.OWN.hex(), 0)] * packs, listed, entries)
    _, stored = tables.seal(table, bytes(16), CODEC)
    return HEADER + b"".join(blocks) + stored + FOOTER.pack(at, len(stored), 0, b"CCMDONE\n")


def test_what_an_export_claims_is_not_believed(store: Store, export: Path) -> None:
    data = b"some content"
    frame = CODEC.pack(data)
    honest = (hashlib.sha256(data).digest(), 0, 0, len(data))
    export.write_bytes(forge([frame], [honest], raw=[len(data)]))
    assert store.import_from(export).added == 1
    lie = (b"\1" * 32, 0, 0, len(data))
    assert "other bytes" in refused(store, export, forge([frame], [lie], raw=[len(data)]))
    assert "overlap" in refused(store, export, forge([frame], [honest, lie], raw=[len(data)]))
    assert "length" in refused(store, export, forge([frame], [(b"\1" * 32, 0, 0, 500)], raw=[500]))
    assert "limit" in refused(store, export, forge([frame], [], raw=[OBJECT_BYTES + 1]))
    assert "outside" in refused(store, export, forge([frame], [(b"\1" * 32, 7, 0, 1)], raw=[len(data)]))
    refused(store, export, forge([frame], [honest], raw=[len(data)], packs=2))
    refused(store, export, forge([b"no frame at all"], [honest], raw=[len(data)]))


def test_an_export_that_expands_too_much_is_refused_before_anything_is_expanded(store: Store, export: Path) -> None:
    frame = CODEC.pack(bytes(OBJECT_BYTES))
    entries: Entries = [(bytes([number]) * 32, number, 0, OBJECT_BYTES) for number in range(100)]
    data = forge([frame] * 100, entries, raw=[OBJECT_BYTES] * 100)
    assert len(data) < 300_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "expands" in refused(store, export, data, limit_bytes=1 << 30)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024


def test_what_is_no_file_of_ours_is_refused(store: Store, tmp_path: Path) -> None:
    other = tmp_path / "other"
    makers: list[Callable[[], None]] = [other.mkdir, lambda: os.mkfifo(other), lambda: None]
    for make in makers:
        make()
        with pytest.raises(ImportRefused):
            store.import_from(other)
        if other.is_dir():
            other.rmdir()
        else:
            other.unlink(missing_ok=True)
    (tmp_path / "an.tar").write_bytes(b"../../etc/passwd".ljust(512, b"\0") + struct.pack("<Q", 1) * 100)
    with pytest.raises(ImportRefused):
        store.import_from(tmp_path / "an.tar")


def test_a_pack_of_a_store_is_itself_an_export(store: Store, tmp_path: Path) -> None:
    digests = keep(store, some(10))
    (pack,) = packs_of(tmp_path / "blobs")
    other = Store.open(tmp_path / "other")
    assert set(other.import_from(pack).digests) == set(digests)
    assert read_all(other, digests) == some(10)
