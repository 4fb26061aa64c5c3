"""The store commits together what waits together, and an acknowledged write is on disk."""

import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from claude_code_mcp.platform.db.database import Database, connect
from claude_code_mcp.platform.db.errors import StoreClosed, StoreTooNew, StoreUnavailable
from claude_code_mcp.platform.db.migrations import Migration, migrate, statements

pytestmark = pytest.mark.anyio

STEPS = (Migration("t/0001", "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"),)


def insert(db: sqlite3.Connection, name: str) -> None:
    db.execute("INSERT INTO thing (name) VALUES (?)", (name,))


def names(db: sqlite3.Connection) -> list[str]:
    return [row["name"] for row in db.execute("SELECT name FROM thing ORDER BY id")]


async def test_a_write_is_seen_by_reads_once_it_returned(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    await database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('a')"))
    assert database.read(names) == ["a"]
    assert await database.scan(names) == ["a"]
    await database.close()


async def test_the_reads_of_a_snapshot_see_one_moment_whatever_is_committed_meanwhile(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    with database.snapshot():
        assert database.read(names) == []
        with contextlib.closing(sqlite3.connect(tmp_path / "state.db")) as another, another:
            insert(another, "a")
        assert database.read(names) == []
    assert database.read(names) == ["a"]
    with pytest.raises(ZeroDivisionError), database.snapshot():
        raise ZeroDivisionError
    assert database.read(names) == ["a"]
    await database.close()


async def test_a_failing_write_undoes_only_itself(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)

    def twice(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO thing (name) VALUES ('half')")
        raise ValueError("no")

    results = await asyncio.gather(
        database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('a')")),
        database.write(twice),
        database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('a')")),
        database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('b')")),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == ["Cursor", "ValueError", "IntegrityError", "Cursor"]
    assert database.read(names) == ["a", "b"]
    await database.close()


async def test_a_cancelled_writer_does_not_stop_the_next(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    task = asyncio.ensure_future(database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('a')")))
    await asyncio.sleep(0)
    task.cancel()
    await database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('b')"))
    assert database.read(names) == ["a", "b"]
    await database.close()


async def test_after_close_a_write_is_refused_and_earlier_ones_are_kept(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    writes = [asyncio.ensure_future(database.write(partial(insert, name=str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*writes)
    with pytest.raises(StoreClosed):
        await database.write(lambda db: None)
    with connect(tmp_path / "state.db") as db:
        assert len(names(db)) == 50
    db.close()


async def test_commits_call_back_on_the_event_loop(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    called: list[int] = []
    database.on_commit(lambda: called.append(1))
    await database.write(lambda db: None)
    assert called == [1]
    await database.close()


async def test_a_full_disk_refuses_the_write_and_recovers(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    await database.write(lambda db: db.execute("PRAGMA max_page_count = 20"))
    with pytest.raises(StoreUnavailable, match="full"):
        await database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES (?)", ("x" * 200_000,)))
    assert database.read(names) == []
    await database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('small')"))
    assert database.read(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0]) == "ok"
    assert database.read(names) == ["small"]
    await database.close()


async def test_the_file_is_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        database = await Database.open(tmp_path / "state.db", STEPS)
        await database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('a')"))
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}
    await database.close()


async def test_a_broken_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await Database.open(tmp_path / "state.db", STEPS)


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    newer = (*STEPS, Migration("t/0002", "CREATE TABLE more (id INTEGER) STRICT;"))
    await (await Database.open(tmp_path / "state.db", newer)).close()
    with pytest.raises(StoreTooNew, match="t/0002"):
        await Database.open(tmp_path / "state.db", STEPS)


async def test_an_upgrade_keeps_a_copy_of_what_was(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    await database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES ('a')"))
    await database.close()
    newer = (*STEPS, Migration("t/0002", "DELETE FROM thing;"))
    await (await Database.open(tmp_path / "state.db", newer)).close()
    with connect(tmp_path / "state.db.before-t-0002") as copy:
        assert names(copy) == ["a"]
    copy.close()


def test_a_failing_migration_leaves_nothing_of_itself(tmp_path: Path) -> None:
    db = connect(tmp_path / "state.db")
    bad = Migration("t/0001", "CREATE TABLE a (x INTEGER) STRICT;\nCREATE TABLE a (x INTEGER) STRICT;")
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, tmp_path / "state.db", (bad,))
    assert [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] == ["migration"]
    db.close()


def test_statements_split_triggers_whole() -> None:
    script = "CREATE TABLE a (x);\nCREATE TRIGGER t BEFORE DELETE ON a\nBEGIN\n SELECT 1;\nEND;\n"
    assert len(list(statements(script))) == 2
    with pytest.raises(ValueError, match="unfinished"):
        list(statements("CREATE TABLE a (x)"))


KILLED = """
import asyncio, sys
from pathlib import Path
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.migrations import Migration

async def main():
    steps = (Migration("t/0001", "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"),)
    database = await Database.open(Path(sys.argv[1]), steps)
    for number in range(100_000):
        await database.write(lambda db: db.execute("INSERT INTO thing (name) VALUES (?)", (str(number),)))
        print(number, flush=True)

asyncio.run(main())
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(200)][-1]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.stdout.close()
    child.wait()
    acknowledged = int(rest[-1]) if rest else acknowledged
    with connect(path) as db:
        kept = [int(name) for name in names(db)]
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()
    assert kept == list(range(len(kept)))
    assert len(kept) in {acknowledged + 1, acknowledged + 2}


async def test_a_disk_that_takes_nothing_is_told_until_it_takes_writes_again(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", STEPS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # no file may be written to, as on a full disk
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await database.probe()
            assert "refuses writes" in str(database.refused)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await database.probe()
    assert database.refused is None
    await database.close()
