"""Taking a tree as it is now: scan, read what looks different, and return its manifest with the next cache."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Protocol, TypeVar

import msgspec

from claude_code_mcp.platform.blobs.chunks import Chunk, cut, encode_list
from claude_code_mcp.platform.blobs.objects import BIG_BYTES, Ref, Wanted
from claude_code_mcp.platform.worktrees.errors import ManifestRefused
from claude_code_mcp.platform.worktrees.looked import Dirty, LeftOut, Pending, Scan, ScanOptions
from claude_code_mcp.platform.worktrees.manifest import EncodedManifest, encode_manifest, manifest_parts
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest, Omitted, Reason
from claude_code_mcp.platform.worktrees.parts import Parts
from claude_code_mcp.platform.worktrees.reading import Outcome, Sink, read_files
from claude_code_mcp.platform.worktrees.rooted import open_root
from claude_code_mcp.platform.worktrees.scan import scan_tree
from claude_code_mcp.platform.worktrees.statcache import Known, StatCache, decode_cache, encode_cache

_S = TypeVar("_S")


@dataclass(slots=True)
class Taken:
    """A tree as it was taken.

    `manifest_digest` is set where nothing differs from what the cache was made of: then that manifest is this one.
    `retried`: files that were changed while they were read, and were read again. `read_files`, `read_bytes`: how much
    had to be read at all.
    """

    scan: Scan = field(repr=False)
    manifest_digest: bytes | None
    retried: tuple[bytes, ...] = ()
    read_files: int = 0
    read_bytes: int = 0
    _manifest: Manifest | None = field(default=None, repr=False)

    @property
    def manifest(self) -> Manifest:
        """The tree."""
        if self._manifest is None:
            entries = tuple(sorted(self.scan.entries, key=attrgetter("path")))
            self._manifest = Manifest(entries, tuple(self.scan.omitted))
        return self._manifest

    @property
    def omitted(self) -> Sequence[Omitted]:
        """What was left out by name, because it could not be kept."""
        return self.scan.omitted

    @property
    def left_out(self) -> Sequence[LeftOut]:
        """What was left out, counted by reason, with a few examples of each."""
        return self.scan.left_out

    def encoded(self, known: Parts | None = None) -> EncodedManifest:
        """Return the manifest as objects; `known` (kept from one take to the next) spares what is the same."""
        return encode_manifest(self.manifest, known)

    def stat_cache(self, manifest_digest: bytes) -> StatCache:
        """Return the next stat cache, to be kept in memory; use it only when the objects of this tree are durable."""
        scan = self.scan
        return StatCache(scan.fingerprint, scan.exceptions, manifest_digest, scan.folders, tuple(scan.omitted))

    def cache(self, manifest_digest: bytes) -> bytes:
        """Return the next stat cache as bytes, to be kept on disk; the same holds."""
        return encode_cache(self.stat_cache(manifest_digest))


def take_tree(
    root: str | bytes | os.PathLike[str],
    sink: Sink,
    options: ScanOptions,
    cache: bytes | StatCache | None = None,
    dirty: Dirty | None = None,
) -> Taken:
    """Take the tree at `root`: contents that look different from those in `cache` go to `sink`.

    `cache` is what `Taken.cache` or `Taken.stat_cache` returned; without it everything is read. `dirty` is what a
    `TreeWatch` tells, which has followed the tree since; without it the whole tree is walked. Others may write
    meanwhile: each file is one consistent content, or is reported as torn.

    Raises:
        TreeNotFound: there is no such folder.
    """
    known = cache if isinstance(cache, StatCache) else decode_cache(cache)
    root_fd = open_root(root)
    try:
        scan = scan_tree(root_fd, os.path.realpath(os.fsencode(root)), options, known, dirty)
        scan.pending.sort()
        outcomes = read_files(root_fd, scan.pending, sink, options.seal) if scan.pending else []
    finally:
        os.close(root_fd)
    taken = Taken(scan, None)
    for pending, outcome in zip(scan.pending, outcomes, strict=True):
        _note(taken, pending, outcome)
    scan.omitted.sort(key=attrgetter("path"))
    if known is not None and not scan.changed:
        taken.manifest_digest = known.manifest
    return taken


def _note(taken: Taken, pending: Pending, outcome: Outcome) -> None:
    """Put what came of one file into the entries and into what the next cache will hold."""
    scan = taken.scan
    folder, _, name = pending.path.rpartition(b"/")
    kept = scan.folders[folder].kept
    placeholder = kept.pop(name)
    if outcome.tries > 1:
        taken.retried = (*taken.retried, pending.path)
    if outcome.info is None or outcome.ref is None:
        _leave_out(scan, pending.path, outcome)
        return
    info, ref = outcome.info, outcome.ref
    entry = Entry(
        pending.path, Kind.FILE, info.st_mode & 0o777, ref.size, info.st_mtime_ns, ref.digest, ref.chunked,
        sealed=outcome.sealed,
    )  # fmt: skip
    kept[name] = Known(scan.signature(info), entry, placeholder.plain)
    scan.entries.append(entry)
    taken.read_files += 1
    taken.read_bytes += ref.size


def _leave_out(scan: Scan, path: bytes, outcome: Outcome) -> None:
    reason = outcome.reason or Reason.TORN
    if reason is not Reason.VANISHED:
        scan.omitted.append(Omitted(path, reason, outcome.detail))
    for number, one in enumerate(scan.left_out):
        if one.reason == reason.value:
            scan.left_out[number] = LeftOut(one.reason, one.count + 1, (*one.examples, path)[:5])
            return
    scan.left_out.append(LeftOut(reason.value, 1, (path,)))


class Digests:
    """A sink that keeps nothing: for comparing a tree with a manifest without storing a byte."""

    def put_all(self, sources: Sequence[tuple[_S, int]], read: Callable[[_S], bytes | None]) -> Sequence[bytes | None]:
        """Return the digest of each source."""
        found = (read(source) for source, _ in sources)
        return [None if data is None else hashlib.sha256(data).digest() for data in found]

    def put_stream(self, read: Callable[[int], bytes]) -> Ref:
        """Return where a store would keep this content."""
        first = b""
        while len(first) <= BIG_BYTES and (more := read(BIG_BYTES + 1 - len(first))):
            first += more
        if len(first) <= BIG_BYTES:
            return Ref(hashlib.sha256(first).digest(), len(first), chunked=False)
        chunks = [Chunk(hashlib.sha256(piece).digest(), len(piece)) for piece in cut(first, lambda: read(BIG_BYTES))]
        return Ref(hashlib.sha256(encode_list(chunks)).digest(), sum(one.size for one in chunks), chunked=True)


class ManifestWriter(Protocol):
    """What keeps objects, as a writer of the object store does."""

    def put(self, data: bytes) -> bytes:
        """Keep `data`, and return its SHA-256."""
        ...


def keep_manifest(writer: ManifestWriter, encoded: EncodedManifest) -> bytes:
    """Put the objects of a manifest, and return its digest; whoever owns the writer commits."""
    for _, data in encoded.objects():
        writer.put(data)
    return encoded.digest


@dataclass(slots=True)
class Needed:
    """What some manifests need: `objects` and `lists`, told by `manifests` and their `parts`; it holds for ever."""

    manifests: set[bytes] = field(default_factory=set)
    parts: set[bytes] = field(default_factory=set)
    objects: set[bytes] = field(default_factory=set)
    lists: set[bytes] = field(default_factory=set)


class Needs:
    """Gathers what the store must keep for many manifests; parts that several of them share are read once.

    `found` is what was gathered before, and is added to: of its manifests nothing is read again.
    """

    def __init__(self, read: Callable[[bytes], bytes], found: Needed | None = None) -> None:
        self._read = read
        self._decoder = msgspec.msgpack.Decoder(list[Entry])
        self.found = found if found is not None else Needed()
        self.objects = self.found.objects
        self.lists = self.found.lists

    def add(self, digest: bytes) -> None:
        """Add what the manifest `digest` needs, itself included; what was read before an error counts.

        Raises:
            ManifestRefused: it is no manifest.
            ObjectMissing, ObjectDamaged: `read` cannot give all of it.
        """
        if digest in self.found.manifests:
            return
        self.objects.add(digest)
        for part in manifest_parts(digest, self._read):
            self.objects.add(part)
            if part in self.found.parts:
                continue
            try:
                entries = self._decoder.decode(self._read(part))
            except (msgspec.MsgspecError, RecursionError) as exc:
                raise ManifestRefused(
                    f"A part of manifest {digest.hex()} cannot be read ({exc}).", remedy="Verify the store."
                ) from None
            self.objects.update([entry.digest for entry in entries if not entry.chunked])
            self.lists.update([entry.digest for entry in entries if entry.chunked])
            self.objects.discard(b"")  # of links and folders
            self.lists.discard(b"")
            self.found.parts.add(part)
        self.found.manifests.add(digest)

    @property
    def wanted(self) -> Wanted:
        """All of it."""
        return Wanted(self.objects, self.lists)


def wanted_objects(digest: bytes, parts: Iterable[bytes], manifest: Manifest) -> Wanted:
    """Return what the store must keep for a manifest: its own objects, and the contents."""
    files = [entry for entry in manifest.entries if entry.digest]
    whole = {entry.digest for entry in files if not entry.chunked} | {digest, *parts}
    return Wanted(whole, {entry.digest for entry in files if entry.chunked})
