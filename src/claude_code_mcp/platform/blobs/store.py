"""The object store: one directory, any number of processes."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from claude_code_mcp.platform.blobs import carrying
from claude_code_mcp.platform.blobs.backend import Backend
from claude_code_mcp.platform.blobs.blocks import LEVEL, Codec
from claude_code_mcp.platform.blobs.catalog import Catalog
from claude_code_mcp.platform.blobs.checking import Check, Offer
from claude_code_mcp.platform.blobs.errors import BlobsBusy, BlobsUnavailable
from claude_code_mcp.platform.blobs.guarding import GuardedBackend, told
from claude_code_mcp.platform.blobs.local import LocalBackend
from claude_code_mcp.platform.blobs.objects import Imported, Place, Swept, Usage, Verified, Wanted
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.blobs.sweeping import SESSIONS, Ask, Sweep, shares
from claude_code_mcp.platform.blobs.writing import Writer

WAIT_S = 30.0


class Store:
    """Objects under their SHA-256. Safe for several threads; each writer and reader is for one.

    A reader or writer is a session: nothing that it saw is swept while it is open. Keep the writer open until what
    you refer to is written down where `gc` is told of it.
    """

    def __init__(self, backend: Backend, *, level: int = LEVEL) -> None:
        self._backend = GuardedBackend(backend)
        self._codec = Codec(level)
        self._catalog = Catalog(self._backend, self._codec)

    @classmethod
    def open(cls, directory: Path) -> "Store":
        """Return the store in `directory`, which is made (0700) where it is not there.

        Raises:
            BlobsUnavailable: the disk would not serve.
            DirectoryUnsafe: the directory is not ours alone.
        """
        with told(f"open {directory}"):
            return cls(LocalBackend(directory))

    @contextmanager
    def writer(self) -> Generator[Writer]:
        """Hold a session that puts objects; what it has not committed at the end is forgotten.

        Raises:
            BlobsBusy: the store stayed locked.
            BlobsUnavailable: the disk would not serve.
        """
        with self._session():
            writer = Writer(self._backend, self._catalog, self._codec)
            try:
                yield writer
            finally:
                writer.close()
        with suppress(BlobsUnavailable):  # it only saves time at the next opening; what was committed is committed
            self._catalog.merge()

    @contextmanager
    def reader(self) -> Generator[Reader]:
        """Hold a session that gets objects.

        Raises:
            BlobsBusy: the store stayed locked.
            BlobsUnavailable: the disk would not serve.
        """
        with self._session():
            reader = Reader(self._backend, self._catalog, self._codec)
            try:
                yield reader
            finally:
                reader.close()

    @contextmanager
    def _session(self) -> Generator[None]:
        with self._backend.hold(SESSIONS, shared=True, wait_s=WAIT_S) as held:
            if not held:
                raise BlobsBusy(
                    f"The object store has been locked for {WAIT_S:g} s.", remedy="Try again when its sweep is over."
                )
            yield

    def missing(self, digests: Iterable[bytes]) -> list[bytes]:
        """Return those of `digests` that must be put again: not there, damaged, or about to be swept."""
        return self._catalog.fresh().missing(digests)

    def has(self, digest: bytes) -> bool:
        """Whether the object is there, and may be relied on."""
        return not self.missing((digest,))

    def locate(self, digest: bytes) -> Place | None:
        """Return where the object lies, None where it is nowhere."""
        return self._catalog.fresh().place(digest)

    def gc(self, ask: Ask, *, grace_s: float = 3600.0, wait_s: float = WAIT_S) -> Swept:
        """Delete what nobody wants, and pack what is left more tightly; return what was done.

        `ask` is called twice, and must each time say all that is wanted then. Packs younger than `grace_s` are left
        alone. Readers and writers go on meanwhile; where they never leave a gap within `wait_s`, the deletion is
        postponed to the next gc. Not to be called by who holds a reader or writer.

        Raises:
            StoreNeedsRepair: a wanted list of chunks cannot be read; nothing was deleted.
            BlobsBusy: another gc is under way.
            BlobsUnavailable: the disk would not serve; everything wanted is still there.
        """
        return Sweep(self._backend, self._catalog, self._codec, ask).run(grace_s, wait_s)

    def verify(self, wanted: Wanted | None = None, *, repair: Offer | None = None) -> Verified:
        """Read and hash everything; return what was found, and what was healed.

        `wanted` is what must be there. With `repair` each object that is lost or missing is asked of it, and stored
        again where it knows the content; putting the content again in any other way heals it as well.

        Raises:
            BlobsBusy: the store stayed locked.
            BlobsUnavailable: the disk would not serve.
        """
        with self._session():
            return Check(self._backend, self._catalog, self._codec, wanted).run(repair)

    def usage(self, wanted: Wanted | None = None) -> Usage:
        """Return how much room is taken, and how much of it by `wanted` (chunks of its lists included)."""
        with self.reader() as reader:
            index = self._catalog.current()
            digests = set[bytes]()
            if wanted is not None:
                digests.update(wanted.objects, wanted.lists)
                for one in wanted.lists:
                    digests.update(chunk.digest for chunk in reader.chunks(one))
            found, _ = shares(index, digests)
        sizes = index.packs()
        of_wanted = (
            sizes[name] * share.wanted_raw_bytes / share.raw_bytes for name, share in found.items() if share.raw_bytes
        )
        return Usage(
            packs=len(sizes),
            objects=sum(share.objects for share in found.values()),
            raw_bytes=sum(share.raw_bytes for share in found.values()),
            stored_bytes=sum(sizes.values()),
            wanted_objects=sum(share.wanted_objects for share in found.values()),
            wanted_raw_bytes=sum(share.wanted_raw_bytes for share in found.values()),
            wanted_stored_bytes=round(sum(of_wanted)),
        )

    def export_to(self, target: Path, wanted: Wanted, note: bytes = b"") -> int:
        """Write `wanted` (lists with their chunks) and `note` (at most 1 MiB) into one file; return its size.

        Raises:
            ObjectMissing, ObjectDamaged: something cannot be had; there is no file then.
            BlobsUnavailable: a disk would not serve.
        """
        with self.reader() as reader:
            return carrying.export_to(target, reader, wanted, note, self._codec)

    def import_from(self, source: Path, *, limit_bytes: int = carrying.LIMIT_BYTES) -> Imported:
        """Take in an export, all of it or nothing; return what it held.

        What it brings is swept by the next gc after the grace time, unless it is wanted by then.

        Raises:
            ImportRefused: it is no whole, honest export, or expands to more than `limit_bytes`.
            BlobsUnavailable: a disk would not serve.
        """
        with self.writer() as writer:
            return carrying.import_from(source, writer, self._codec, limit_bytes)
