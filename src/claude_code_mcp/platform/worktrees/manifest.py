"""A manifest as bytes: canonical, in parts that unchanged folders share, and believed only after every check."""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import msgspec

from claude_code_mcp.platform.worktrees.checking import (
    CheckedPart,
    check,
    check_entries,
    checked_part,
    fit_together,
    path_problem,
    refused,
)
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest, Omitted
from claude_code_mcp.platform.worktrees.parts import Parts

MAGIC = "claude-code-mcp manifest"
VERSION = 1
_PART_MASK = 0xFF
_PART_ENTRIES = 2_048
_MOST_ENTRIES = 5_000_000
_PATH_BYTES = 16_384
_DIGEST_BYTES = 32
_MOST = 2**63


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
            check(group, folders, before)
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


def read_manifest(digest: bytes, read: Read, known: Parts | None = None) -> Manifest:
    """Return the manifest whose root has this digest; parts that are `known` are not read again.

    Raises:
        ManifestRefused: it is not canonical, or one of its entries is none that a tree can have.
    """
    root = _root(read(digest))
    decoder = msgspec.msgpack.Decoder(list[Entry])
    encode = msgspec.msgpack.Encoder().encode
    entries: list[Entry] = []
    parts: list[CheckedPart] = []
    for named in root.parts:
        part = known.checked(named) if known is not None else None
        if part is None:
            data = read(named)
            try:
                group = decoder.decode(data)
            except (msgspec.MsgspecError, RecursionError) as exc:
                raise refused(f"a part of it cannot be read ({exc})") from None
            if encode(group) != data:
                raise refused("a part of it is not written in the one way that is allowed")
            part = checked_part(group)
        entries += part.entries
        parts.append(part)
        if len(entries) > root.entries:
            raise refused("it has more entries than it says")
    manifest = Manifest(tuple(entries), root.omitted)
    if len(entries) != root.entries or manifest.content_bytes != root.content_bytes:
        raise refused("it has other entries than it says")
    if not fit_together(parts):
        check_entries(manifest.entries)
        raise refused("its entries are no tree")
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
        raise refused(f"it cannot be read ({exc})") from None
    if root.magic != MAGIC or root.version != VERSION:
        raise refused(f"it is of version {root.version}, and this program reads version {VERSION}")
    if msgspec.msgpack.encode(root) != data or not 0 <= root.entries <= _MOST_ENTRIES:
        raise refused("it is not written in the one way that is allowed")
    if any(len(part) != _DIGEST_BYTES for part in root.parts):
        raise refused("it lists a part under something that is no digest")
    for omitted in root.omitted:
        if problem := path_problem(omitted.path):
            raise refused(f"it names {omitted.path[:200]!r} as left out, whose path {problem}")
    return root


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
