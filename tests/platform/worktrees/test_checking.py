"""Entries that are looked at many at once are judged as they are one by one."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.worktrees.checking import check_entries, checked_part, fit_together
from claude_code_mcp.platform.worktrees.errors import ManifestRefused
from claude_code_mcp.platform.worktrees.manifest import encode_manifest, read_manifest
from claude_code_mcp.platform.worktrees.models import RESERVED, Entry, Kind, Manifest
from claude_code_mcp.platform.worktrees.parts import Parts

components = st.sampled_from(
    [
        b"a",
        b"b",
        b"c.d",
        b"..x",
        b".",
        b"..",
        b"",
        b"\0",
        b"a\0b",
        b"-",
        b"\xff",
        b"\\",
        b"x" * 255,
        b"x" * 256,
        RESERVED,
    ]
)
paths = st.one_of(
    st.lists(components, min_size=1, max_size=4).map(b"/".join),
    st.sampled_from([b"a", b"b", b"a/b", b"a/c.d", b"a/b/-"]),
)
entries = st.builds(
    Entry,
    path=paths,
    kind=st.sampled_from([int(Kind.FILE), int(Kind.FOLDER), int(Kind.FOLDER), int(Kind.LINK)]),
    mode=st.sampled_from([0, 0o644, 0o755]),
    size=st.sampled_from([0, 3]),
    mtime_ns=st.just(0),
    digest=st.sampled_from([b"", b"d" * 32, b"d" * 31]),
    chunked=st.booleans(),
    target=st.sampled_from([b"", b"t", b"\0"]),
    sealed=st.booleans(),
)


def folder(path: bytes) -> Entry:
    return Entry(path, int(Kind.FOLDER), 0o755, 0, 0)


def file(path: bytes) -> Entry:
    return Entry(path, int(Kind.FILE), 0o644, 3, 0, b"d" * 32)


def one_by_one(found: list[Entry]) -> bool:
    try:
        check_entries(found)
    except ManifestRefused:
        return False
    return True


def at_once(parts: list[list[Entry]]) -> bool:
    try:
        return fit_together([checked_part(part) for part in parts])
    except ManifestRefused:
        return False


@given(st.lists(entries, max_size=6), st.booleans(), st.integers(0, 6))
def test_both_ways_say_the_same(found: list[Entry], in_order: bool, cut: int) -> None:
    if in_order:
        found.sort(key=lambda entry: entry.path)
    assert at_once([found[:cut], found[cut:]]) == one_by_one(found)


@given(st.sets(paths, max_size=8))
def test_both_ways_take_the_same_trees(names: set[bytes]) -> None:
    above = {name[:at] for name in names for at, byte in enumerate(name) if byte == 47}
    found = [folder(path) if path in above else file(path) for path in sorted(names | above)]
    assert at_once([found]) == one_by_one(found)


def test_known_parts_are_believed_only_where_they_fit() -> None:
    parts = Parts()
    whole = Manifest((folder(b"a"), file(b"a/b"), folder(b"c"), file(b"c/d")))
    encoded = encode_manifest(whole, parts)
    objects = dict(encoded.objects())
    assert read_manifest(encoded.digest, objects.__getitem__, parts).entries == whole.entries
    (part,) = encoded.parts
    assert parts.checked(part) is parts.checked(part) is not None
    assert parts.checked(b"x" * 32) is None
    # The same part after another that lacks what it needs, or stands behind it, is no tree.
    known = checked_part([file(b"a/b")])
    assert fit_together([checked_part([folder(b"a")]), known])
    assert not fit_together([known])
    assert not fit_together([known, checked_part([folder(b"a")])])
    assert not fit_together([checked_part([folder(b"a"), file(b"a/b")]), known])


@pytest.mark.parametrize(("place", "wrong"), [(1, 4), (1, 0), (2, 0o1000), (3, 2**63), (3, -1), (4, 2**63)])
def test_a_number_out_of_bounds_is_refused_by_the_decoder(place: int, wrong: int) -> None:
    encoded = encode_manifest(Manifest((file(b"a"),)))
    row = msgspec.msgpack.decode(encoded.parts[next(iter(encoded.parts))])
    row[0][place] = wrong
    part = msgspec.msgpack.encode(row)
    root = msgspec.msgpack.decode(encoded.root)
    root[4] = [hashlib.sha256(part).digest()]
    objects = {root[4][0]: part, b"root": msgspec.msgpack.encode(root)}
    with pytest.raises(ManifestRefused, match="cannot be read"):
        read_manifest(b"root", objects.__getitem__)
