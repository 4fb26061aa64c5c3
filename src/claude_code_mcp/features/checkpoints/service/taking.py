"""Taking checkpoints: off the loop, one at a time for each project, kept only when everything of it is durable."""

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from claude_code_mcp.features.checkpoints.errors import CheckpointsClosing
from claude_code_mcp.features.checkpoints.models import (
    Checkpoint,
    Point,
    SecretsPolicy,
    Strategy,
    TreeSettings,
    Trigger,
)
from claude_code_mcp.features.checkpoints.rules.options import scan_options
from claude_code_mcp.features.checkpoints.rules.paths import EXAMPLES, shown
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.trees import Tree, Trees
from claude_code_mcp.kernel.ids import CheckpointId, uuid7
from claude_code_mcp.platform.blobs.errors import ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.objects import Ref
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.blobs.writing import Writer
from claude_code_mcp.platform.seal.content import SealWith
from claude_code_mcp.platform.seal.keys import SealKeys
from claude_code_mcp.platform.worktrees.contents import Contents
from claude_code_mcp.platform.worktrees.looked import Dirty, ScanOptions
from claude_code_mcp.platform.worktrees.models import Manifest
from claude_code_mcp.platform.worktrees.reading import Sink
from claude_code_mcp.platform.worktrees.restoring import restoring
from claude_code_mcp.platform.worktrees.taking import Taken, keep_manifest, take_tree, wanted_objects

WAIT_S = 60.0
"""How long a take waits for a restore by another process."""

_S = TypeVar("_S")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeWish:
    """What kind of checkpoint is wanted.

    `include`: patterns of what is taken although it is ignored. `also`: exact paths that are taken whatever the rules
    say. `always`: a new checkpoint even where nothing changed since the last. `cause`: the moment that it belongs to.
    `seen` is called whenever the tree has been read, and `finish` completes the checkpoint before it is kept: its
    point, its remarks. Both run on another thread.
    """

    trigger: Trigger = Trigger.MANUAL
    message: str = ""
    label: str | None = None
    pinned: bool = False
    point: Point = field(default_factory=Point)
    include: tuple[str, ...] = ()
    also: Collection[bytes] = ()
    always: bool = False
    cause: str = ""
    seen: Callable[[], None] | None = None
    finish: Callable[[Checkpoint], None] | None = None
    client: str = ""


@dataclass(frozen=True, slots=True)
class TakenTree:
    """A checkpoint, and what was seen of the tree; `unchanged`: it is the one that the project stood on already.

    `seen` is None where a watch told that nothing happened at all, so that nobody had to look.
    """

    checkpoint: Checkpoint
    seen: Taken | None
    unchanged: bool


class Taking:
    """Takes checkpoints."""

    def __init__(self, book: Book, blobs: Store, trees: Trees, keys: SealKeys) -> None:
        self.book = book
        self.blobs = blobs
        self.trees = trees
        self.keys = keys
        self._loop = asyncio.get_running_loop()
        self.closing = False
        self._running: set[asyncio.Future[Any]] = set()

    async def take(self, project: Path, wish: TakeWish) -> Checkpoint:
        """Take the project's tree as it is now, and return its checkpoint once it is durable.

        Where nothing changed since the checkpoint that the project stands on, that one is returned, unless
        `wish.always`.

        Raises:
            TreeNotFound: the folder is gone.
            TreeBusy: a restore is at work in it.
            BlobsUnavailable, StoreUnavailable: the disk would not take it; nothing was kept.
            CheckpointsClosing: the daemon is shutting down.
        """
        return (await self.take_tree(project, wish)).checkpoint

    async def take_tree(self, project: Path, wish: TakeWish) -> TakenTree:
        """As `take`, and return the tree with it."""
        async with self.trees.held(project) as tree:
            return await self.take_held(tree, wish)

    async def take_held(self, tree: Tree, wish: TakeWish) -> TakenTree:
        """As `take`, for whoever holds the tree's lock. With `wish.also` the tree is always looked at."""
        settings = self.book.project(tree.root).settings
        tree.watched = settings.strategy is not Strategy.MANUAL
        taken = await self.on_thread(lambda: self._take(tree, wish, settings))
        dropped = self.trees.drop_some()
        if dropped:
            await self.on_thread(lambda: self.trees.save(*dropped))
        return taken

    async def look(self, tree: Tree, sink: Sink, also: Collection[bytes] = (), within: Collection[bytes] = ()) -> Taken:
        """Return the tree as it is now without keeping it, for whoever holds its lock.

        `within`: only these paths, what is below them and the folders that lead there matter to the caller; the rest
        may be as it was when the tree was last taken.
        """
        settings = self.book.project(tree.root).settings
        dirty = Dirty(trees=frozenset(within)) if within else None

        def look() -> Taken:
            self.trees.recall(tree)
            options = scan_options(settings, also=also, seal_with=self.seal_with(settings))
            return take_tree(tree.root, sink, options, tree.cache, dirty)

        return await self.on_thread(look)

    def seal_with(self, settings: TreeSettings) -> SealWith | None:
        """Return with what a project's secrets are sealed, None where they are not. For a thread: reads a file.

        Where it is not known with which key, they are left out by name.
        """
        if settings.secrets is not SecretsPolicy.SEAL:
            return None
        return SealWith(self.keys, self.keys.current_id or b"")

    def contents(self, reader: Reader, settings: TreeSettings) -> Contents:
        """Return the contents of checkpoints as they were in a project's tree. For a thread, as `reader` is."""
        return Contents(reader, self.keys, self.seal_with(settings))

    async def on_thread(self, work: Callable[[], _T]) -> _T:
        """Run `work` on a thread, to its end even where the caller is cancelled.

        Raises:
            CheckpointsClosing: the daemon is shutting down.
        """
        if self.closing:
            raise _closing()
        return await self.to_end(asyncio.to_thread(work))

    async def to_end(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run `work` to its end, even where the caller is cancelled: whoever holds a lock holds it as long."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()
            raise

    def soon(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the loop, and wait for it. For a thread that `on_thread` started."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def busy(self) -> bool:
        """Tell whether anything is at work."""
        return bool(self._running)

    async def aclose(self) -> None:
        """End what is at work: a take is given up, a restore is carried to its end."""
        self.closing = True
        while self._running:
            await asyncio.wait(set(self._running))
        await asyncio.to_thread(self.trees.close)

    def _take(self, tree: Tree, wish: TakeWish, settings: TreeSettings) -> TakenTree:
        self.trees.recall(tree)
        options = scan_options(settings, wish.include, wish.also, self.seal_with(settings))
        with restoring(tree.root, WAIT_S, shared=True):
            try:
                dirty = tree.changes()
                if dirty == Dirty() and not wish.also and (same := self._untouched(tree, wish, options)) is not None:
                    if wish.seen is not None:
                        wish.seen()
                    return TakenTree(same, None, unchanged=True)
                # Until the row is there the session keeps the sweep away from everything that it will refer to.
                with self.blobs.writer() as writer:
                    return self._kept(tree, wish, options, _Look(writer, dirty))
            except BaseException:
                tree.unwatch()  # what it told is used up
                raise

    def _untouched(self, tree: Tree, wish: TakeWish, options: ScanOptions) -> Checkpoint | None:
        """Return the checkpoint that the project stands on, where all is as it was when that was last looked at."""
        sure = tree.cache is not None and tree.sure_of == self.book.forgotten and tree.options == options
        position = self._position(tree) if sure and not wish.always else None
        same = position is not None and tree.cache is not None and tree.cache.manifest == position.digest
        return position if same else None

    def _kept(self, tree: Tree, wish: TakeWish, options: ScanOptions, look: "_Look") -> TakenTree:
        began, writer = time.monotonic(), look.writer
        forgotten = self.book.forgotten
        sink = _Stoppable(writer, self)
        first = tree.cache is None
        taken = _seen(wish, take_tree(tree.root, sink, options, tree.cache, look.dirty))
        sure = tree.cache is not None and tree.sure_of == forgotten
        if sure and not wish.always and (position := self._same_as_position(tree, taken)) is not None:
            tree.remember(taken.stat_cache(position.digest), forgotten, options)
            return TakenTree(position, taken, unchanged=True)
        encoded = taken.encoded(tree.parts)
        keep_manifest(writer, encoded)
        done = writer.commit()
        if not first and not sure and self._lacks(encoded.digest, taken.manifest):
            # The store has lost, or is about to sweep, what the cache relied on: everything is read and put anew.
            tree.forget()
            taken = _seen(wish, take_tree(tree.root, sink, options))
            encoded = taken.encoded(tree.parts)
            keep_manifest(writer, encoded)
            done = writer.commit()
        if not sure and not wish.always and (position := self._same_as_position(tree, taken)) is not None:
            tree.remember(taken.stat_cache(position.digest), forgotten, options)
            return TakenTree(position, taken, unchanged=True)
        one = _checkpoint(tree.root, wish, taken, encoded.digest)
        one.created_at = self.book.stamp()
        if wish.finish is not None:
            wish.finish(one)
        one.stored_bytes, one.took_ms = done.stored_bytes, round((time.monotonic() - began) * 1000)
        one = self.soon(self.book.add(one))
        tree.remember(taken.stat_cache(encoded.digest), forgotten, options)
        if first:
            self.trees.save(tree)
        return TakenTree(one, taken, unchanged=False)

    def _same_as_position(self, tree: Tree, taken: Taken) -> Checkpoint | None:
        """Return the checkpoint that the project stands on, where the tree is still what it holds."""
        position = self._position(tree)
        if position is None:
            return None
        digest = taken.manifest_digest or taken.encoded(tree.parts).digest
        return position if position.digest == digest else None

    def _position(self, tree: Tree) -> Checkpoint | None:
        async def read() -> Checkpoint | None:
            return self.book.get(self.book.project(tree.root).position)

        return self.soon(read())

    def _lacks(self, digest: bytes, manifest: Manifest) -> bool:
        """Tell whether the store cannot vouch for everything that a manifest names."""
        wanted = wanted_objects(digest, (), manifest)
        with self.blobs.reader() as reader:
            try:
                chunks = {chunk.digest for one in wanted.lists for chunk in reader.chunks(one)}
            except (ObjectMissing, ObjectDamaged):
                return True
        return bool(self.blobs.missing({*wanted.objects, *wanted.lists, *chunks}))


def _seen(wish: TakeWish, taken: Taken) -> Taken:
    if wish.seen is not None:
        wish.seen()
    return taken


def _checkpoint(root: Path, wish: TakeWish, taken: Taken, digest: bytes) -> Checkpoint:
    manifest = taken.manifest
    return Checkpoint(
        id=CheckpointId(uuid7()),
        project=str(root),
        manifest=digest.hex(),
        trigger=wish.trigger,
        created_at="",
        message=wish.message,
        label=wish.label,
        pinned=wish.pinned,
        point=wish.point,
        files=manifest.files,
        content_bytes=manifest.content_bytes,
        torn=[shown(one.path) for one in taken.omitted if one.reason == "torn"][:EXAMPLES],
        retried=[shown(path) for path in taken.retried][:EXAMPLES],
        left_out={one.reason: one.count for one in taken.left_out},
        cause=wish.cause,
        client=wish.client,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """Where contents go, and where to look for them (None: everywhere)."""

    writer: Writer
    dirty: Dirty | None


class _Stoppable:
    """A writer that refuses more when the daemon is shutting down."""

    def __init__(self, writer: Writer, taking: Taking) -> None:
        self._writer = writer
        self._taking = taking

    def put_all(self, sources: Sequence[tuple[_S, int]], read: Callable[[_S], bytes | None]) -> Sequence[bytes | None]:
        return self._writer.put_all(self._each(sources), read)

    def put_stream(self, read: Callable[[int], bytes]) -> Ref:
        def more(most: int) -> bytes:
            self._go_on()
            return read(most)

        return self._writer.put_stream(more)

    def _each(self, sources: Sequence[tuple[_S, int]]) -> Generator[tuple[_S, int]]:
        for source in sources:
            self._go_on()
            yield source

    def _go_on(self) -> None:
        if self._taking.closing:
            raise _closing()


def _closing() -> CheckpointsClosing:
    return CheckpointsClosing("The daemon is shutting down.", remedy="Call again: a new daemon is started.")
