"""What every place for packs must do; one suite for all of them."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_code_mcp.platform.blobs.backend import Backend
from claude_code_mcp.platform.blobs.local import LocalBackend
from tests.platform.blobs.memory import MemoryBackend

MAKERS: dict[str, Callable[[Path], Backend]] = {
    "local": lambda path: LocalBackend(path / "blobs"),
    "memory": lambda _: MemoryBackend(),
}


@pytest.fixture(params=MAKERS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return MAKERS[request.param](tmp_path)


def test_what_was_put_is_listed_with_its_size_and_read_whole_or_in_part(backend: Backend) -> None:
    assert backend.put("packs", "one", b"0123456789")
    listed = backend.names("packs")
    assert {name: one.size_bytes for name, one in listed.items()} == {"one": 10}
    assert backend.get("packs", "one") == b"0123456789"
    assert backend.get_range("packs", "one", 3, 4) == b"3456"
    assert backend.get_range("packs", "one", 8, 100) == b"89"
    assert backend.get_range("packs", "one", 100, 5) == b""


def test_nothing_is_ever_overwritten(backend: Backend) -> None:
    assert backend.put("packs", "one", b"first")
    assert not backend.put("packs", "one", b"second")
    assert backend.get("packs", "one") == b"first"
    staged = backend.stage()
    staged.write(b"third")
    assert not staged.publish("packs", "one")
    staged.discard()
    assert backend.get("packs", "one") == b"first"


def test_rooms_are_apart(backend: Backend) -> None:
    backend.put("packs", "one", b"pack")
    backend.put("index", "one", b"index")
    backend.put("marks", "one", b"")
    assert [backend.get(room, "one") for room in ("packs", "index", "marks")] == [b"pack", b"index", b""]


def test_what_is_staged_is_seen_by_nobody_until_it_is_published(backend: Backend) -> None:
    staged = backend.stage()
    staged.write(b"half ")
    staged.write(b"and half")
    assert staged.size_bytes == 13
    assert not backend.names("packs")
    assert staged.publish("packs", "one")
    assert backend.get("packs", "one") == b"half and half"


def test_what_is_discarded_leaves_nothing_and_may_be_discarded_again(backend: Backend, tmp_path: Path) -> None:
    staged = backend.stage()
    staged.write(b"x")
    staged.discard()
    staged.discard()
    assert not backend.names("packs")
    assert not list(tmp_path.rglob("*.tmp"))


def test_an_absent_name_is_told_when_read_and_harmless_when_deleted(backend: Backend) -> None:
    with pytest.raises(FileNotFoundError):
        backend.get("packs", "none")
    with pytest.raises(FileNotFoundError):
        backend.get_range("packs", "none", 0, 1)
    backend.delete("packs", "none")
    backend.put("packs", "one", b"x")
    backend.delete("packs", "one")
    assert not backend.names("packs")


def test_shared_holders_are_many_and_an_exclusive_one_is_alone(backend: Backend) -> None:
    with backend.hold("door", shared=True, wait_s=0) as first, backend.hold("door", shared=True, wait_s=0) as second:
        assert (first, second) == (True, True)
        with backend.hold("door", shared=False, wait_s=0.01) as alone:
            assert not alone
        with backend.hold("other", shared=False, wait_s=0) as other:
            assert other
    with backend.hold("door", shared=False, wait_s=0) as alone:
        assert alone
        with backend.hold("door", shared=True, wait_s=0.01) as late:
            assert not late


def test_who_waits_for_a_lock_gets_it_when_it_is_free(backend: Backend) -> None:
    got = threading.Event()
    started = threading.Event()

    def wait() -> None:
        started.set()
        with backend.hold("door", shared=False, wait_s=5) as held:
            if held:
                got.set()

    with backend.hold("door", shared=True, wait_s=0):
        thread = threading.Thread(target=wait)
        thread.start()
        assert started.wait(5)
        assert not got.is_set()
    thread.join(5)
    assert got.is_set()


def test_staged_things_of_the_living_are_not_cleaned_away(backend: Backend) -> None:
    staged = backend.stage()
    staged.write(b"still wanted")
    assert backend.clean() == 0
    assert staged.publish("packs", "one")


def test_many_can_put_at_once_and_one_of_them_wins(backend: Backend) -> None:
    won: list[int] = []

    def put(number: int) -> None:
        if backend.put("packs", "one", bytes([number]) * 1000):
            won.append(number)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert backend.get("packs", "one") == bytes(won) * 1000
