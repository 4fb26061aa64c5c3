"""What is put is got, whoever looks, however it was put."""

import hashlib
import io
import random
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_code_mcp.platform.blobs.chunks import LARGEST, SMALLEST, decode_list, encode_list
from claude_code_mcp.platform.blobs.errors import Malformed, ObjectMissing, ObjectTooLarge
from claude_code_mcp.platform.blobs.objects import BIG_BYTES, OBJECT_BYTES, Committed, Ref, Wanted
from claude_code_mcp.platform.blobs.store import Store
from tests.platform.blobs.content import content, digest_of, keep, keep_stream, packs_of, read_all, some
from tests.platform.blobs.memory import MemoryBackend


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "blobs")


@settings(max_examples=40)
@given(st.lists(st.lists(st.binary(max_size=300) | st.just(b"x" * 300_000), max_size=12), max_size=4))
def test_everything_that_was_put_in_any_order_is_got_byte_for_byte(rounds: list[list[bytes]]) -> None:
    backend = MemoryBackend()
    kept: set[bytes] = set()
    for contents in rounds:
        assert keep(Store(backend), contents) == [digest_of(data) for data in contents]
        kept.update(contents)
    other = Store(backend)
    assert read_all(other, [digest_of(data) for data in kept]) == list(kept)
    assert other.verify().whole
    assert other.usage().objects == len(kept)


def test_an_object_is_named_by_the_sha256_of_its_bytes_and_stored_once(store: Store, tmp_path: Path) -> None:
    first = keep(store, [b"", b"one", b"one"])
    assert [digest.hex() for digest in first[:2]] == [
        hashlib.sha256(b"").hexdigest(),
        hashlib.sha256(b"one").hexdigest(),
    ]
    assert len(packs_of(tmp_path / "blobs")) == 1
    keep(store, [b"one", b""])
    keep(Store.open(tmp_path / "blobs"), [b"one"])
    assert len(packs_of(tmp_path / "blobs")) == 1
    assert read_all(store, first) == [b"", b"one", b"one"]


def test_a_batch_is_read_on_threads_and_answered_in_the_order_of_its_sources(store: Store) -> None:
    contents = dict(enumerate(some(3000, most=9000)))
    callers = set()

    def read(number: int) -> bytes | None:
        callers.add(threading.get_ident())
        return contents[number] if number % 10 else None

    with store.writer() as writer:
        digests = writer.put_all(((number, len(data)) for number, data in contents.items()), read)
        done = writer.commit()
    assert digests == [digest_of(data) if number % 10 else None for number, data in contents.items()]
    assert done.objects == 2700
    assert 0 < len(callers) <= 2
    got: dict[bytes, bytes] = {}
    with store.reader() as reader:
        assert reader.each([one for one in digests if one], got.__setitem__).none
        assert all(got[digest_of(data)] == data for number, data in contents.items() if number % 10)
        assert reader.check([one for one in digests if one]).none


def test_nothing_is_there_before_the_commit_and_nothing_of_what_was_not_committed(store: Store, tmp_path: Path) -> None:
    with store.writer() as writer:
        digest = writer.put(b"never committed")
        assert not store.has(digest)
    assert not store.has(digest)
    assert [path.name for path in (tmp_path / "blobs" / "staging").iterdir()] == []
    with store.writer() as writer:
        assert writer.commit() == Committed()


def test_one_writer_may_commit_many_times(store: Store) -> None:
    with store.writer() as writer:
        first = writer.put(b"first")
        assert writer.commit().objects == 1
        assert store.has(first)
        second = writer.put(b"second")
        writer.put(b"first")
        assert writer.commit().objects == 1
    assert read_all(store, [first, second]) == [b"first", b"second"]


def test_what_is_missing_is_told_for_many_at_once(store: Store) -> None:
    digests = keep(store, some(50))
    absent = [digest_of(b"%d" % number) for number in range(5)]
    assert store.missing([*absent[:3], *digests, *absent[3:]]) == absent
    assert store.locate(absent[0]) is None
    with store.reader() as reader:
        assert set(reader.each([*digests, *absent]).missing) == set(absent)
        assert set(reader.check([*digests, *absent]).missing) == set(absent)
        with pytest.raises(ObjectMissing, match=absent[0].hex()):
            reader.read(absent[0])


def test_a_failed_read_of_a_source_ends_the_batch_and_nothing_of_it_can_be_committed_by_mistake(store: Store) -> None:
    def read(number: int) -> bytes:
        if number == 700:
            return b"x" * (OBJECT_BYTES + 1)
        return b"%d" % number

    with store.writer() as writer:
        with pytest.raises(ObjectTooLarge):
            writer.put_all(((number, 10) for number in range(1000)), read)
        with pytest.raises(ValueError, match="a put has failed"):
            writer.commit()
    assert store.usage().objects == 0


def test_one_object_has_at_most_16_mib(store: Store) -> None:
    with store.writer() as writer, pytest.raises(ObjectTooLarge):
        writer.put(bytes(OBJECT_BYTES + 1))


@pytest.mark.parametrize("size", [0, 1, BIG_BYTES - 1, BIG_BYTES, BIG_BYTES + 1, 3 * BIG_BYTES + 12345])
def test_a_stream_of_any_size_comes_back(store: Store, size: int) -> None:
    data = random.Random(size).randbytes(size)
    ref = keep_stream(store, data)
    assert ref.size == size
    assert ref.chunked == (size > BIG_BYTES)
    if not ref.chunked:
        assert ref.digest == digest_of(data)
    with store.reader() as reader:
        assert content(reader, ref) == data


def test_a_stream_that_trickles_gives_the_same_chunks_and_an_insertion_few_new_ones(store: Store) -> None:
    data = random.Random(5).randbytes(30_000_000)
    ref = keep_stream(store, data)
    with store.writer() as writer:
        pieces = io.BytesIO(data)
        assert writer.put_stream(lambda most: pieces.read(min(most, 77_777))) == ref
        inserted = writer.put_stream(io.BytesIO(data[:15_000_000] + b"!" + data[15_000_000:]).read)
        done = writer.commit()
    assert inserted != ref
    assert done.raw_bytes < 2 * LARGEST + 100_000
    with store.reader() as reader:
        sizes = [chunk.size for chunk in reader.chunks(ref.digest)]
    assert sum(sizes) == 30_000_000
    assert max(sizes) <= LARGEST
    assert min(sizes[:-1]) >= SMALLEST


def test_a_file_that_looks_like_a_list_of_chunks_is_a_file(store: Store) -> None:
    data = random.Random(6).randbytes(BIG_BYTES * 2)
    listed = keep_stream(store, data)
    (body,) = read_all(store, [listed.digest])
    assert keep(store, [body]) == [listed.digest]
    with store.reader() as reader:
        assert content(reader, Ref(listed.digest, len(body), chunked=False)) == body
        assert content(reader, listed) == data
    other = Store(MemoryBackend())
    assert keep(other, [body]) == [listed.digest]
    assert keep_stream(other, data) == listed
    other.gc(lambda: Wanted([], [listed.digest]), grace_s=0)
    with other.reader() as reader:
        assert content(reader, listed) == data


def test_lists_that_are_none_are_refused() -> None:
    good = encode_list([])
    assert decode_list(good) == []
    for bad in (b"", good[:-1], good + b"x", b"x" + good[1:], good[:8] + b"\1" + good[9:]):
        with pytest.raises(Malformed):
            decode_list(bad)


def test_what_take_raises_ends_the_reading_and_is_raised(store: Store) -> None:
    digests = keep(store, some(400, most=60_000))

    def take(digest: bytes, data: bytes) -> None:
        raise PermissionError(13, "not into this tree")

    with store.reader() as reader, pytest.raises(PermissionError, match="not into this tree"):
        reader.each(digests, take)


def test_a_store_of_many_packs_merges_its_tables_and_opens_with_one(store: Store, tmp_path: Path) -> None:
    digests = [keep(store, [b"round %d" % number])[0] for number in range(70)]
    assert 1 <= len(list((tmp_path / "blobs" / "index").iterdir())) <= 3
    again = Store.open(tmp_path / "blobs")
    assert again.missing(digests) == []
    assert read_all(again, digests) == [b"round %d" % number for number in range(70)]
    again.gc(lambda: Wanted(digests), grace_s=0)
    for path in (tmp_path / "blobs" / "index").iterdir():
        path.unlink()
    assert Store.open(tmp_path / "blobs").missing(digests) == []


def test_a_large_table_is_searched_in_place(tmp_path: Path) -> None:
    store = Store(MemoryBackend())
    with store.writer() as writer:
        put = writer.put_all(((number, 4) for number in range(70_000)), lambda number: number.to_bytes(4, "big"))
        writer.commit()
    digests = [digest for digest in put if digest is not None]
    other = [number.to_bytes(5, "big") for number in range(100)]
    keep(store, other)
    assert store.missing([*digests[::50], digest_of(b"absent"), digest_of(other[3])]) == [digest_of(b"absent")]
    assert read_all(store, digests[::7000]) == [number.to_bytes(4, "big") for number in range(0, 70_000, 7000)]
    assert store.gc(lambda: Wanted(set(digests)), grace_s=0).packs_deleted == 1
    assert store.usage().objects == 70_000


def test_usage_tells_how_much_of_the_store_is_for_what(store: Store) -> None:
    first = keep(store, some(100, seed=1))
    keep(store, some(300, seed=2))
    usage = store.usage(Wanted(first))
    assert (usage.packs, usage.objects, usage.wanted_objects) == (2, 400, 100)
    assert 0 < usage.wanted_stored_bytes < usage.stored_bytes
    assert 0 < usage.wanted_raw_bytes < usage.raw_bytes


def test_the_store_is_ours_alone(tmp_path: Path, store: Store) -> None:
    keep(store, [b"secret"])
    for path in [tmp_path / "blobs", *(tmp_path / "blobs").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
