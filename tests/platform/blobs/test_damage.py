"""What is flipped, cut, emptied or swapped in a store is named, harms nothing else, and is healed by its content."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.platform.blobs.errors import BlobsUnavailable, ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.objects import BIG_BYTES, Wanted
from claude_code_mcp.platform.blobs.packs import FOOTER, HEADER
from claude_code_mcp.platform.blobs.store import Store
from tests.platform.blobs.content import content, digest_of, keep, keep_stream, packs_of, read_all, some
from tests.platform.blobs.memory import MemoryBackend

ONE, TWO = some(40, seed=1), some(40, seed=2)
ALL = {digest_of(data): data for data in (*ONE, *TWO)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of two packs of forty objects each."""
    store = Store.open(tmp_path / "blobs")
    keep(store, ONE)
    keep(store, TWO)
    return tmp_path / "blobs"


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 0x10
    file.write_bytes(data)


def whole(path: Path) -> set[bytes]:
    """Return what can be read, none of it wrong, and the same by every way of reading."""
    store = Store.open(path)
    got: dict[bytes, bytes] = {}
    with store.reader() as reader:
        faults = reader.each(ALL, got.__setitem__)
        for digest in (*faults.missing, *faults.damaged):
            with pytest.raises((ObjectMissing, ObjectDamaged)):
                reader.read(digest)
        checked = reader.check(ALL)
    assert {*checked.missing, *checked.damaged} == {*faults.missing, *faults.damaged} == ALL.keys() - got.keys()
    assert all(ALL[digest] == data for digest, data in got.items())
    return set(got)


def heal(path: Path) -> None:
    """Put everything again, and see that everything is there."""
    store = Store.open(path)
    keep(store, ALL.values())
    assert whole(path) == ALL.keys()
    assert Store.open(path).verify(Wanted(ALL)).whole
    store.gc(lambda: Wanted(ALL), grace_s=0)
    assert whole(path) == ALL.keys()


def test_a_flipped_bit_anywhere_in_a_pack_is_found_and_the_other_pack_is_not_touched(path: Path) -> None:
    first, second = packs_of(path)
    store = Store.open(path)
    held = {pack: {digest for digest in ALL if _pack(store, digest) == pack.stem} for pack in (first, second)}
    size = first.stat().st_size
    chance = random.Random(3)
    places = {0, 9, 15, 16, size - 1, size - 9, size - 20, size - FOOTER.size - 1, *chance.sample(range(size), 40)}
    good = first.read_bytes()
    for at in sorted(places):
        flip(first, at)
        for mark in (path / "marks").iterdir():
            mark.unlink()
        verified = Store.open(path).verify(Wanted(ALL))
        assert verified.damages, at
        assert {damage.pack for damage in verified.damages} == {first.stem}, at
        assert whole(path) >= held[second], at
        assert (verified.lost | verified.missing) == ALL.keys() - whole(path), at
        first.write_bytes(good)
    verified = Store.open(path).verify(Wanted(ALL))
    assert (verified.damages, verified.objects, verified.whole) == ((), 80, True)
    assert list((path / "marks").iterdir()) == []


def _pack(store: Store, digest: bytes) -> str:
    place = store.locate(digest)
    assert place is not None
    return place.pack


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"more")


def replace_by_noise(file: Path) -> None:
    file.write_bytes(random.Random(4).randbytes(file.stat().st_size))


def remove(file: Path) -> None:
    file.unlink()


def flip_block(file: Path) -> None:
    flip(file, len(HEADER) + 40)


def flip_table(file: Path) -> None:
    flip(file, file.stat().st_size - FOOTER.size - 40)


HARMS = [cut, halve, empty, lengthen, replace_by_noise, remove, flip_block, flip_table]


@pytest.mark.parametrize("indexed", [False, True], ids=["alone", "with an index file"])
@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_pack_costs_nothing_else_and_putting_the_content_again_heals_it(
    path: Path, harm: Callable[[Path], None], indexed: bool
) -> None:
    if indexed:
        keep(Store.open(path), [b"gone"])
        Store.open(path).gc(lambda: Wanted(ALL), grace_s=0)
        assert list((path / "index").iterdir())
    first, second = packs_of(path)
    others = {digest for digest in ALL if _pack(Store.open(path), digest) == second.stem}
    running = Store.open(path)
    assert running.missing(ALL) == []
    harm(first)
    assert whole(path) >= others
    verified = running.verify(Wanted(ALL))
    assert verified.lost | verified.missing == ALL.keys() - whole(path)
    heal(path)
    assert running.missing(ALL) == []
    assert read_all(running, list(ALL)) == list(ALL.values())


@pytest.mark.parametrize("harm", HARMS)
def test_repair_asks_for_what_is_lost_and_stores_it_again(path: Path, harm: Callable[[Path], None]) -> None:
    harm(packs_of(path)[0])
    store = Store.open(path)
    asked: list[bytes] = []

    def offer(digest: bytes) -> bytes | None:
        asked.append(digest)
        return ALL[digest] if len(asked) > 3 else (None, b"something else", ALL[digest] + b"!")[len(asked) - 1]

    lost = ALL.keys() - whole(path)
    verified = store.verify(Wanted(ALL), repair=offer)
    assert set(asked) == lost
    left = set(asked[:3])
    assert verified.healed == lost - left
    assert verified.lost | verified.missing == left
    again = store.verify(Wanted(ALL), repair=ALL.get)
    assert again.whole
    assert again.healed == left
    store.gc(lambda: Wanted(ALL), grace_s=0)
    assert Store.open(path).verify(Wanted(ALL)).damages == ()
    assert whole(path) == ALL.keys()


def test_two_packs_with_each_others_names_are_found_out(path: Path) -> None:
    first, second = packs_of(path)
    first.rename(path / "between")
    second.rename(first)
    (path / "between").rename(second)
    assert whole(path) == set()
    verified = Store.open(path).verify(Wanted(ALL))
    assert {damage.pack for damage in verified.damages} == {first.stem, second.stem}
    heal(path)


def test_two_blocks_that_changed_places_are_found_out() -> None:
    backend = MemoryBackend()
    contents = [bytes([number]) * 300_000 for number in range(2)]
    keep(Store(backend), contents)
    ((key, data),) = backend.held.items()
    store = Store(backend)
    one, two = (store.locate(digest_of(each)) for each in contents)
    assert one is not None
    assert two is not None
    assert one.stored == two.stored
    swapped = bytearray(data)
    swapped[one.at : one.at + one.stored], swapped[two.at : two.at + two.stored] = (
        data[two.at : two.at + two.stored],
        data[one.at : one.at + one.stored],
    )
    backend.held[key] = bytes(swapped)
    verified = store.verify()
    assert verified.lost == {digest_of(each) for each in contents}


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_index_file_costs_nothing(path: Path, harm: Callable[[Path], None]) -> None:
    keep(Store.open(path), [b"gone"])
    Store.open(path).gc(lambda: Wanted(ALL), grace_s=0)
    (index,) = (path / "index").iterdir()
    if index.stat().st_size > 100:
        harm(index) if harm not in (flip_block, flip_table) else flip(index, 50)
    assert whole(path) == ALL.keys()
    verified = Store.open(path).verify(Wanted(ALL))
    assert verified.whole
    assert [damage.pack for damage in verified.damages] == ([index.name] if harm is not remove else [])
    assert Store.open(path).verify(Wanted(ALL)).damages == ()


def test_an_index_file_from_before_a_sweep_misleads_nobody(path: Path, tmp_path: Path) -> None:
    keep(Store.open(path), [b"gone"])
    Store.open(path).gc(lambda: Wanted(ALL), grace_s=0)
    shutil.copytree(path / "index", tmp_path / "old")
    left = [digest_of(data) for data in ONE[:5]]
    Store.open(path).gc(lambda: Wanted(left), grace_s=0)
    shutil.rmtree(path / "index")
    shutil.copytree(tmp_path / "old", path / "index")
    assert whole(path) == set(left)
    assert Store.open(path).missing(ALL) == [digest for digest in ALL if digest not in left]


def test_a_damaged_object_is_read_from_its_other_copy(path: Path) -> None:
    one, two = Store.open(path), Store.open(path)
    with one.writer() as first, two.writer() as second:
        digest = first.put(b"twice")
        second.put(b"twice")
        names = [*first.commit().packs, *second.commit().packs]
    for name in names:
        pack = path / "packs" / f"{name}.pack"
        good = pack.read_bytes()
        flip(pack, len(HEADER) + 12)
        assert read_all(Store.open(path), [digest]) == [b"twice"]
        with Store.open(path).reader() as reader:
            assert reader.each([digest]).none
        assert Store.open(path).verify().whole
        pack.write_bytes(good)


def test_reading_damage_marks_it_so_that_the_next_put_heals(path: Path) -> None:
    store = Store.open(path)
    (digest,) = keep(store, [b"soon damaged"])
    (pack,) = {pack for pack in packs_of(path) if _pack(store, digest) == pack.stem}
    flip(pack, len(HEADER) + 12)
    assert store.has(digest)
    with pytest.raises(ObjectDamaged) as caught:
        read_all(store, [digest])
    assert caught.value.details == {"digests": [digest.hex()], "packs": [pack.stem]}
    assert not store.has(digest)
    assert not Store.open(path).has(digest)
    keep(store, [b"soon damaged"])
    assert read_all(store, [digest]) == [b"soon damaged"]


def test_one_damaged_chunk_is_named_and_healed(path: Path) -> None:
    data = random.Random(8).randbytes(BIG_BYTES * 2)
    store = Store.open(path)
    ref = keep_stream(store, data)
    with store.reader() as reader:
        victim = reader.chunks(ref.digest)[3].digest
        place = reader.locate(victim)
        assert place is not None
        flip(path / "packs" / f"{place.pack}.pack", place.at + 1000)
    with store.reader() as reader:
        assert reader.check([], [ref.digest]).damaged == (victim,)
        with pytest.raises(ObjectDamaged, match=victim.hex()):
            content(reader, ref)
    assert store.verify(Wanted([], [ref.digest])).lost == {victim}
    assert keep_stream(store, data) == ref
    with store.reader() as reader:
        assert content(reader, ref) == data


def test_noise_in_every_file_of_a_store_is_never_our_bug(path: Path) -> None:
    keep(Store.open(path), [b"gone"])
    Store.open(path).gc(lambda: Wanted(ALL), grace_s=0)
    chance = random.Random(12)
    files = [file for file in path.rglob("*") if file.is_file()]
    kept = {file: file.read_bytes() for file in files}
    for _ in range(60):
        for file in chance.sample(files, 2):
            noisy = bytearray(kept[file])
            for _ in range(chance.randrange(1, 5)):
                if noisy:
                    noisy[chance.randrange(len(noisy))] = chance.randrange(256)
            file.write_bytes(noisy[: chance.randrange(len(noisy) + 1)] if chance.random() < 0.3 else noisy)
        whole(path)
        try:
            Store.open(path).verify(Wanted(ALL))
        except ClaudeCodeMcpError as exc:  # pragma: no cover - it should not even refuse
            raise AssertionError("verify refused") from exc
        for file in path.rglob("*"):
            if file.is_file():
                file.unlink()
        for file, data in kept.items():
            file.write_bytes(data)
    assert whole(path) == ALL.keys()


def test_a_store_whose_directory_is_gone_says_so(path: Path) -> None:
    store = Store.open(path)
    shutil.rmtree(path)
    with pytest.raises(BlobsUnavailable, match="could not"):
        keep(store, [b"x"])
