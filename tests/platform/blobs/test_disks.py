"""Disks that are full, read-only or broken, and processes without descriptors: told, and nothing half there."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from claude_code_mcp.platform.blobs.backend import Room, Staged
from claude_code_mcp.platform.blobs.errors import BlobsUnavailable, ObjectDamaged
from claude_code_mcp.platform.blobs.local import LocalBackend
from claude_code_mcp.platform.blobs.objects import BIG_BYTES, Wanted
from claude_code_mcp.platform.blobs.store import Store
from tests.platform.blobs.content import keep, keep_stream, packs_of, read_all, some

NOISE = [os.urandom(50_000) for _ in range(40)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=64", "none", str(path)], check=False
    ).returncode:
        pytest.skip("this system does not let us mount a tmpfs")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_is_told_and_leaves_nothing_half_there(disk: Path) -> None:
    store = Store.open(disk / "blobs")
    kept = keep(store, some(20))
    for attempt in (
        lambda: keep(store, NOISE),
        lambda: keep_stream(store, os.urandom(BIG_BYTES + 1)),
    ):
        with pytest.raises(BlobsUnavailable, match="No space left") as caught:
            attempt()
        assert caught.value.details["errno"] == errno.ENOSPC
        assert list((disk / "blobs" / "staging").iterdir()) == []
        assert len(packs_of(disk / "blobs")) == 1
        assert read_all(store, kept) == some(20)
    assert store.verify(Wanted(kept)).whole
    (digest,) = keep(store, [b"small things still fit"])
    assert read_all(store, [digest]) == [b"small things still fit"]


def test_a_batch_on_a_full_disk_fails_and_the_next_one_works_when_there_is_room(disk: Path) -> None:
    store = Store.open(disk / "blobs")
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
    with store.writer() as writer, pytest.raises(BlobsUnavailable):
        writer.put_all(((data, len(data)) for data in NOISE[:10]), lambda data: data)
    filler.unlink()
    digests = keep(store, NOISE[:10])
    assert read_all(Store.open(disk / "blobs"), digests) == NOISE[:10]


def test_a_sweep_on_a_full_disk_loses_nothing_and_goes_on_when_there_is_room(disk: Path) -> None:
    store = Store.open(disk / "blobs")
    digests = keep(store, NOISE[:12])
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
    wanted = Wanted(digests[:4])
    with pytest.raises(BlobsUnavailable):
        store.gc(lambda: wanted, grace_s=0)
    assert store.verify(Wanted(digests)).whole
    filler.unlink()
    assert store.gc(lambda: wanted, grace_s=0).packs_rewritten == 1
    assert read_all(Store.open(disk / "blobs"), digests[:4]) == NOISE[:4]


def test_a_disk_without_room_for_another_name_is_told(disk: Path) -> None:
    store = Store.open(disk / "blobs")
    kept = keep(store, [b"before"])
    for number in range(64):
        with suppress(OSError):
            (disk / f"{number}").touch()
    with pytest.raises(BlobsUnavailable, match="No space left"):
        keep(store, [b"after"])
    assert read_all(store, kept) == [b"before"]


def test_a_read_only_store_is_read_and_verified_and_says_that_nothing_can_be_added(disk: Path) -> None:
    kept = keep(Store.open(disk / "blobs"), some(20))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    store = Store.open(disk / "blobs")
    assert read_all(store, kept) == some(20)
    assert store.verify(Wanted(kept)).whole
    for attempt in (lambda: keep(store, [b"new"]), lambda: store.gc(lambda: Wanted([]), grace_s=0)):
        with pytest.raises(BlobsUnavailable) as caught:
            attempt()
        assert caught.value.details["errno"] == errno.EROFS
    assert keep(store, some(20)) == kept


def test_a_damaged_read_only_store_is_still_told_of(disk: Path) -> None:
    kept = keep(Store.open(disk / "blobs"), some(20))
    (pack,) = packs_of(disk / "blobs")
    data = bytearray(pack.read_bytes())
    data[100] ^= 1
    pack.write_bytes(data)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    store = Store.open(disk / "blobs")
    assert store.verify(Wanted(kept)).lost
    with pytest.raises(ObjectDamaged):
        read_all(store, kept)


def test_a_process_without_descriptors_is_told_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "blobs")
    kept = keep(store, some(5))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        for attempt in (lambda: keep(store, [b"new"]), lambda: store.missing(kept), store.verify):
            with pytest.raises(BlobsUnavailable) as caught:
                attempt()
            assert caught.value.details["errno"] == errno.EMFILE
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert read_all(store, kept) == some(5)
    assert list((tmp_path / "blobs" / "staging").iterdir()) == []


class Failing(LocalBackend):
    """A disk whose syncs, or reads of some packs, fail."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.syncs_fail = False
        self.unreadable: set[int] = set()
        self.unreadable_pack = ""

    def stage(self) -> Staged:  # type: ignore[override]  # any staged thing will do
        return _FailingStaged(super().stage(), self)

    def get_range(self, room: Room, name: str, start: int, length: int) -> bytes:
        if start in self.unreadable or name == self.unreadable_pack:
            raise OSError(errno.EIO, "Input/output error")
        return super().get_range(room, name, start, length)


class _FailingStaged:
    def __init__(self, inner: Staged, disk: Failing) -> None:
        self._inner = inner
        self._disk = disk

    @property
    def size_bytes(self) -> int:
        return self._inner.size_bytes

    def write(self, data: bytes) -> None:
        self._inner.write(data)

    def publish(self, room: Room, name: str) -> bool:
        if self._disk.syncs_fail:
            raise OSError(errno.EIO, "Input/output error")
        return self._inner.publish(room, name)

    def discard(self) -> None:
        self._inner.discard()


def test_a_disk_that_cannot_sync_acknowledges_nothing(tmp_path: Path) -> None:
    backend = Failing(tmp_path / "blobs")
    store = Store(backend)
    kept = keep(store, some(5))
    backend.syncs_fail = True
    with store.writer() as writer:
        digest = writer.put(b"new")
        with pytest.raises(BlobsUnavailable, match="look at the system's log") as caught:
            writer.commit()
    assert caught.value.details["errno"] == errno.EIO
    assert not store.has(digest)
    assert not Store.open(tmp_path / "blobs").has(digest)
    assert list((tmp_path / "blobs" / "staging").iterdir()) == []
    backend.syncs_fail = False
    assert keep(store, [b"new"]) == [digest]
    assert read_all(store, [*kept, digest]) == [*some(5), b"new"]


def test_a_block_that_the_disk_cannot_read_is_damage_and_the_others_are_read(tmp_path: Path) -> None:
    backend = Failing(tmp_path / "blobs")
    store = Store(backend)
    contents = [os.urandom(300_000) for _ in range(4)]
    digests = keep(store, contents)
    place = store.locate(digests[1])
    assert place is not None
    backend.unreadable.add(place.at)
    with store.reader() as reader:
        assert reader.check(digests).damaged == (digests[1],)
        assert [reader.read(digest) for digest in (digests[0], *digests[2:])] == [contents[0], *contents[2:]]
        with pytest.raises(ObjectDamaged):
            reader.read(digests[1])
    assert store.verify().lost == {digests[1]}
    keep(store, contents)
    assert read_all(store, digests) == contents


def test_a_table_that_the_disk_cannot_read_costs_that_pack_only(tmp_path: Path) -> None:
    backend = Failing(tmp_path / "blobs")
    first, second = keep(Store(backend), some(20, seed=1)), keep(Store(backend), some(30, seed=2))
    victim = Store(backend).locate(first[0])
    assert victim is not None
    backend.unreadable_pack = f"{victim.pack}.pack"
    store = Store(backend)
    assert read_all(store, second) == some(30, seed=2)
    assert store.missing([*first, *second]) == first
    verified = store.verify(Wanted([*first, *second]))
    assert verified.missing == set(first)
    assert [damage.reason for damage in verified.damages] == ["the disk cannot read it"]
    keep(store, some(20, seed=1))
    assert read_all(store, first) == some(20, seed=1)


def test_things_in_the_place_of_packs_that_are_no_files_are_passed_over(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "blobs")
    digests = keep(store, some(3))
    (pack,) = packs_of(tmp_path / "blobs")
    (tmp_path / "blobs" / "packs" / f"{'a' * 64}.pack").mkdir()
    os.mkfifo(tmp_path / "blobs" / "packs" / f"{'b' * 64}.pack")
    (tmp_path / "blobs" / "packs" / f"{'c' * 64}.pack").symlink_to(pack)
    assert read_all(Store.open(tmp_path / "blobs"), digests) == some(3)
    pack.unlink()
    os.mkfifo(pack)
    assert store.missing(digests) == digests
    keep(store, some(3))
    assert read_all(store, digests) == some(3)
    assert store.gc(lambda: Wanted(digests), grace_s=0).missing == 0
