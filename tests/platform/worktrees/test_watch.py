"""A watch spares walking, and a tree taken with it is the tree taken without it, whatever was done meanwhile."""

import os
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_code_mcp.platform.worktrees.looked import ScanOptions
from claude_code_mcp.platform.worktrees.taking import Digests, Taken, take_tree
from claude_code_mcp.platform.worktrees.watch import TreeWatch, watch_tree
from tests.platform.worktrees.trees import make

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")


class Watched:
    """A tree that is taken again and again beside a watch."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.watch: TreeWatch = watch_tree(root, trusted_s=3600)
        self.last: Taken | None = None
        self.spared = False

    def take(self) -> Taken:
        dirty = self.watch.changes()
        self.spared = dirty is not None
        cache = None
        if self.last is not None:
            cache = self.last.stat_cache(self.last.manifest_digest or self.last.encoded().digest)
        self.last = take_tree(self.root, Digests(), ScanOptions(), cache, dirty)
        self.watch.follow(self.last.scan.folders)
        return self.last

    def truth(self) -> Taken:
        return take_tree(self.root, Digests(), ScanOptions())


@pytest.fixture
def watched(tmp_path: Path) -> Generator[Watched]:
    (tmp_path / "tree").mkdir()
    found = Watched(tmp_path / "tree")
    yield found
    found.watch.close()


def test_nothing_but_what_changed_is_looked_at(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    make(watched.root, {b"a/b/one": b"1", b"a/two": b"2", b"c/d/three": b"3", b"c/node_modules/x": b""})
    watched.take()
    watched.take()
    quiet = watched.take()
    assert watched.spared
    assert not quiet.scan.changed
    looked: list[object] = []
    scandir = os.scandir

    def counted(fd: int) -> object:
        looked.append(fd)
        return scandir(fd)

    (watched.root / "a/b/one").write_bytes(b"changed")
    monkeypatch.setattr(os, "scandir", counted)
    taken = watched.take()
    monkeypatch.undo()
    assert len(looked) == 3, "the folder itself and those above it"
    assert taken.manifest == watched.truth().manifest
    assert [(one.reason, one.count) for one in taken.left_out] == [("defaults", 1)]


def test_new_rules_are_heeded_at_once(watched: Watched) -> None:
    make(watched.root, {b".git/HEAD": b"x", b"a/b/x.log": b"1", b"a/y": b"2"})
    for _ in range(3):
        watched.take()
    (watched.root / ".gitignore").write_text("*.log\n")
    assert b"a/b/x.log" not in watched.take().manifest.by_path
    assert watched.last is not None
    assert watched.last.manifest == watched.truth().manifest


def test_a_queue_that_ran_over_means_that_everything_is_walked(watched: Watched) -> None:
    make(watched.root, {b"a/b": b"1"})
    for _ in range(3):
        watched.take()
    before = watched.spared
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for _ in range(most // 2 + 10):
        (watched.root / "x").touch()
        (watched.root / "x").unlink()
    (watched.root / "a/b").write_bytes(b"after the queue was full")
    taken = watched.take()
    assert (before, watched.spared) == (True, False)
    assert taken.manifest == watched.truth().manifest


def test_without_watches_left_everything_is_walked(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    make(watched.root, {b"a/b": b"1"})
    watched.take()
    watched.watch.follow([*(watched.last.scan.folders if watched.last else ()), b"x" * 300])
    (watched.root / "a/b").write_bytes(b"2")
    assert watched.watch.changes() is None


names = st.sampled_from(["a", "b", "c", "d"])
places = st.lists(names, min_size=1, max_size=4).map("/".join)
deeds = st.lists(
    st.tuples(st.sampled_from(["write", "mkdir", "unlink", "rmtree", "move", "link", "chmod", "take"]), places, places),
    min_size=1,
    max_size=25,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deeds)
def test_whatever_is_done_a_watched_tree_is_taken_as_it_is(found: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as home:
        watched = Watched(Path(home))
        try:
            watched.take()
            for deed, place, other in [*found, ("take", "", ""), ("take", "", "")]:
                if deed == "take":
                    assert watched.take().manifest == watched.truth().manifest
                else:
                    _do(watched.root, deed, place, other)
            assert watched.spared
        finally:
            watched.watch.close()


def _do(root: Path, deed: str, place: str, other: str) -> None:
    path = root / place
    try:
        if deed == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(other)
        elif deed == "mkdir":
            path.mkdir(parents=True)
        elif deed == "unlink":
            path.unlink()
        elif deed == "rmtree":
            for below in sorted(path.rglob("*"), reverse=True):
                below.rmdir() if below.is_dir() and not below.is_symlink() else below.unlink()
            path.rmdir()
        elif deed == "move":
            path.rename(root / other)
        elif deed == "link":
            path.symlink_to(other)
        else:
            path.chmod(0o700)
    except OSError:
        return
