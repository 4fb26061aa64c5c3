"""What is not believed: lengths that frames and tables claim."""

import hashlib
import os
import resource
import struct

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.blobs import tables
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.errors import Malformed
from claude_code_mcp.platform.blobs.objects import OBJECT_BYTES

CODEC = Codec()
DIGESTS = st.binary(min_size=32, max_size=32)


def bomb(size: int, *, told: bool) -> bytes:
    maker = zstandard.ZstdCompressor(level=3, write_content_size=told)
    if told:
        return maker.compress(bytes(size))
    stream = maker.compressobj()
    return b"".join(stream.compress(bytes(1 << 20)) for _ in range(size >> 20)) + stream.flush()


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("told", [True, False])
def test_a_bomb_is_refused_before_it_takes_memory(told: bool) -> None:
    frame = bomb(512 << 20, told=told)
    assert len(frame) < 100_000
    bombed = peak_kb()
    for claim in (1000, OBJECT_BYTES, 512 << 20):
        with pytest.raises(Malformed):
            CODEC.unpack(frame, claim)
    assert peak_kb() - bombed < 64 * 1024


def test_a_frame_that_holds_more_or_less_than_it_claims_is_refused() -> None:
    frame = bytearray(CODEC.pack(b"a" * 300))
    assert CODEC.unpack(bytes(frame), 300) == b"a" * 300
    for claim in (0, 299, 301):
        with pytest.raises(Malformed):
            CODEC.unpack(bytes(frame), claim)
    for lie in (299, 301, 5000):
        forged = bytearray(frame)
        forged[5:7] = struct.pack("<H", lie - 256)
        with pytest.raises(Malformed):
            CODEC.unpack(bytes(forged), lie)
    with pytest.raises(Malformed):
        CODEC.unpack(bytes(frame) + b"more", 300)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_noise_is_no_frame(data: bytes, claim: int) -> None:
    with pytest.raises(Malformed):
        CODEC.unpack(data, claim)


@given(
    st.lists(st.tuples(DIGESTS, st.integers(0, 2), st.integers(0, 100), st.integers(0, 100)), max_size=30),
    st.binary(max_size=50),
)
def test_a_table_says_after_storing_what_it_said_before(
    entries: list[tuple[bytes, int, int, int]], note: bytes
) -> None:
    packs = [("ab" * 32, 1000), ("cd" * 32, 2000)]
    table = tables.build(packs, [(0, 16, 10, 200), (1, 16, 10, 200), (1, 26, 10, 200)], entries, note)
    name, stored = tables.seal(table, os.urandom(16), CODEC)
    again = tables.unseal_named(stored, name, CODEC)
    assert again == table
    assert len(again) == len(entries)
    for number, digest in enumerate(again.keys()):
        assert again.keys()[again.find(digest)] == digest
        assert again.place(number).pack in {"ab" * 32, "cd" * 32}
    with pytest.raises(Malformed):
        tables.unseal_named(stored, "ef" * 32, CODEC)
    less = tables.without(table, {"cd" * 32})
    assert less.keys() == [one for one, block, _, _ in sorted(entries) if block == 0]
    both = tables.merge([less, tables.without(table, {"ab" * 32})])
    assert sorted(both.keys()) == sorted(table.keys())


@given(st.binary(max_size=300))
def test_noise_is_no_table(data: bytes) -> None:
    with pytest.raises(Malformed):
        tables.unseal(data, CODEC)
    with pytest.raises(Malformed):
        tables.decode(data)
    stored = struct.pack("<II", len(data), len(frame := CODEC.pack(data))) + frame
    with pytest.raises(Malformed):
        tables.unseal_named(stored, hashlib.sha256(data).hexdigest(), CODEC)


def test_a_table_that_is_a_bomb_is_refused_before_it_takes_memory() -> None:
    frame = bomb(512 << 20, told=True)
    before = peak_kb()
    with pytest.raises(Malformed):
        tables.unseal(struct.pack("<II", 512 << 20, len(frame)) + frame, CODEC)
    assert peak_kb() - before < 64 * 1024


def table(blocks: list[tuple[int, int, int, int]], entries: list[tuple[bytes, int, int, int]]) -> tables.Table:
    return tables.build([("ab" * 32, 0)], blocks, entries)


A, B = b"a" * 32, b"b" * 32


@pytest.mark.parametrize(
    ("blocks", "entries"),
    [
        ([(0, 17, 10, 5)], [(A, 0, 0, 5)]),  # a gap before the first block
        ([(0, 16, 9, 5)], [(A, 0, 0, 5)]),  # a gap behind the last
        ([(0, 16, 10, 5)], [(A, 0, 0, 4)]),  # a byte that is no object's
        ([(0, 16, 10, 5)], [(A, 0, 1, 5)]),  # an object that reaches over the end
        ([(0, 16, 10, 5)], [(A, 0, 0, 5), (B, 0, 0, 5)]),  # two objects of the same bytes: a way to expand
        ([(0, 16, 10, 5)], [(A, 0, 0, 5), (A, 0, 5, 0)]),  # one object twice
        ([(0, 16, 5, 5), (0, 18, 8, 5)], [(A, 0, 0, 5), (B, 1, 0, 5)]),  # blocks that overlap
    ],
)
def test_blocks_and_objects_must_lie_side_by_side(
    blocks: list[tuple[int, int, int, int]], entries: list[tuple[bytes, int, int, int]]
) -> None:
    with pytest.raises(Malformed):
        tables.tiled(table(blocks, entries), 16, 26)
    tables.tiled(table([(0, 16, 10, 5)], [(A, 0, 0, 5), (B, 0, 5, 0)]), 16, 26)


def test_a_table_that_points_outside_itself_or_has_huge_blocks_is_refused() -> None:
    for blocks, entries in (
        ([(1, 16, 10, 5)], []),
        ([(0, 16, 10, 5)], [(A, 1, 0, 5)]),
        ([(0, 16, 10, OBJECT_BYTES + 1)], [(A, 0, 0, 5)]),
        ([(0, 16, 2 * OBJECT_BYTES + 1, 5)], [(A, 0, 0, 5)]),
    ):
        with pytest.raises(Malformed):
            tables.decode(tables.encode(table(blocks, entries), bytes(16)))
