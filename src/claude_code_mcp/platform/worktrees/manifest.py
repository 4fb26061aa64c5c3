"""A manifest as bytes: canonical, in parts that unchanged folders share, and believed only after every check."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import msgspec

from claude_code_mcp.platform.worktrees.errors import ManifestRefused
from claude_code_mcp.platform.worktrees.models import RESERVED, Entry, Kind, Manifest, Omitted

MAGIC = "claude-code-mcp manifest"
VERSION = 1
_PART_MASK = 0xFF
_PART_ENTRIES = 2_048
_MOST_ENTRIES = 5_000_000
_PATH_BYTES = 16_384
_DIGEST_BYTES = 32
_MOST = 2**63
_PATH = re.compile(rb"(?:(?!\.{1,2}(?:/|\Z))[^/\0]{1,255}(?:/(?=.)|\Z))+", re.DOTALL)
"""Components of 1 to 255 bytes, none of them `.` or `..`, between single slashes; a backslash is a byte like others."""


class _Root(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    magic: str
    version: int
    entries: int
    content_bytes: int
    parts: tuple[bytes, ...]
    omitted: tuple[Omitted, ...]


@dataclass(frozen=True, slots=True)
class EncodedManifest:
    """A manifest's objects: the root, whose SHA-256 is the manifest's name, and the parts that it lists."""

    digest: bytes
    root: bytes
    parts: Mapping[bytes, bytes]

    def objects(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all objects with their digests, the root last."""
        yield from self.parts.items()
        yield self.digest, self.root


class Parts:
    """The parts of the manifest that was encoded last, for whoever keeps it in memory: those that are the same again
    need not be encoded and checked again."""

    def __init__(self) -> None:
        self._parts: dict[bytes, tuple[list[Entry], bytes, bytes]] = {}

    def find(self, group: list[Entry]) -> tuple[bytes, bytes] | None:
        """Return digest and bytes of a part that holds exactly these entries."""
        known = self._parts.get(group[0].path)
        return known[1:] if known is not None and known[0] == group else None

    def keep(self, groups: Iterable[tuple[list[Entry], bytes, bytes]]) -> None:
        """Remember these parts, and no others."""
        self._parts = {one[0][0].path: one for one in groups}


def encode_manifest(manifest: Manifest, known: Parts | None = None) -> EncodedManifest:
    """Return the objects of a manifest; equal manifests give equal bytes.

    `known` spares the parts that are as they were when it was used last.

    Raises:
        ManifestRefused: an entry is none that could be read back.
    """
    encode = msgspec.msgpack.Encoder().encode
    folders = {entry.path for entry in manifest.entries if entry.kind == Kind.FOLDER} | {b""}
    found: list[tuple[list[Entry], bytes, bytes]] = []
    before = b""
    for group in _groups(manifest.entries):
        same = known.find(group) if known is not None else None
        if same is None or group[0].path <= before:
            _check(group, folders, before)
            data = encode(group)
            same = (hashlib.sha256(data).digest(), data)
        before = group[-1].path
        found.append((group, *same))
    if known is not None:
        known.keep(found)
    omitted = tuple(sorted(manifest.omitted, key=lambda one: one.path))
    listed = tuple(digest for _, digest, _ in found)
    root = encode(_Root(MAGIC, VERSION, len(manifest.entries), manifest.content_bytes, listed, omitted))
    return EncodedManifest(hashlib.sha256(root).digest(), root, {digest: data for _, digest, data in found})


def _groups(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Cut after paths that the path alone chooses, so that a change moves no other boundary."""
    start = 0
    for end in [at for at, entry in enumerate(entries, 1) if not crc32(entry.path) & _PART_MASK] + [len(entries)]:
        while end > start:
            group = list(entries[start : min(end, start + _PART_ENTRIES)])
            start += len(group)
            yield group


Read = Callable[[bytes], bytes]
"""Returns an object by its digest, having checked that the bytes are those."""


def read_manifest(digest: bytes, read: Read) -> Manifest:
    """Return the manifest whose root has this digest.

    Raises:
        ManifestRefused: it is not canonical, or one of its entries is none that a tree can have.
    """
    root = _root(read(digest))
    decoder = msgspec.msgpack.Decoder(list[Entry])
    encode = msgspec.msgpack.Encoder().encode
    entries: list[Entry] = []
    for part in root.parts:
        data = read(part)
        try:
            group = decoder.decode(data)
        except (msgspec.MsgspecError, RecursionError) as exc:
            raise _refused(f"a part of it cannot be read ({exc})") from None
        if encode(group) != data:
            raise _refused("a part of it is not written in the one way that is allowed")
        entries += group
        if len(entries) > root.entries:
            raise _refused("it has more entries than it says")
    manifest = Manifest(tuple(entries), root.omitted)
    if len(entries) != root.entries or manifest.content_bytes != root.content_bytes:
        raise _refused("it has other entries than it says")
    check_entries(manifest.entries)
    return manifest


def manifest_parts(digest: bytes, read: Read) -> tuple[bytes, ...]:
    """Return the digests of a manifest's parts, in order; equal parts of two manifests hold equal entries.

    Raises:
        ManifestRefused: it is no manifest.
    """
    return _root(read(digest)).parts


def _root(data: bytes) -> _Root:
    try:
        root = msgspec.msgpack.decode(data, type=_Root)
    except (msgspec.MsgspecError, RecursionError) as exc:
        raise _refused(f"it cannot be read ({exc})") from None
    if root.magic != MAGIC or root.version != VERSION:
        raise _refused(f"it is of version {root.version}, and this program reads version {VERSION}")
    if msgspec.msgpack.encode(root) != data or not 0 <= root.entries <= _MOST_ENTRIES:
        raise _refused("it is not written in the one way that is allowed")
    if any(len(part) != _DIGEST_BYTES for part in root.parts):
        raise _refused("it lists a part under something that is no digest")
    for omitted in root.omitted:
        if problem := path_problem(omitted.path):
            raise _refused(f"it names {omitted.path[:200]!r} as left out, whose path {problem}")
    return root


def check_entries(entries: Iterable[Entry]) -> None:
    """Pass where the entries are a tree: in order, each once, below folders that are entries themselves.

    Raises:
        ManifestRefused: they are not; the message names the first entry that is wrong.
    """
    entries = tuple(entries)
    _check(entries, {entry.path for entry in entries if entry.kind == Kind.FOLDER} | {b""}, b"")


def _check(entries: Iterable[Entry], folders: Collection[bytes], before: bytes) -> None:
    fits, file = _PATH.fullmatch, int(Kind.FILE)
    for entry in entries:
        path = entry.path
        # A plain file at a good path is told by one look, since there are so many of them.
        plain = (
            entry.kind == file
            and len(entry.digest) == _DIGEST_BYTES
            and 0 <= entry.size < _MOST
            and 0 <= entry.mode <= 0o777
            and -_MOST <= entry.mtime_ns < _MOST
            and not entry.target
            and (entry.size or not entry.sealed)
        )
        good = fits(path) is not None and len(path) <= _PATH_BYTES and path[:1] != b"."
        if not (plain and good) and (problem := path_problem(path) or _wrong(entry)):
            raise _refused(f"its entry {path[:200]!r} {problem}")
        if path <= before:
            raise _refused(f"its entry {path[:200]!r} stands twice or out of order")
        before = path
        if path.rpartition(b"/")[0] not in folders:
            raise _refused(f"its entry {path[:200]!r} has no folder to be in")


def path_problem(path: bytes) -> str:
    """Return why no entry may have this path, empty where it may."""
    if len(path) <= _PATH_BYTES and _PATH.fullmatch(path) is not None and not path.startswith(RESERVED):
        return ""
    if not path or b"\0" in path:
        return "is empty or holds a NUL"
    if path.startswith(b"/"):
        return "is absolute"
    if path.startswith(RESERVED):
        return "is where restores are prepared"
    if any(part in {b".", b"..", b""} for part in path.split(b"/")):
        return "has a component that is empty, `.` or `..`"
    return "is too long"


def _wrong(entry: Entry) -> str:
    if not -_MOST <= entry.mtime_ns < _MOST or not 0 <= entry.size < _MOST or not 0 <= entry.mode <= 0o777:
        return "has a size, mode or time that no file has"
    if entry.kind == Kind.FILE:
        if entry.sealed and not entry.size:
            return "is sealed, and empty"
        return "" if len(entry.digest) == _DIGEST_BYTES and not entry.target else "is a file without a digest"
    if entry.digest or entry.chunked or entry.size or entry.sealed:
        return "has a content that only a file has"
    if entry.kind == Kind.LINK:
        good = entry.target and b"\0" not in entry.target and len(entry.target) < 4_096 and not entry.mode
        return "" if good else "is a link that cannot be made"
    return "" if entry.kind == Kind.FOLDER and not entry.target else "is of a kind that does not exist"


def case_collisions(entries: Iterable[Entry]) -> list[tuple[bytes, bytes]]:
    """Return pairs of paths that a file system which folds case, or composes letters, would take for one."""
    entries = tuple(entries)
    paths = [entry.path for entry in entries]
    if b"".join(paths).isascii() and len(set(map(bytes.lower, paths))) == len(paths):
        return []
    seen: dict[bytes, bytes] = {}
    found = []
    for entry in entries:
        path = entry.path
        first = seen.setdefault(path.lower() if path.isascii() else _folded(path), path)
        if first is not path:
            found.append((first, path))
    return found


def _folded(path: bytes) -> bytes:
    text = unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape"))
    return text.casefold().encode("utf-8", "surrogateescape")


def _refused(why: str) -> ManifestRefused:
    return ManifestRefused(
        f"The manifest is refused: {why}.", remedy="Nothing was written; use another checkpoint, or verify the store."
    )
