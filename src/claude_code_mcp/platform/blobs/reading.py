"""Getting objects: each block once, on two threads, and never a byte that is not the one that was put."""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from claude_code_mcp.platform.blobs.backend import Backend
from claude_code_mcp.platform.blobs.blocks import Codec
from claude_code_mcp.platform.blobs.catalog import Catalog
from claude_code_mcp.platform.blobs.chunks import Chunk, decode_list
from claude_code_mcp.platform.blobs.errors import BlobsUnavailable, Malformed, ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.index import Index
from claude_code_mcp.platform.blobs.marks import mark_damaged
from claude_code_mcp.platform.blobs.objects import Faults, Place, Ref
from claude_code_mcp.platform.blobs.packs import file_name

THREADS = 2
TASK_BYTES = 2 * 1024 * 1024
_KEPT_BLOCKS = 8
_KEPT_BYTES = 512 * 1024

Take = Callable[[bytes, bytes], None]
"""Is given a digest and its bytes."""
_Group = tuple[Place, list[tuple[bytes, Place]]]


class Reader:
    """Gets objects out of one store. All methods are for one thread."""

    def __init__(self, backend: Backend, catalog: Catalog, codec: Codec) -> None:
        self._backend = backend
        self._catalog = catalog
        self._codec = codec
        self._index: Index = catalog.fresh()
        self._kept: dict[tuple[str, int], bytes] = {}
        self._threads: ThreadPoolExecutor | None = None

    def locate(self, digest: bytes) -> Place | None:
        """Return where the object lies, None where it is nowhere."""
        return self._index.place(digest)

    def missing(self, digests: Iterable[bytes]) -> list[bytes]:
        """Return those of `digests` that are not in the store."""
        return [digest for digest in digests if digest not in self._index]

    def read(self, digest: bytes) -> bytes:
        """Return the object.

        Raises:
            ObjectMissing: there is none.
            ObjectDamaged: none of its copies is whole.
        """
        for fresh in (False, True):
            if fresh:
                self._index = self._catalog.fresh()
            place = self._index.place(digest)
            if place is None:
                continue
            with suppress(FileNotFoundError, Malformed):
                return self._object(digest, place, self._block(place, keep=True))
            found = self._rescued(digest, place)
            if found is not None:
                return found
        raise self._refusal(digest)

    def _refusal(self, digest: bytes) -> ObjectMissing | ObjectDamaged:
        name = digest.hex()
        places = sorted({place.pack for place in self._index.copies(digest)})
        if not places:
            return ObjectMissing(
                f"The store has no object {name}.",
                remedy="Put its content again, or restore something that does not need it.",
                digest=name,
            )
        return ObjectDamaged(
            f"Object {name} is damaged in {', '.join(places)}.",
            remedy="Verify the store with repair: where the content is still in a tree, it is healed.",
            digests=[name],
            packs=places,
        )

    def chunks(self, digest: bytes) -> list[Chunk]:
        """Return what the list `digest` names.

        Raises:
            ObjectMissing, ObjectDamaged: as `read`; also where the object is no list.
        """
        try:
            return decode_list(self.read(digest))
        except Malformed as exc:
            raise ObjectDamaged(
                f"Object {digest.hex()} should be a list of chunks: {exc}.",
                remedy="Verify the store, and whoever says that it is one.",
                digests=[digest.hex()],
            ) from None

    def write_to(self, ref: Ref, write: Callable[[bytes], object]) -> int:
        """Give the content of `ref` to `write`, in order, in pieces of at most 16 MiB; return how many bytes it was.

        Raises:
            ObjectMissing, ObjectDamaged: as `read`; what was given until then is right.
        """
        if not ref.chunked:
            data = self.read(ref.digest)
            write(data)
            return len(data)
        size = 0
        ahead: deque[tuple[Chunk, Future[bytes | None]]] = deque()
        chunks = iter(self.chunks(ref.digest))
        while True:
            while len(ahead) <= THREADS and (chunk := next(chunks, None)) is not None:
                ahead.append((chunk, self._pool().submit(self._tried, chunk.digest)))
            if not ahead:
                return size
            chunk, got = ahead.popleft()
            data = got.result() or self.read(chunk.digest)
            write(data)
            size += len(data)

    def _tried(self, digest: bytes) -> bytes | None:
        place = self._index.place(digest)
        if place is not None:
            with suppress(FileNotFoundError, Malformed):
                return self._object(digest, place, self._block(place))
        return None

    def each(self, digests: Iterable[bytes], take: Take | None = None) -> Faults:
        """Give each object to `take`, once, in the order in which they lie; return those that could not be had.

        `take` is called on several threads at once. Without it the objects are only checked. What `take` raises
        ends it, and is raised.
        """
        faults = self._pass(set(digests), take)
        if not faults.missing:
            return faults
        # A pack may have been rewritten since we looked.
        self._index = self._catalog.fresh()
        again = self._pass(set(faults.missing), take)
        return Faults(again.missing, faults.damaged + again.damaged)

    def check(self, objects: Iterable[bytes], lists: Iterable[bytes] = ()) -> Faults:
        """Read and hash `objects`, and `lists` with all that they name; return what is missing or damaged."""
        wanted = set(objects)
        missing: list[bytes] = []
        damaged: list[bytes] = []
        for one in set(lists):
            try:
                wanted.update(chunk.digest for chunk in self.chunks(one))
            except ObjectMissing:
                missing.append(one)
            except ObjectDamaged:
                damaged.append(one)
        found = self.each(wanted)
        return Faults((*missing, *found.missing), (*damaged, *found.damaged))

    def close(self) -> None:
        """End the threads."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        return self._threads

    def _pass(self, digests: set[bytes], take: Take | None) -> Faults:
        groups, missing = self._grouped(digests)
        damaged: list[bytes] = []
        lock = threading.Lock()  # guards the two lists

        def run(task: Sequence[_Group]) -> None:
            for block, objects in task:
                lost, gone = self._take_block(block, objects, take)
                with lock:
                    damaged.extend(lost)
                    missing.extend(gone)

        running: deque[Future[None]] = deque()
        try:
            for task in _tasks(groups):
                if len(groups) <= 1:
                    run(task)
                    break
                if len(running) > THREADS:
                    running.popleft().result()
                running.append(self._pool().submit(run, task))
            while running:
                running.popleft().result()
        finally:
            for one in running:
                one.cancel()
            wait(running)  # `take` is not called any more when this has ended
        return Faults(tuple(missing), tuple(damaged))

    def _grouped(self, digests: set[bytes]) -> tuple[list[_Group], list[bytes]]:
        groups: dict[tuple[str, int], _Group] = {}
        missing: list[bytes] = []
        find = self._index.place
        for digest in digests:
            place = find(digest)
            if place is None:
                missing.append(digest)
                continue
            key = place[:2]
            group = groups.get(key)
            if group is None:
                groups[key] = (place, [(digest, place)])
            else:
                group[1].append((digest, place))
        for _, objects in groups.values():
            objects.sort(key=_start)  # as they were put: neighbours in a folder come one after the other
        return [groups[key] for key in sorted(groups)], missing

    def _take_block(
        self, block: Place, objects: list[tuple[bytes, Place]], take: Take | None
    ) -> tuple[list[bytes], list[bytes]]:
        """Give the objects of one block to `take`; return those that are damaged, and those whose pack is gone."""
        raw: bytes | None = None
        try:
            raw = self._block(block)
        except FileNotFoundError:
            return [], [digest for digest, _ in objects]
        except Malformed:
            pass  # each of its objects may have another copy
        lost = []
        for digest, place in objects:
            data: bytes | None = None
            if raw is not None:
                with suppress(Malformed):
                    data = self._object(digest, place, raw)
            if data is None:
                data = self._rescued(digest, place)
            if data is None:
                lost.append(digest)
            elif take is not None:
                take(digest, data)
        return lost, []

    def _block(self, place: Place, *, keep: bool = False) -> bytes:
        key = (place.pack, place.at)
        raw = self._kept.get(key)
        if raw is not None:
            return raw
        try:
            frame = self._backend.get_range("packs", file_name(place.pack), place.at, place.stored)
            raw = self._codec.unpack(frame, place.raw)
        except Malformed as exc:
            raise self._noted(place, str(exc)) from None
        if keep and len(raw) <= _KEPT_BYTES:
            if len(self._kept) >= _KEPT_BLOCKS:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = raw
        return raw

    def _object(self, digest: bytes, place: Place, raw: bytes) -> bytes:
        data = raw[place.start : place.start + place.length]
        if len(data) != place.length or hashlib.sha256(data).digest() != digest:
            raise self._noted(place, "its bytes have another digest")
        return data

    def _noted(self, place: Place, why: str) -> Malformed:
        """Mark the block, so that whoever puts its content again heals it; where nothing can be written, do without."""
        if (place.pack, place.at) not in self._index.bad_blocks:
            with suppress(BlobsUnavailable):
                mark_damaged(self._backend, place.pack, place.at)
        return Malformed(why)

    def _rescued(self, digest: bytes, not_at: Place) -> bytes | None:
        """Return the object from another place than `not_at`, None where there is no whole copy."""
        for place in self._index.copies(digest):
            if place != not_at:
                with suppress(FileNotFoundError, Malformed):
                    return self._object(digest, place, self._block(place))
        return None


def _start(one: tuple[bytes, Place]) -> int:
    return one[1].start


def _tasks(groups: list[_Group]) -> Iterable[list[_Group]]:
    task: list[_Group] = []
    size = 0
    for group in groups:
        task.append(group)
        size += group[0].raw
        if size >= TASK_BYTES:
            yield task
            task, size = [], 0
    if task:
        yield task
