import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_code_mcp.platform.files import atomic
from claude_code_mcp.platform.files.errors import DirectoryUnsafe, FileBusy
from claude_code_mcp.platform.files.locks import directory_lock, peer_lock
from claude_code_mcp.platform.files.private import private_dir


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_a_private_directory_and_its_parents_are_ours_alone(tmp_path: Path) -> None:
    made = private_dir(tmp_path / "a" / "b")
    assert (mode(made), mode(made.parent)) == (0o700, 0o700)
    assert private_dir(made) == made


def test_a_readable_directory_is_narrowed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_dir(tmp_path)
    assert mode(tmp_path) == 0o700


def test_a_directory_open_to_everybody_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(DirectoryUnsafe, match="writable for everybody"):
        private_dir(tmp_path)
    assert mode(tmp_path) == 0o777


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DirectoryUnsafe, match="not a directory"):
        private_dir(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give directories away")
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(DirectoryUnsafe, match="belongs to user id 12345"):
        private_dir(tmp_path)


@pytest.mark.usefixtures("umask")
def test_an_atomic_write_is_private_whatever_the_umask(tmp_path: Path) -> None:
    atomic.write_atomic(tmp_path / "f", b"one")
    atomic.write_atomic(tmp_path / "f", b"two", mode=0o644)
    assert (tmp_path / "f").read_bytes() == b"two"
    assert mode(tmp_path / "f") == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_an_atomic_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(OSError, match="directory"):
        atomic.write_atomic(tmp_path / "f", b"one")
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_only_the_temporary_files_of_dead_writers_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "[f]*.json"
    dead, alive, other, old = (
        tmp_path / f".{name}.{pid}.0123abcd.ccmtmp"
        for name, pid in ((path.name, 2**22 + 1), (path.name, os.getpid()), ("g.json", 2**22 + 1), (path.name, 1))
    )
    for file in (dead, alive, other, old):
        file.touch()
    os.utime(old, (0, 0))
    assert sorted(atomic.remove_abandoned(path)) == sorted([dead, old])
    assert sorted(tmp_path.iterdir()) == sorted([alive, other])


def test_a_directory_is_locked_for_one_at_a_time(tmp_path: Path) -> None:
    with directory_lock(tmp_path, 0), pytest.raises(FileBusy), directory_lock(tmp_path, 0.05):
        pass
    with directory_lock(tmp_path, 0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_claude_code_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / ".claude.json"
    path.with_name(".claude.json.lock").mkdir()
    with pytest.raises(FileBusy), peer_lock(path, 0.05):
        pass
    assert path.with_name(".claude.json.lock").is_dir()


def test_an_abandoned_lock_of_claude_code_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / ".claude.json"
    lock = path.with_name(".claude.json.lock")
    lock.mkdir()
    os.utime(lock, (0, 0))
    with peer_lock(path, 0.5):
        assert lock.is_dir()
    assert not lock.exists()


def test_a_lock_that_was_taken_over_is_not_removed(tmp_path: Path) -> None:
    lock = tmp_path / "f.lock"
    with peer_lock(tmp_path / "f", 0):
        lock.rename(tmp_path / "gone")
        lock.mkdir()
    assert lock.is_dir()
