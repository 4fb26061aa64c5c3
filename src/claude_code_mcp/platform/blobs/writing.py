"""Putting objects: read, hashed, compared and compressed on two threads, written to packs nobody sees until commit."""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from claude_code_mcp.platform.blobs.backend import Backend
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.catalog import Catalog
from claude_code_mcp.platform.blobs.chunks import WINDOW_BYTES, Chunk, cut, encode_list
from claude_code_mcp.platform.blobs.errors import ObjectTooLarge
from claude_code_mcp.platform.blobs.index import Index
from claude_code_mcp.platform.blobs.objects import BIG_BYTES, OBJECT_BYTES, Committed, Ref
from claude_code_mcp.platform.blobs.packs import Entry, PackBuilder, file_name

THREADS = 2
BLOCK_BYTES = 512 * 1024
"""Small objects share a block until it holds this much."""

BATCH_BYTES = 2 * 1024 * 1024
"""One task for a thread."""

BATCH_ITEMS = 512
PACK_BYTES = 256 * 1024 * 1024
"""A pack that has grown to this is closed, and another begun."""

_S = TypeVar("_S")


class Writer:
    """Puts objects into one store; they are there for others once `commit` has returned.

    What is there already is not stored again. All methods are for one thread. After an error nothing more can be
    put or committed: what was not committed is gone.
    """

    def __init__(self, backend: Backend, catalog: Catalog, codec: Codec) -> None:
        self._backend = backend
        self._catalog = catalog
        self._codec = codec
        self._index: Index = catalog.fresh()
        self._lock = threading.Lock()  # guards the packs and what is pending in them, among our own threads
        self._packs: list[PackBuilder] = []
        self._pending: set[bytes] = set()
        self._unstored = 0  # claimed, but in no pack: at a commit there is none, unless a put has failed
        self._raw_bytes = 0
        self._few: list[tuple[bytes, bytes]] = []
        self._few_bytes = 0
        self._running: deque[Future[None]] = deque()
        self._threads: ThreadPoolExecutor | None = None

    def put(self, data: bytes) -> bytes:
        """Put `data` and return its SHA-256.

        Raises:
            ObjectTooLarge: it is longer than 16 MiB.
        """
        _bounded(data)
        digest = hashlib.sha256(data).digest()
        if self._claimed([digest]):
            self._few.append((digest, data))
            self._few_bytes += len(data)
            if self._few_bytes >= BATCH_BYTES:
                self._flush()
        return digest

    def put_all(self, sources: Iterable[tuple[_S, int]], read: Callable[[_S], bytes | None]) -> list[bytes | None]:
        """Put what `read` returns for each source, and return the digests in the order of the sources.

        `sources` are pairs with the expected size in bytes, at most 8 MiB each or so. `read` is called on several
        threads at once; where it returns None nothing is put, and None stands in the result.

        Raises:
            ObjectTooLarge: what was read is longer than 16 MiB.
        """
        found: list[list[bytes | None]] = []
        batch: list[_S] = []
        size = 0
        for source, size_bytes in sources:
            batch.append(source)
            size += size_bytes
            if size >= BATCH_BYTES or len(batch) >= BATCH_ITEMS:
                self._begin(batch, read, found)
                batch, size = [], 0
        if batch and not found and not self._running:
            digests: list[bytes | None] = []
            self._put_batch(batch, read, digests)
            return digests
        if batch:
            self._begin(batch, read, found)
        self._settle(0)
        return [digest for digests in found for digest in digests]

    def put_stream(self, read: Callable[[int], bytes]) -> Ref:
        """Put everything that `read(at most so many bytes)` gives until it gives none; memory stays bounded.

        Up to 8 MiB become one object, more become chunks and the list of them. `read` may be called on another
        thread, but never twice at once.
        """
        first = b""
        while len(first) <= BIG_BYTES and (more := read(BIG_BYTES + 1 - len(first))):
            first = first + more if first else more
        if len(first) <= BIG_BYTES:
            return Ref(self.put(first), len(first), chunked=False)
        return self._put_chunks(first, read)

    def _put_chunks(self, first: bytes, read: Callable[[int], bytes]) -> Ref:
        pool = self._pool()
        ahead = pool.submit(read, WINDOW_BYTES)

        def more() -> bytes:
            nonlocal ahead
            data = ahead.result()
            if data:
                ahead = pool.submit(read, WINDOW_BYTES)
            return data

        running: deque[Future[Chunk]] = deque()
        listed: list[Chunk] = []
        for piece in cut(first, more):
            running.append(pool.submit(self._put_chunk, piece))
            if len(running) > THREADS:
                listed.append(running.popleft().result())
        listed += [one.result() for one in running]
        return Ref(self.put(encode_list(listed)), sum(one.size for one in listed), chunked=True)

    def commit(self) -> Committed:
        """Make everything that was put durable, then visible. Without anything new nothing is written.

        Raises:
            OSError: the place would not serve; what was put is gone (what has become visible harms nobody).
        """
        self._flush()
        self._settle(0)
        if self._unstored:
            raise ValueError("a put has failed before: what was put since the last commit is lost")
        names: list[str] = []
        stored = 0
        try:
            for pack in self._packs:
                name, table = pack.seal()
                stored += pack.size_bytes
                pack.staged.publish("packs", file_name(name))
                self._catalog.added(table)
                names.append(name)
        finally:
            self._drop()
        done = Committed(len(self._pending), self._raw_bytes, stored, tuple(names))
        self._pending, self._raw_bytes = set(), 0
        self._index = self._catalog.current()
        return done

    def close(self) -> None:
        """Forget what was not committed; end the threads."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
        self._drop()

    def _drop(self) -> None:
        while self._packs:
            self._packs.pop().staged.discard()

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        return self._threads

    def _begin(self, batch: list[_S], read: Callable[[_S], bytes | None], found: list[list[bytes | None]]) -> None:
        self._settle(THREADS)
        found.append([])
        self._running.append(self._pool().submit(self._put_batch, batch, read, found[-1]))

    def _settle(self, most: int) -> None:
        """Wait until at most so many batches are under way."""
        while len(self._running) > most:
            self._running.popleft().result()

    def _put_batch(self, batch: Sequence[_S], read: Callable[[_S], bytes | None], digests: list[bytes | None]) -> None:
        data = [read(source) for source in batch]
        digests += [None if one is None else hashlib.sha256(one).digest() for one in data]
        fresh = self._claimed([digest for digest in digests if digest is not None])
        new: list[tuple[bytes, bytes]] = []
        for digest, one in zip(digests, data, strict=True):
            if one is not None and digest in fresh:
                fresh.discard(digest)
                _bounded(one)
                new.append((digest, one))
        self._store(new)

    def _claimed(self, digests: list[bytes]) -> set[bytes]:
        """Return those that nobody has stored and nobody else is about to store: now they are ours to store."""
        absent = set(self._index.missing(digests))
        if absent:
            with self._lock:
                absent -= self._pending
                self._pending |= absent
                self._unstored += len(absent)
        return absent

    def _put_chunk(self, piece: memoryview) -> Chunk:
        digest = hashlib.sha256(piece).digest()
        if self._claimed([digest]):
            self._append(piece, [(digest, 0, len(piece))])
        return Chunk(digest, len(piece))

    def _flush(self) -> None:
        if self._few:
            few, self._few, self._few_bytes = self._few, [], 0
            self._store(few)

    def _store(self, new: Sequence[tuple[bytes, bytes]]) -> None:
        parts: list[bytes] = []
        entries: list[Entry] = []
        size = 0
        for digest, data in new:
            if parts and size + len(data) > BLOCK_BYTES:
                self._append(b"".join(parts), entries)
                parts, entries, size = [], [], 0
            entries.append((digest, size, len(data)))
            parts.append(data)
            size += len(data)
        if parts:
            self._append(b"".join(parts), entries)

    def _append(self, raw: bytes | memoryview, entries: list[Entry]) -> None:
        frame = self._codec.pack(raw)
        with self._lock:
            if not self._packs or self._packs[-1].size_bytes >= PACK_BYTES:
                self._packs.append(PackBuilder(self._backend.stage(), self._codec))
            self._packs[-1].add(frame, len(raw), entries)
            self._unstored -= len(entries)
            self._raw_bytes += len(raw)


def _bounded(data: bytes) -> None:
    if len(data) > OBJECT_BYTES:
        raise ObjectTooLarge(
            f"{len(data)} bytes are too many for one object (at most {OBJECT_BYTES}).",
            remedy="Put them as a stream.",
            size_bytes=len(data),
        )
