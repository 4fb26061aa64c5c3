"""Nothing that is wanted is ever swept, whoever writes meanwhile; what is not wanted goes."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_code_mcp.platform.blobs import marks
from claude_code_mcp.platform.blobs.errors import BlobsBusy, StoreNeedsRepair
from claude_code_mcp.platform.blobs.local import LocalBackend
from claude_code_mcp.platform.blobs.objects import BIG_BYTES, Swept, Wanted
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.blobs.sweeping import MANY_SMALL, Held, Share, choose
from tests.platform.blobs.content import content, digest_of, keep, keep_stream, packs_of, read_all, some
from tests.platform.blobs.memory import MemoryBackend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def sweep(store: Store, *wanted: bytes) -> Swept:
    return store.gc(lambda: Wanted(set(wanted)), grace_s=0, wait_s=5)


def test_what_nobody_wants_is_deleted_and_its_room_is_free(path: Path) -> None:
    store = Store.open(path)
    gone, kept = keep(store, some(50, seed=1)), keep(store, some(50, seed=2))
    before = store.usage().stored_bytes
    swept = sweep(store, *kept)
    assert (swept.packs_deleted, swept.packs_rewritten, swept.objects_deleted) == (1, 0, 50)
    assert before - store.usage().stored_bytes == swept.freed_bytes
    assert store.missing(gone) == gone
    assert read_all(Store.open(path), kept) == some(50, seed=2)
    assert list((path / "marks").iterdir()) == []
    assert sweep(store, *kept) == Swept()


def test_a_pack_of_which_little_is_wanted_is_rewritten_and_one_of_which_much_is_wanted_stays(path: Path) -> None:
    store = Store.open(path)
    few, many = keep(store, some(100, seed=1)), keep(store, some(100, seed=2))
    stays = store.locate(many[0])
    swept = sweep(store, *few[:10], *many[:90])
    assert (swept.packs_deleted, swept.packs_rewritten, swept.objects_deleted) == (1, 1, 90)
    assert read_all(store, few[:10]) == some(100, seed=1)[:10]
    assert store.missing(few) == few[10:]
    assert store.locate(many[0]) == stays
    assert store.verify(Wanted([*few[:10], *many])).whole


def test_packs_within_the_grace_time_are_left_alone(path: Path) -> None:
    store = Store.open(path)
    digests = keep(store, some(5))
    assert store.gc(lambda: Wanted([]), grace_s=3600) == Swept()
    assert store.missing(digests) == []


def test_chunks_of_a_wanted_list_are_wanted(path: Path) -> None:
    store = Store.open(path)
    data = b"".join(some(3000, most=12_000))
    assert len(data) > BIG_BYTES
    ref = keep_stream(store, data)
    keep(store, some(5, seed=9))
    store.gc(lambda: Wanted([], [ref.digest]), grace_s=0)
    with store.reader() as reader:
        assert content(reader, ref) == data
    assert sweep(store).packs_deleted == 1


def test_nothing_is_swept_while_a_wanted_list_cannot_be_read(path: Path) -> None:
    store = Store.open(path)
    digests = keep(store, some(5))
    with pytest.raises(StoreNeedsRepair, match=digest_of(b"lost list").hex()):
        store.gc(lambda: Wanted([], [digest_of(b"lost list")]), grace_s=0)
    assert store.missing(digests) == []


def test_wanted_things_that_are_not_there_are_counted_and_hinder_nothing(path: Path) -> None:
    store = Store.open(path)
    keep(store, some(5))
    swept = sweep(store, digest_of(b"lost"))
    assert (swept.missing, swept.packs_deleted) == (1, 1)


def test_what_a_writer_relies_on_is_not_swept_until_it_has_said_so(path: Path) -> None:
    store, other = Store.open(path), Store.open(path)
    contents = some(20)
    digests = keep(store, contents)
    wanted: set[bytes] = set()
    with store.writer() as writer:
        for data in contents:  # all there already: nothing is stored
            writer.put(data)
        assert writer.commit().objects == 0
        assert other.gc(lambda: Wanted(wanted), grace_s=0, wait_s=0.05).postponed
        wanted.update(digests)
    assert other.gc(lambda: Wanted(wanted), grace_s=0, wait_s=5) == Swept()
    assert read_all(store, digests) == contents


def test_a_writer_that_begins_during_a_sweep_stores_again_what_is_condemned(path: Path) -> None:
    store, other = Store.open(path), Store.open(path)
    contents = some(20)
    digests = keep(store, contents)
    with other.reader():  # somebody who reads holds up the deletion, but not the marks
        assert store.gc(lambda: Wanted([]), grace_s=0, wait_s=0.05).postponed
    assert store.missing(digests) == digests
    with other.writer() as writer:
        for data in contents:
            writer.put(data)
        assert writer.commit().objects == 20
    sweep(store, *digests)
    assert read_all(other, digests) == contents
    assert store.usage().objects == 20


def test_a_reader_goes_on_when_the_pack_it_reads_is_rewritten_between_two_sessions(path: Path) -> None:
    store, other = Store.open(path), Store.open(path)
    contents = some(100)
    digests = keep(store, contents)
    assert read_all(other, digests[:3]) == contents[:3]
    assert sweep(store, *digests[:10]).packs_rewritten == 1
    assert read_all(other, digests[:10]) == contents[:10]
    assert other.missing(digests) == digests[10:]


def test_no_reader_loses_a_pack_under_its_hands(path: Path) -> None:
    store, other = Store.open(path), Store.open(path)
    contents = some(100)
    digests = keep(store, contents)
    with other.reader() as reader:
        assert store.gc(lambda: Wanted([]), grace_s=0, wait_s=0.05).postponed
        assert [reader.read(digest) for digest in digests] == contents
    assert sweep(store).objects_deleted == 100


def test_one_sweeps_at_a_time(path: Path) -> None:
    backend = LocalBackend(path)
    with backend.hold("gc", shared=False, wait_s=0), pytest.raises(BlobsBusy):
        Store.open(path).gc(lambda: Wanted([]), wait_s=0.02)


def test_copies_of_one_object_become_one(path: Path) -> None:
    one, two = Store.open(path), Store.open(path)
    contents = some(30)
    with one.writer() as first, two.writer() as second:  # neither sees the other's
        digests = [first.put(data) for data in contents]
        assert [second.put(data) for data in contents] == digests
        first.commit()
        second.commit()
    assert Store.open(path).usage().objects == 60
    sweep(one, *digests)
    assert one.usage().objects == 30
    assert read_all(two, digests) == contents


def test_many_small_packs_become_one(path: Path) -> None:
    store = Store.open(path)
    digests = [keep(store, [b"%d" % number])[0] for number in range(MANY_SMALL)]
    swept = sweep(store, *digests)
    assert (swept.packs_rewritten, swept.objects_deleted) == (MANY_SMALL, 0)
    assert len(packs_of(path)) == 1
    assert read_all(Store.open(path), digests) == [b"%d" % number for number in range(MANY_SMALL)]


def test_abandoned_staged_files_and_stale_marks_are_cleared_away(path: Path) -> None:
    store = Store.open(path)
    digests = keep(store, some(3))
    (path / "staging" / "dead.tmp").write_bytes(b"of a writer that was killed")
    backend = LocalBackend(path)
    marks.condemn(backend, "0" * 64)
    marks.mark_damaged(backend, "1" * 64, 16)
    marks.condemn(backend, packs_of(path)[0].stem)
    sweep(store, *digests)
    assert [*(path / "staging").iterdir(), *(path / "marks").iterdir()] == []
    assert store.missing(digests) == []


def test_files_of_others_in_the_store_are_left_alone(path: Path) -> None:
    store = Store.open(path)
    keep(store, some(3))
    (path / "packs" / "README").write_text("mine")
    (path / "marks" / "note").write_text("mine")
    sweep(store)
    assert [file.name for file in (path / "packs").iterdir()] == ["README"]
    assert [file.name for file in (path / "marks").iterdir()] == ["note"]


def held(size: int, wanted: int, *, objects: int = 1, age_s: float = 100.0) -> Held:
    return Held(Share(10, 1000, objects, wanted), size, age_s, damaged=False)


def test_packs_are_chosen_by_what_is_wanted_of_them() -> None:
    packs = {
        "empty": held(10**7, 0, objects=0),
        "wasteful": held(10**7, 499),
        "full": held(10**7, 500),
        "young": held(10**7, 0, objects=0, age_s=5.0),
        "of tomorrow": held(10**7, 0, objects=0, age_s=-5.0),
        "damaged": Held(Share(10, 1000, 10, 1000), 10**7, 100.0, damaged=True),
    }
    assert choose(packs, 60.0) == {"empty", "wasteful", "damaged"}


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 30), max_size=8), st.lists(st.integers(0, 30), max_size=8), st.booleans()),
        max_size=6,
    )
)
def test_whatever_is_put_wanted_and_swept_the_wanted_is_there(steps: list[tuple[list[int], list[int], bool]]) -> None:
    backend = MemoryBackend()
    contents = some(31, most=200)
    names = [digest_of(data) for data in contents]
    there: set[int] = set()
    for put, wanted, fresh in steps:
        store = Store(backend)
        keep(store, [contents[number] for number in put])
        there |= set(put)
        want = set(wanted) & there
        swept = sweep(store if fresh else Store(backend), *(names[number] for number in want))
        assert not swept.postponed
        there = {number for number in there if store.has(names[number])}
        assert want <= there
        assert read_all(store, [names[number] for number in sorted(there)]) == [contents[n] for n in sorted(there)]
        assert store.verify().whole


class Owner:
    """Knows what is wanted, as the rows of checkpoints do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._wanted: Counter[bytes] = Counter()

    def ask(self) -> Wanted:
        with self._lock:
            return Wanted({digest for digest, count in self._wanted.items() if count > 0})

    def write(self, seed: int) -> None:
        store = Store.open(self._path)
        for number in range(12):
            contents = some(10, seed=number % 5, most=400)
            with store.writer() as writer:
                digests = [writer.put(data) for data in contents]
                writer.commit()
                with self._lock:
                    self._wanted.update(digests)
            assert read_all(store, digests) == contents
            if number % 3 == seed % 3:
                with self._lock:
                    self._wanted.subtract(digests)

    def clean_until(self, done: threading.Event) -> int:
        store = Store.open(self._path)
        deleted = 0
        while not done.is_set():
            deleted += store.gc(self.ask, grace_s=0, wait_s=0.2).packs_deleted
        return deleted + store.gc(self.ask, grace_s=0, wait_s=5).packs_deleted


def test_writers_and_sweeps_of_many_threads_lose_nothing(path: Path) -> None:
    owner = Owner(path)
    done = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        cleaning = threads.submit(owner.clean_until, done)
        try:
            for writing in [threads.submit(owner.write, seed) for seed in range(3)]:
                writing.result()
        finally:
            done.set()
        assert cleaning.result() > 0
    verified = Store.open(path).verify(owner.ask())
    assert verified.whole, verified
