"""What a scan reads, what it need not read, and what it says of files that cannot be kept."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from claude_code_mcp.platform.blobs.objects import Ref
from claude_code_mcp.platform.worktrees import looked
from claude_code_mcp.platform.worktrees.errors import TreeNotFound
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions
from claude_code_mcp.platform.worktrees.looked import ScanOptions
from claude_code_mcp.platform.worktrees.models import Kind, Reason
from claude_code_mcp.platform.worktrees.taking import Digests, Taken, take_tree
from tests.platform.worktrees.trees import BARE, Vault, make, seen

_S = TypeVar("_S")
OLD_NS = 1_600_000_000_000_000_000


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "home").mkdir(mode=0o700)
    return Vault(tmp_path / "home", tmp_path / "tree")


def settle(root: Path) -> None:
    """Wait until no file of the tree is younger than the clock can tell."""
    probe = root.parent / "probe"
    youngest = max(path.lstat().st_ctime_ns for path in [root, *root.rglob("*")])
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > youngest + 20_000_000:
            return
        probe.unlink()


@pytest.mark.parametrize("first", [b"", "b"])
def test_a_link_that_takes_the_place_of_something_as_young_is_a_change(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, first: bytes | str
) -> None:
    monkeypatch.setattr(looked, "RACY_NS", 10**19)  # everything is too young to tell
    make(vault.root, {b"x": first})
    before = vault.take()
    (vault.root / "x").unlink()
    (vault.root / "x").symlink_to("a")
    after = vault.take(cached=True)
    assert after != before
    assert after == vault.take(cached=False)


def test_only_what_looks_different_is_read(vault: Vault) -> None:
    make(vault.root, {b"a": b"1", b"b/c": b"2", b"b/link": "c", b"e": None})
    settle(vault.root)
    first, digest = vault.taken()
    assert (first.read_files, first.manifest_digest) == (2, None)
    again, same = vault.taken()
    assert (again.read_files, again.manifest_digest, same) == (0, digest, digest)
    (vault.root / "b/c").write_bytes(b"other")
    settle(vault.root)
    third, other = vault.taken()
    assert (third.read_files, third.manifest_digest) == (1, None)
    assert other != digest
    assert vault.taken()[0].manifest_digest == other


def test_a_file_that_was_changed_within_a_tick_of_the_scan_is_read_again(vault: Vault) -> None:
    make(vault.root, {b"young": b"1234"})
    assert vault.taken()[0].read_files == 1
    # Same size and same mtime, as within one tick of the clock.
    info = (vault.root / "young").stat()
    (vault.root / "young").write_bytes(b"5678")
    os.utime(vault.root / "young", ns=(info.st_atime_ns, info.st_mtime_ns))
    taken, digest = vault.taken()
    assert taken.read_files == 1
    vault.restore(digest)
    assert (vault.root / "young").read_bytes() == b"5678"


def test_an_edit_that_hides_behind_its_old_time_and_size_is_seen(vault: Vault) -> None:
    make(vault.root, {b"file": b"1234"})
    os.utime(vault.root / "file", ns=(OLD_NS, OLD_NS))
    settle(vault.root)
    before = vault.take()
    (vault.root / "file").write_bytes(b"5678")
    os.utime(vault.root / "file", ns=(OLD_NS, OLD_NS))
    assert vault.take() != before


def test_a_cache_that_is_damaged_is_as_good_as_none(vault: Vault) -> None:
    make(vault.root, {b"a": b"1"})
    digest = vault.take()
    good = vault.cache
    assert good is not None
    for bad in (b"", b"junk", good[:-3], good[:20] + b"\xff" * 8 + good[28:]):
        vault.cache = bad
        assert vault.take() == digest


def test_new_rules_need_no_file_to_be_read_again(vault: Vault) -> None:
    vault.ignore = IgnoreOptions()
    make(vault.root, {b"a.log": b"1", b"b.txt": b"2"})
    settle(vault.root)
    vault.taken()
    (vault.root / ".gitignore").write_text("*.log\n")
    (vault.root / ".git").mkdir()
    (vault.root / ".git/HEAD").write_text("ref: refs/heads/main\n")
    taken, _ = vault.taken()
    assert [entry.path for entry in taken.manifest.entries] == [b".gitignore", b"b.txt"]
    assert taken.read_files == 1
    (vault.root / ".gitignore").unlink()
    taken, _ = vault.taken()
    assert [entry.path for entry in taken.manifest.entries] == [b"a.log", b"b.txt"]


def test_what_is_too_large_is_left_out_and_said(vault: Vault) -> None:
    make(vault.root, {b"small": b"1", b"large": b"x" * 1000})
    taken = take_tree(vault.root, Digests(), ScanOptions(ignore=BARE, most_file_bytes=999))
    assert [(one.path, one.reason) for one in taken.omitted] == [(b"large", Reason.TOO_LARGE)]
    assert [(one.reason, one.count, one.examples) for one in taken.left_out] == [("too_large", 1, (b"large",))]


class Disturbed(Digests):
    """A sink beside which somebody else works: it is called before each reading is looked at."""

    def __init__(self, disturb: Callable[[int], None]) -> None:
        self._disturb = disturb
        self.readings = 0

    def put_all(self, sources: Sequence[tuple[_S, int]], read: Callable[[_S], bytes | None]) -> Sequence[bytes | None]:
        self._disturb(0)
        return super().put_all(sources, read)

    def put_stream(self, read: Callable[[int], bytes]) -> Ref:
        self.readings += 1
        self._disturb(self.readings)
        return super().put_stream(read)


def taken_beside(vault: Vault, disturb: Callable[[int], None]) -> Taken:
    return take_tree(vault.root, Disturbed(disturb), ScanOptions(ignore=BARE))


def test_a_file_that_goes_away_or_becomes_something_else_before_it_is_read_is_none(vault: Vault) -> None:
    make(vault.root, {b"goes": b"1", b"pipe": b"2", b"link": b"3", b"stays": b"4", b"dir/x": b"5"})
    outside = vault.home / "canary"
    outside.write_bytes(b"canary")

    def disturb(_: int) -> None:
        for name in ("goes", "pipe", "link", "dir/x"):
            (vault.root / name).unlink()
        os.mkfifo(vault.root / "pipe")
        (vault.root / "link").symlink_to(outside)
        (vault.root / "dir").rmdir()
        (vault.root / "dir").symlink_to(vault.home)

    taken = taken_beside(vault, disturb)
    assert [entry.path for entry in taken.manifest.entries if entry.kind == Kind.FILE] == [b"stays"]
    reasons = {one.reason: one.count for one in taken.left_out}
    assert sum(reasons.values()) == 4
    assert reasons.keys() <= {"vanished", "unreadable"}


def test_a_big_file_that_changes_once_is_read_again_and_one_that_always_changes_is_torn(vault: Vault) -> None:
    make(vault.root, {b"big": b"0" * 9_000_000})

    def always(number: int) -> None:
        if number:
            with (vault.root / "big").open("r+b") as file:
                file.write(b"%d" % number)

    once = taken_beside(vault, lambda number: always(number) if number == 1 else None)
    assert (once.retried, [entry.path for entry in once.manifest.entries]) in [((b"big",), [b"big"]), ((), [b"big"])]
    assert (
        once.manifest.entries[0].digest
        == take_tree(vault.root, Digests(), ScanOptions(ignore=BARE)).manifest.entries[0].digest
    )


def test_a_file_that_is_written_all_the_time_is_one_moment_of_it_or_torn(vault: Vault) -> None:
    size = 2_000_000
    make(vault.root, {b"busy": bytes(size), b"calm": b"1"})
    over = threading.Event()

    def write() -> None:
        number = 0
        fd = os.open(vault.root / "busy", os.O_WRONLY)
        while not over.is_set():
            number += 1
            os.pwrite(fd, number.to_bytes(8, "big"), 0)
            os.pwrite(fd, number.to_bytes(8, "big"), size - 8)
        os.close(fd)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            taken, digest = vault.taken(cached=False)
            kept = vault.manifest(digest).by_path
            assert b"calm" in kept
            if b"busy" in kept:
                with vault.store.reader() as reader:
                    data = reader.read(kept[b"busy"].digest)
                first, last = int.from_bytes(data[:8], "big"), int.from_bytes(data[-8:], "big")
                assert first - last in {0, 1}
            else:
                assert [(one.path, one.reason) for one in taken.omitted] == [(b"busy", Reason.TORN)]
    finally:
        over.set()
        writer.join()


def test_a_restore_never_touches_what_the_checkpoint_could_not_keep(vault: Vault) -> None:
    make(vault.root, {b"small": b"1", b"large": b"x" * 1000})
    with vault.store.writer() as writer:
        taken = take_tree(vault.root, writer, ScanOptions(ignore=BARE, most_file_bytes=999))
        writer.commit()
    (vault.root / "large").write_bytes(b"now it is small")
    make(vault.root, {b"new": b"2"})
    done = vault.restore(taken.manifest)
    assert done.wrong == ()
    assert seen(vault.root, times=False).keys() == {b"small", b"large"}
    assert (vault.root / "large").read_bytes() == b"now it is small"


def test_a_root_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for root in (tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(TreeNotFound):
            take_tree(root, Digests(), ScanOptions())


def test_a_tree_that_is_too_deep_is_taken_as_far_as_it_goes(vault: Vault) -> None:
    deep = Path(*["d"] * 300)
    (vault.root / deep).mkdir(parents=True)
    (vault.root / "top").write_bytes(b"1")
    taken, digest = vault.taken()
    assert [one.reason for one in taken.omitted] == [Reason.NAME_TOO_LONG]
    (vault.root / "top").unlink()
    vault.restore(digest)
    assert (vault.root / "top").exists()
    assert (vault.root / deep).is_dir()
