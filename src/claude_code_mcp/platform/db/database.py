"""One thread owns the one writing connection; writes that wait together are committed together."""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from claude_code_mcp.platform.db.errors import StoreClosed, StoreUnavailable
from claude_code_mcp.platform.db.migrations import Migration, migrate

T = TypeVar("T")
Write = Callable[[sqlite3.Connection], T]
BATCH = 256
"""Writes that one commit may carry; bounds how long the first of them waits."""

_DISK = (
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_READONLY",
    "SQLITE_CORRUPT",
    "SQLITE_CANTOPEN",
    "SQLITE_NOTADB",
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    run: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Database:
    """The store of one daemon.

    `write` runs a short function on the writing thread, inside a transaction that is durable (fsync) before
    the caller goes on; functions that wait at the same time share one commit, and one that raises undoes only
    itself. `read` runs on the calling thread for point queries; `scan` on another thread for long ones.
    """

    def __init__(self, path: Path, writer: sqlite3.Connection) -> None:
        self.path = path
        self._db = writer
        self._read_db = connect(path)
        self._read_db.execute("PRAGMA query_only=ON")
        self._scan_db: sqlite3.Connection | None = None
        self._scanner = ThreadPoolExecutor(1, thread_name_prefix="db-scan")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._after_commit: list[Callable[[], None]] = []
        self._closed = False
        self._refused: str | None = None
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="db-writer", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: Path, steps: Sequence[Migration]) -> "Database":
        """Open and migrate the database at `path` (created 0600).

        Raises:
            StoreTooNew: it was written by a newer version.
            StoreUnavailable: it cannot be opened or is damaged.
        """
        try:
            return cls(path, await asyncio.to_thread(_prepare, path, steps))
        except (sqlite3.Error, OSError) as exc:
            raise StoreUnavailable(
                f"{path} cannot be opened: {exc}.", remedy="Check the disk and the file's owner."
            ) from exc

    @property
    def refused(self) -> str | None:
        """Why the last commit failed, or None where it did not; the next one may succeed."""
        return self._refused

    @property
    def closed(self) -> bool:
        """Whether it is closed or about to be."""
        return self._closed

    async def probe(self) -> None:
        """Write a little, to see whether the disk takes writes again.

        Raises:
            StoreUnavailable: it does not.
        """

        def count(db: sqlite3.Connection) -> None:
            # Setting anything to what it was already writes nothing, so this counts up a number that nobody reads.
            (number,) = db.execute("PRAGMA user_version").fetchone()
            db.execute(f"PRAGMA user_version = {(number + 1) % 2**31}")

        await self.write(count)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the event loop after every commit."""
        self._after_commit.append(callback)

    async def write(self, fn: Write[T]) -> T:
        """Run `fn` in a transaction and return its result once it is on disk.

        Raises:
            StoreUnavailable: the disk refused; nothing was kept.
            StoreClosed: the daemon is shutting down.
        """
        if self._closed:
            raise StoreClosed("The daemon is shutting down.", remedy="Call again: a new daemon is started.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(fn, future))
        # Where the caller is cancelled the write is done all the same; nobody hears of it.
        return await future

    def read(self, fn: Write[T]) -> T:
        """Run a point query on the calling thread (the event loop's) and return its result."""
        return fn(self._read_db)

    @contextlib.contextmanager
    def snapshot(self) -> Generator[None]:
        """Let all `read`s in the block see one moment of the store, whatever is committed meanwhile; await nothing in
        it."""
        self._read_db.execute("BEGIN")
        try:
            yield
        finally:
            self._read_db.execute("ROLLBACK")

    async def scan(self, fn: Write[T]) -> T:
        """Run a long query on a thread of its own and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._scanner, self._scan, fn)

    def _scan(self, fn: Write[T]) -> T:
        if self._scan_db is None:
            self._scan_db = connect(self.path)
            self._scan_db.execute("PRAGMA query_only=ON")
        return fn(self._scan_db)

    async def close(self) -> None:
        """Finish what was queued, then close; later writes are refused."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._scan_db is not None:
            self._scanner.submit(self._scan_db.close).result()
        self._scanner.shutdown()
        self._read_db.close()
        self._db.close()

    def _work(self) -> None:
        while True:
            batch = self._take()
            if batch is None:
                return
            self._commit(batch)
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._deliver, batch)

    def _take(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit(self, batch: list[_Job]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            if len(batch) == 1:
                self._run_alone(batch[0])
            else:
                for job in batch:
                    self._run(job)
            if self._db.in_transaction:
                self._db.execute("COMMIT")
            self._refused = None
        except Exception as exc:
            # Whatever it is: the one writing thread must live, and nothing of the batch may count.
            self._undo()
            self._refused = f"the store refuses writes: {exc}"
            refused = StoreUnavailable(
                f"The store refused the write: {exc}.",
                remedy="Free disk space or check the disk, then call again.",
            )
            log.exception("commit failed")
            for job in batch:
                job.error = refused

    def _run_alone(self, job: _Job) -> None:
        """Run the only job of a transaction, which needs no savepoint: it fails with the whole."""
        try:
            job.result = job.run(self._db)
        except BaseException as exc:
            if not self._db.in_transaction or getattr(exc, "sqlite_errorname", "").startswith(_DISK):
                raise
            self._db.execute("ROLLBACK")
            job.error = exc

    def _run(self, job: _Job) -> None:
        self._db.execute("SAVEPOINT job")
        try:
            job.result = job.run(self._db)
        except BaseException as exc:
            if not self._db.in_transaction or getattr(exc, "sqlite_errorname", "").startswith(_DISK):
                # A full or broken disk may have ended the whole transaction: the batch fails as one.
                raise
            self._db.execute("ROLLBACK TO job")
            job.error = exc
        self._db.execute("RELEASE job")

    def _undo(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _deliver(self, batch: list[_Job]) -> None:
        for job in batch:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)
        for callback in self._after_commit:
            callback()


def _prepare(path: Path, steps: Sequence[Migration]) -> sqlite3.Connection:
    path.touch(mode=0o600, exist_ok=True)
    db = connect(path, any_thread=True)
    try:
        migrate(db, path, steps)
    except BaseException:
        db.close()
        raise
    return db


def connect(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """Return a connection with our pragmas: WAL, full fsync, foreign keys, rows by name, explicit transactions."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=not any_thread, timeout=5.0)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    db.execute("PRAGMA journal_size_limit=16777216")
    return db
