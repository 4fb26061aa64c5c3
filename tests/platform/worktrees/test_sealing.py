"""Secrets that are kept sealed: taken, found again, restored, and left alone where the key is not at hand."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.blobs.objects import BIG_BYTES
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.seal.content import MAGIC, SealKey, SealWith, key_of
from claude_code_mcp.platform.seal.errors import KeyUnavailable, SealBroken
from claude_code_mcp.platform.worktrees import looked
from claude_code_mcp.platform.worktrees.contents import Contents
from claude_code_mcp.platform.worktrees.errors import ManifestRefused, RestoreBlocked
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions, Secrets
from claude_code_mcp.platform.worktrees.looked import Dirty, ScanOptions
from claude_code_mcp.platform.worktrees.manifest import encode_manifest, read_manifest
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest, Reason
from claude_code_mcp.platform.worktrees.plan import Plan, RestoreWish, make_plan
from claude_code_mcp.platform.worktrees.restoring import Consent, Restored, Supply, restore_tree, restoring
from claude_code_mcp.platform.worktrees.taking import Digests, Taken, keep_manifest, take_tree
from tests.platform.worktrees.trees import clear, make, seen
from tests.support.blobs import expanded

SEAL = IgnoreOptions(defaults=False, git=True, secrets=Secrets.SEAL)
KEEP = IgnoreOptions(defaults=False, git=True, secrets=Secrets.KEEP)
TOKEN = b"TOKEN=an-unmistakable-secret\n"


class Ring:
    """Keys in memory, which can be locked away."""

    def __init__(self) -> None:
        self.keys: dict[bytes, SealKey] = {}
        self.locked = False

    def make(self, number: int) -> SealKey:
        key = key_of(bytes([number]) * 64)
        self.keys[key.id] = key
        return key

    def key(self, key_id: bytes) -> SealKey:
        if self.locked or key_id not in self.keys:
            raise KeyUnavailable("The keyring is locked.", remedy="Unlock it.")
        return self.keys[key_id]


class Sealed:
    """A tree and a store, whose secrets are sealed."""

    def __init__(self, home: Path) -> None:
        self.root = home / "tree"
        self.root.mkdir()
        self.home = home
        self.store = Store.open(home / "blobs")
        self.ring = Ring()
        self.key = self.ring.make(1)
        self.ignore = SEAL
        self.cache: bytes | None = None

    def options(self) -> ScanOptions:
        seals = self.ignore.secrets is Secrets.SEAL
        return ScanOptions(ignore=self.ignore, seal=SealWith(self.ring, self.key.id) if seals else None)

    def take(self, dirty: Dirty | None = None) -> tuple[Taken, bytes]:
        with self.store.writer() as writer:
            taken = take_tree(self.root, writer, self.options(), self.cache, dirty)
            digest = taken.manifest_digest or keep_manifest(writer, taken.encoded())
            writer.commit()
        self.cache = taken.cache(digest)
        return taken, digest

    def entry(self, digest: bytes, path: bytes) -> Entry | None:
        with self.store.reader() as reader:
            return read_manifest(digest, reader.read).by_path.get(path)

    def plan(self, digest: bytes, *, skip_sealed: bool = False, known: Manifest | None = None) -> Plan:
        with self.store.reader() as reader:
            target = read_manifest(digest, reader.read)
            live = take_tree(self.root, Digests(), replace(self.options(), also=target.by_path.keys())).manifest
            contents = Contents(reader, self.ring, self.options().seal)
            wish = RestoreWish(contents=contents, skip_sealed=skip_sealed, known=known)
            return make_plan(self.root, target, live, contents.read, wish, self.ignore)

    def restore(self, digest: bytes, *, skip_sealed: bool = False) -> Restored:
        plan = self.plan(digest, skip_sealed=skip_sealed)
        with self.store.reader() as reader, restoring(self.root) as root_fd:
            supply = Supply(reader, self.ring)
            return restore_tree(root_fd, self.root, plan, supply, self.home / "restores", Consent(outside_links=True))

    def in_the_clear(self, text: bytes) -> bool:
        """Tell whether anything in the store is `text` once it is expanded."""
        return any(text in data for data in expanded(self.home / "blobs"))


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    return Sealed(tmp_path)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is too young for the clock to tell."""
    monkeypatch.setattr(looked, "RACY_NS", -(10**9))


TREE = {
    b".gitignore": b".env*\nkeys/\n", b".env": TOKEN, b"src/app.py": b"print(1)\n", b"src/.env.local": TOKEN * 3,
    b".env.empty": b"",
}  # fmt: skip


def test_secrets_are_kept_sealed_and_come_back_as_they_were(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    before = seen(sealed.root)
    _, digest = sealed.take()
    for path in (b".env", b"src/.env.local"):
        entry = sealed.entry(digest, path)
        assert entry is not None
        assert entry.sealed
        assert entry.size == len(TREE[path])
    for path in (b"src/app.py", b".gitignore", b".env.empty"):
        entry = sealed.entry(digest, path)
        assert entry is not None
        assert not entry.sealed
    assert sealed.in_the_clear(b"print(1)")
    assert not sealed.in_the_clear(b"unmistakable")
    clear(sealed.root)
    sealed.restore(digest)
    assert seen(sealed.root) == before
    assert sealed.plan(digest).empty


@pytest.mark.usefixtures("aged")
def test_what_did_not_change_is_the_same_checkpoint_also_when_it_is_read_anew(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    _, first = sealed.take()
    taken, again = sealed.take()
    assert (again, taken.read_files) == (first, 0)
    sealed.cache = None
    assert sealed.take()[1] == first


def test_a_secret_above_the_size_of_an_object_is_sealed_in_bounded_memory(sealed: Sealed) -> None:
    big = b"".join(b"%09d\n" % number for number in range(BIG_BYTES // 10 + 300_000))
    make(sealed.root, {b".env": big, b"plain": b"x"})
    _, digest = sealed.take()
    entry = sealed.entry(digest, b".env")
    assert entry is not None
    assert (entry.sealed, entry.chunked, entry.size) == (True, True, len(big))
    assert not sealed.in_the_clear(b"000000042\n")
    clear(sealed.root)
    sealed.restore(digest)
    assert (sealed.root / ".env").read_bytes() == big
    assert sealed.plan(digest).empty


def test_more_can_be_named_as_secrets_by_name_path_and_folder(sealed: Sealed) -> None:
    sealed.ignore = IgnoreOptions(secrets=Secrets.SEAL, secret_files=("*.pem", "/conf/db.ini", "keys/"))
    make(sealed.root, {
        b"a/b.pem": TOKEN, b"conf/db.ini": TOKEN, b"other/conf/db.ini": b"plain", b"keys/deep/er/id": TOKEN,
        b"keys/.gitignore": b"nothing\n", b".gitignore": b"keys/\n",
    })  # fmt: skip
    _, digest = sealed.take()
    with sealed.store.reader() as reader:
        found = {one.path for one in read_manifest(digest, reader.read).entries if one.sealed}
    assert found == {b"a/b.pem", b"conf/db.ini", b"keys/deep/er/id"}


def test_without_the_key_secrets_are_left_out_by_name_and_taken_when_it_is_back(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    sealed.ring.locked = True
    taken, digest = sealed.take()
    assert {one.path: one.reason for one in taken.omitted} == {
        b".env": Reason.NO_KEY, b"src/.env.local": Reason.NO_KEY,
    }  # fmt: skip
    assert sealed.entry(digest, b".env") is None
    assert sealed.entry(digest, b"src/app.py") is not None
    assert not sealed.in_the_clear(b"unmistakable")
    sealed.ring.locked = False
    _, digest = sealed.take(Dirty())  # a watch saw nothing happen
    assert sealed.entry(digest, b".env") is not None


@pytest.mark.usefixtures("aged")
def test_a_locked_keyring_costs_nothing_that_was_sealed_before(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    _, first = sealed.take()
    sealed.ring.locked = True
    (sealed.root / "src" / "app.py").write_text("print(2)\n")
    taken, second = sealed.take()
    assert not taken.omitted
    assert sealed.entry(second, b".env") == sealed.entry(first, b".env")


def test_a_restore_without_the_key_changes_nothing_or_all_but_the_secrets(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    _, digest = sealed.take()
    (sealed.root / ".env").write_text("OTHER=1\n")
    (sealed.root / "src" / "app.py").write_text("print(2)\n")
    (sealed.root / "src" / ".env.local").unlink()
    sealed.ring.locked = True
    sealed.cache = None
    before = seen(sealed.root)
    plan = sealed.plan(digest)
    assert {one.path for one in plan.blocked} == {b".env", b"src/.env.local"}
    assert all("sealed" in one.why for one in plan.blocked)
    with pytest.raises(RestoreBlocked):
        sealed.restore(digest)
    assert seen(sealed.root) == before
    assert {one.path for one in sealed.plan(digest, skip_sealed=True).kept} == {b".env", b"src/.env.local"}
    sealed.restore(digest, skip_sealed=True)
    assert (sealed.root / "src" / "app.py").read_text() == "print(1)\n"
    assert (sealed.root / ".env").read_text() == "OTHER=1\n"
    assert not (sealed.root / "src" / ".env.local").exists()


def test_a_secret_that_cannot_be_sealed_now_is_not_overwritten_by_an_older_one(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    sealed.ignore = KEEP
    _, plain = sealed.take()
    sealed.ignore = SEAL
    sealed.ring.locked = True
    (sealed.root / ".env").write_text("NEWER=1\n")
    (sealed.root / "src" / "app.py").write_text("print(2)\n")
    with pytest.raises(RestoreBlocked):
        sealed.restore(plain)
    sealed.restore(plain, skip_sealed=True)
    assert (sealed.root / ".env").read_text() == "NEWER=1\n"
    assert (sealed.root / "src" / "app.py").read_text() == "print(1)\n"


def test_a_lost_key_does_not_spoil_what_is_taken_with_a_new_one(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    _, old = sealed.take()
    del sealed.ring.keys[sealed.key.id]
    sealed.key = sealed.ring.make(2)
    _, new = sealed.take()
    clear(sealed.root)
    sealed.restore(new)
    assert (sealed.root / ".env").read_bytes() == TOKEN
    assert {one.path for one in sealed.plan(old).blocked} == {b".env", b"src/.env.local"}


def test_the_policy_may_change_and_nothing_counts_as_changed_by_it(sealed: Sealed) -> None:
    make(sealed.root, TREE)
    sealed.ignore = KEEP
    _, plain = sealed.take()
    assert sealed.in_the_clear(b"unmistakable")
    sealed.ignore = SEAL
    _, closed = sealed.take()
    entry = sealed.entry(closed, b".env")
    assert entry is not None
    assert entry.sealed
    with sealed.store.reader() as reader:
        known = read_manifest(plain, reader.read)
    for digest in (plain, closed):
        plan = sealed.plan(digest, known=known)
        assert plan.empty
        assert not plan.conflicts
    sealed.ignore = KEEP
    assert sealed.plan(closed).empty
    _, again = sealed.take()
    assert again == plain
    sealed.key = sealed.ring.make(2)
    sealed.ignore = SEAL
    sealed.take()
    assert sealed.plan(closed).empty


@pytest.mark.parametrize(
    "entry",
    [
        Entry(b"a", Kind.FOLDER, 0o755, 0, 0, sealed=True),
        Entry(b"a", Kind.LINK, 0, 0, 0, target=b"b", sealed=True),
        Entry(b"a", Kind.FILE, 0o644, 0, 0, bytes(32), sealed=True),
    ],
)
def test_only_a_file_with_a_content_can_be_sealed(entry: Entry) -> None:
    with pytest.raises(ManifestRefused):
        encode_manifest(Manifest((entry,)))


@pytest.mark.parametrize("how", ["plain text", "cut", "of another size"])
def test_a_content_that_only_says_that_it_is_sealed_stops_the_restore(sealed: Sealed, how: str) -> None:
    make(sealed.root, TREE)
    _, digest = sealed.take()
    with sealed.store.reader() as reader:
        manifest = read_manifest(digest, reader.read)
        entry = manifest.by_path[b".env"]
        data = reader.read(entry.digest)
    size = entry.size
    with sealed.store.writer() as writer:
        if how == "of another size":
            bad, size = entry.digest, entry.size + 1
        else:
            bad = writer.put(b"A=1\n" if how == "plain text" else data[: len(MAGIC) + 20])
        changed = Entry(entry.path, entry.kind, entry.mode, size, entry.mtime_ns, bad, sealed=True)
        entries = tuple(changed if one is entry else one for one in manifest.entries)
        forged = keep_manifest(writer, encode_manifest(Manifest(entries)))
        writer.commit()
    (sealed.root / ".env").unlink()
    before = seen(sealed.root)
    with pytest.raises((SealBroken, RestoreBlocked)):
        sealed.restore(forged)
    assert seen(sealed.root) == before


@given(
    st.dictionaries(
        st.sampled_from([b".env", b".env.prod", b"a/.env", b"a/b/.envrc", b"a/x.py", b"y", b"a/b/id.pem"]),
        st.binary(max_size=200),
    ),
    st.integers(0, 2),
)
def test_any_tree_with_secrets_comes_back(
    tmp_path_factory: pytest.TempPathFactory, shape: dict[bytes, bytes], more: int
) -> None:
    sealed = Sealed(tmp_path_factory.mktemp("sealed"))
    sealed.ignore = IgnoreOptions(secrets=Secrets.SEAL, secret_files=("*.pem", "a/b/")[:more])
    make(sealed.root, shape)
    before = seen(sealed.root)
    _, digest = sealed.take()
    clear(sealed.root)
    sealed.restore(digest)
    assert seen(sealed.root) == before
