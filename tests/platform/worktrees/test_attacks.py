"""Trees and manifests that want out of their root: nothing outside is written, nothing outside is read."""

import hashlib
import os
import socket
import stat
from pathlib import Path

import msgspec
import pytest

from claude_code_mcp.platform.worktrees.errors import (
    ContentMissing,
    ManifestRefused,
    RestoreBlocked,
    RestoreConflict,
    TreeBusy,
    TreeMoved,
)
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions
from claude_code_mcp.platform.worktrees.manifest import MAGIC, VERSION, case_collisions, encode_manifest, read_manifest
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest, Reason
from claude_code_mcp.platform.worktrees.plan import RestoreWish
from claude_code_mcp.platform.worktrees.restoring import restoring
from tests.platform.worktrees.trees import Vault, make, seen

DIGEST = bytes(32)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "home").mkdir(mode=0o700)
    return Vault(tmp_path / "home", tmp_path / "tree")


def forged(*entries: Entry) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the objects of a manifest as a forger would write them: canonical, and unchecked."""
    part = msgspec.msgpack.encode(list(entries))
    listed = (hashlib.sha256(part).digest(),)
    root = msgspec.msgpack.encode([MAGIC, VERSION, len(entries), sum(one.size for one in entries), listed, []])
    digest = hashlib.sha256(root).digest()
    return digest, {listed[0]: part, digest: root}


def file(path: bytes) -> Entry:
    return Entry(path, Kind.FILE, 0o644, 1, 0, DIGEST)


def folder(path: bytes) -> Entry:
    return Entry(path, Kind.FOLDER, 0o755, 0, 0)


BAD_PATHS = [
    b"../x", b"/etc/x", b"a/../../x", b"..", b".", b"", b"a//b", b"a/", b"a/./b", b"a\0b", b"x" * 5000,
    b"/".join([b"d"] * 9000), b".claude-code-mcp-restore-1/new/0",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: repr(path[:20]))
def test_c1_a_manifest_with_a_path_that_no_tree_has_is_refused_whole(path: bytes) -> None:
    digest, objects = forged(*sorted([folder(b"a"), file(b"a/fine"), file(path)], key=lambda entry: entry.path))
    with pytest.raises(ManifestRefused):
        read_manifest(digest, objects.__getitem__)


@pytest.mark.parametrize(
    "entries",
    [
        [file(b"a"), file(b"a")],
        [file(b"a"), file(b"a/b")],
        [Entry(b"a", Kind.LINK, 0, 0, 0, target=b"/etc"), file(b"a/b")],
        [file(b"a/b")],
        [file(b"b"), file(b"a")],
        [Entry(b"a", Kind.FILE, 0o644, 1, 0, b"short")],
        [Entry(b"a", Kind.FILE, 0o4755, 1, 0, DIGEST)],
        [Entry(b"a", Kind.FILE, 0o644, -1, 0, DIGEST)],
        [Entry(b"a", Kind.LINK, 0, 0, 0, target=b"")],
        [Entry(b"a", Kind.LINK, 0, 0, 0, target=b"x\0y")],
        [Entry(b"a", Kind.FOLDER, 0o755, 0, 0, DIGEST)],
        [Entry(b"a", 7, 0o644, 0, 0)],
    ],
    ids=[
        "twice", "file as folder", "link as folder", "no folder", "out of order", "digest", "setuid", "size",
        "empty link", "NUL in a link", "folder with content", "unknown kind",
    ],
)  # fmt: skip
def test_c1_a_manifest_that_is_no_tree_is_refused_whole(entries: list[Entry]) -> None:
    digest, objects = forged(*entries)
    with pytest.raises(ManifestRefused):
        read_manifest(digest, objects.__getitem__)
    with pytest.raises(ManifestRefused):
        encode_manifest(Manifest(tuple(entries)))


def test_c1_bytes_that_mean_a_path_elsewhere_are_a_name_here(vault: Vault) -> None:
    shape = {b"a\\..\\x": b"1", b"C:\\x": b"2", b"\\\\?\\x": b"3", b"-rf": b"4", b"a\nb": b"5", b"\xff\xfe": b"6"}
    make(vault.root, shape)
    digest = vault.take()
    before = seen(vault.root)
    for name in shape:
        Path(os.fsdecode(os.fsencode(vault.root) + b"/" + name)).unlink()
    vault.restore(digest)
    assert seen(vault.root) == before


def test_c1_bytes_that_are_no_manifest_are_refused() -> None:
    good = encode_manifest(Manifest((folder(b"a"), file(b"a/b"))))
    objects = dict(good.objects())
    for data in (b"", b"\xc1", b"\x91" * 5000, good.root[:-1], good.root + b"\0", b"\x96" + good.root[1:-1] + b"\x80"):
        with pytest.raises(ManifestRefused):
            read_manifest(good.digest, {**objects, good.digest: data}.__getitem__)
    longer = msgspec.msgpack.encode([MAGIC, VERSION, 2, 1, list(good.parts), []]).replace(b"\x02", b"\xcc\x02", 1)
    with pytest.raises(ManifestRefused):
        read_manifest(good.digest, {**objects, good.digest: longer}.__getitem__)


def test_c1_names_that_differ_only_in_case_are_told(vault: Vault) -> None:
    make(vault.root, {b"README": b"1", b"readme": b"2", b"caf\xc3\xa9": b"3", b"cafe\xcc\x81": b"4", b"other": b"5"})
    manifest = vault.manifest(vault.take())
    assert case_collisions(manifest.entries) == [(b"cafe\xcc\x81", b"caf\xc3\xa9"), (b"README", b"readme")]
    assert not vault.plan(manifest).collisions  # they stand there side by side
    (vault.root / "README").unlink()
    assert len(vault.plan(manifest).collisions) == 2


def test_c2_a_restore_never_writes_through_a_link_that_took_the_place_of_a_folder(vault: Vault, tmp_path: Path) -> None:
    make(vault.root, {b"dir/in/file": b"theirs", b"dir/in/other": b"x"})
    digest = vault.take()
    outside = tmp_path / "outside"
    make(outside, {b"file": b"canary", b"in/file": b"canary"})
    untouched = seen(outside)
    before = seen(vault.root)
    (vault.root / "dir").rename(tmp_path / "moved")
    (vault.root / "dir").symlink_to(outside)

    done = vault.restore(digest)

    assert done.wrong == ()
    assert seen(outside) == untouched
    assert seen(vault.root) == before


def test_c2_a_link_that_comes_after_the_plan_stops_the_restore(vault: Vault, tmp_path: Path) -> None:
    make(vault.root, {b"dir/file": b"old"})
    digest = vault.take()
    (vault.root / "dir/file").write_bytes(b"changed")
    plan = vault.plan(digest)
    outside = tmp_path / "outside"
    make(outside, {b"file": b"canary"})
    (vault.root / "dir").rename(tmp_path / "moved")
    (vault.root / "dir").symlink_to(outside)
    with pytest.raises(TreeMoved):
        vault.carry_out(plan)
    assert seen(outside, times=False) == {b"file": ("file", 0o644, b"canary", 0)}
    assert seen(vault.root) == {b"dir": ("link", os.fsencode(outside))}


def test_c4_a_neighbour_with_the_same_beginning_is_not_inside(vault: Vault, tmp_path: Path) -> None:
    make(
        vault.root, {b"link": str(tmp_path / "tree-secret/x"), b"up": "../tree-secret/x", b"in": str(vault.root / "a")}
    )
    digest = vault.take()
    for name in ("link", "up", "in"):
        (vault.root / name).unlink()
    plan = vault.plan(digest)
    assert [one.path for one in plan.outside_links] == [b"link", b"up"]
    wish = RestoreWish(paths=(b"tree-secret", b"../tree-secret"))
    assert vault.plan(digest, wish).changes == ()


def test_c5_a_link_to_secrets_is_kept_as_a_link_and_made_again_only_on_consent(vault: Vault, tmp_path: Path) -> None:
    secret = tmp_path / "ssh"
    make(secret, {b"id_rsa": b"CANARY-OF-A-KEY"})
    make(vault.root, {b"keys": str(secret), b"key": str(secret / "id_rsa"), b"fine": "keys"})
    digest = vault.take()
    links = {entry.path: entry.kind for entry in vault.manifest(digest).entries}
    assert links == dict.fromkeys((b"keys", b"key", b"fine"), Kind.LINK)
    stored = b"".join(path.read_bytes() for path in vault.home.rglob("*") if path.is_file())
    assert b"CANARY" not in stored
    assert hashlib.sha256(b"CANARY-OF-A-KEY").digest() not in stored
    (vault.root / "keys").unlink()
    with pytest.raises(RestoreConflict, match="keys leads to"):
        vault.carry_out(vault.plan(digest))
    assert not os.path.lexists(vault.root / "keys")
    vault.restore(digest)
    assert (vault.root / "keys").readlink() == secret


def test_c9_pipes_sockets_and_devices_are_named_and_never_opened(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    make(vault.root, {b"file": b"1"})
    os.mkfifo(vault.root / "pipe")
    os.mkfifo(vault.root / ".gitignore")
    monkeypatch.chdir(vault.root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
    taken, digest = vault.taken()
    assert {one.path: (one.reason, one.detail) for one in taken.omitted} == {
        b".gitignore": (Reason.SPECIAL, "a pipe"), b"pipe": (Reason.SPECIAL, "a pipe"),
        b"sock": (Reason.SPECIAL, "a socket"),
    }  # fmt: skip
    (vault.root / "file").unlink()
    before = {name for name in seen(vault.root) if name != b"file"}
    vault.restore(digest)
    assert seen(vault.root).keys() == before | {b"file"}


def test_c9_what_stands_where_a_file_should_be_blocks_the_restore(vault: Vault) -> None:
    make(vault.root, {b"file": b"1"})
    digest = vault.take()
    (vault.root / "file").unlink()
    os.mkfifo(vault.root / "file")
    plan = vault.plan(digest)
    assert [one.path for one in plan.blocked] == [b"file"]
    with pytest.raises(RestoreBlocked):
        vault.carry_out(plan)
    assert stat.S_ISFIFO((vault.root / "file").lstat().st_mode)


def test_c10_setuid_and_sticky_bits_are_not_kept(vault: Vault) -> None:
    make(vault.root, {b"tool": (b"#!/bin/sh\n", 0o755), b"dir/x": b""})
    (vault.root / "tool").chmod(0o6755)
    (vault.root / "dir").chmod(0o1777)
    digest = vault.take()
    modes = {entry.path: entry.mode for entry in vault.manifest(digest).entries}
    assert modes == {b"tool": 0o755, b"dir": 0o777, b"dir/x": 0o644}
    (vault.root / "tool").unlink()
    vault.restore(digest)
    assert stat.S_IMODE((vault.root / "tool").stat().st_mode) == 0o755
    assert stat.S_IMODE((vault.root / "dir").stat().st_mode) == 0o1777, "a folder that is there keeps its own"


def test_c14_the_small_the_sparse_and_the_empty_come_back(vault: Vault) -> None:
    make(vault.root, {b"zero": b"", b"empty/inner": None, b"big": os.urandom(1000) * 20_000})
    with (vault.root / "sparse").open("wb") as sparse:
        sparse.seek(40_000_000)
        sparse.write(b"end")
    os.link(vault.root / "zero", vault.root / "zero too")
    taken, digest = vault.taken()
    assert taken.scan.hard_linked == 2
    before = seen(vault.root)
    for name in ("zero", "big", "sparse"):
        (vault.root / name).unlink()
    (vault.root / "empty/inner").rmdir()
    vault.restore(digest)
    assert seen(vault.root) == before
    assert (vault.root / "sparse").stat().st_blocks * 512 < 1_000_000


def test_c16_content_that_is_missing_or_damaged_leaves_the_tree_untouched(vault: Vault) -> None:
    make(vault.root, {b"one": os.urandom(50_000), b"two": os.urandom(50_000)})
    digest = vault.take()
    manifest = vault.manifest(digest)
    (vault.root / "one").write_bytes(b"edited")
    (vault.root / "two").write_bytes(b"edited")
    before = seen(vault.root)
    lost = manifest.by_path[b"two"]
    entries = tuple(
        msgspec.structs.replace(entry, digest=hashlib.sha256(b"never stored").digest()) if entry is lost else entry
        for entry in manifest.entries
    )
    with pytest.raises(ContentMissing, match="two"):
        vault.carry_out(vault.plan(Manifest(entries)))
    for pack in (vault.home / "blobs/packs").iterdir():
        data = bytearray(pack.read_bytes())
        data[len(data) // 3] ^= 0xFF
        pack.chmod(0o600)
        pack.write_bytes(data)
    with pytest.raises(ContentMissing):
        vault.carry_out(vault.plan(manifest))
    assert seen(vault.root) == before
    assert list(vault.journals.glob("*.restore")) == []


def test_c19_of_two_restores_at_once_in_one_tree_one_is_told(vault: Vault) -> None:
    make(vault.root, {b"file": b"1"})
    digest = vault.take()
    (vault.root / "file").write_bytes(b"edited")
    with restoring(vault.root):
        with pytest.raises(TreeBusy):
            vault.restore(digest)
        assert (vault.root / "file").read_bytes() == b"edited"
    vault.restore(digest)
    assert (vault.root / "file").read_bytes() == b"1"


def test_c19_takes_hold_off_a_restore_but_not_each_other(vault: Vault) -> None:
    make(vault.root, {b"file": b"1"})
    digest = vault.take()
    (vault.root / "file").write_bytes(b"edited")
    with restoring(vault.root, shared=True), restoring(vault.root, shared=True), pytest.raises(TreeBusy):
        vault.restore(digest)
    vault.restore(digest)
    assert (vault.root / "file").read_bytes() == b"1"


@pytest.mark.parametrize(
    "name", [b".git", b".git/index", b".git/info/exclude", b".git/commondir", b".checkpointignore"]
)
def test_c9_a_pipe_in_the_place_of_one_of_gits_files_holds_nobody_up(vault: Vault, name: bytes) -> None:
    vault.ignore = IgnoreOptions(exclude=("left-out",))
    make(vault.root, {b"file": b"1", b"left-out": b"2"})
    if name != b".git":
        make(vault.root, {b".git/HEAD": b"ref: refs/heads/main", b".git/info/x": b""})
    os.mkfifo(os.fsencode(vault.root) + b"/" + name)
    assert b"file" in vault.taken()[0].manifest.by_path


def test_b6_what_can_run_is_listed_before_it_is_restored(vault: Vault) -> None:
    names = [".claude/settings.json", ".mcp.json", "CLAUDE.md", "sub/claude.MD", ".git/hooks/pre-commit", "src/main.py"]
    make(vault.root, {name.encode(): b"new" for name in names})
    manifest = vault.manifest(vault.take())
    hooks = [folder(b".git"), folder(b".git/hooks"), file(b".git/hooks/pre-commit")]
    forged_one = Manifest(tuple(sorted([*manifest.entries, *hooks], key=lambda entry: entry.path)))
    for name in names[:3]:
        (vault.root / name).write_bytes(b"old")
    plan = vault.plan(forged_one)
    listed = {os.fsdecode(one.path) for one in plan.executable}
    assert listed == {".claude/settings.json", ".mcp.json", "CLAUDE.md", ".git/hooks/pre-commit"}
