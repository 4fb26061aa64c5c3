"""What is brought to the recorder is in the log, in order, once it says so."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.captures.service import Recorder
from claude_code_mcp.features.captures.service import recorder as recorder_room
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.facts import NoticeShown
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.errors import StoreClosed
from claude_code_mcp.platform.eventlog import log
from tests.features.captures.machine import Machine

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = await Database.open(tmp_path / "state.db", migrations())
    yield made
    await made.close()


@pytest.fixture
def recorder(database: Database) -> Recorder:
    return Recorder(database, SystemClock())


def _event(text: str, key: str | None = None) -> Event:
    return Event(fact=NoticeShown(text=text), at=datetime(2026, 11, 20, tzinfo=UTC), source_key=key)


def _texts(database: Database) -> list[str]:
    return [event.payload["text"] for event in database.read(lambda db: log.page(db, 0, limit=100_000)).events]


async def test_all_is_kept_in_the_order_in_which_it_came(database: Database, recorder: Recorder) -> None:
    recorder.record_soon([_event("1"), _event("2")])
    recorder.record_soon([_event("3")])
    assert await recorder.record([_event("4")]) == 1
    assert _texts(database) == ["1", "2", "3", "4"]


async def test_what_is_known_is_not_counted_as_new(recorder: Recorder) -> None:
    assert await recorder.record([_event("a", "k1"), _event("b", "k2")]) == 2
    assert await recorder.record([_event("a", "k1"), _event("c", "k3")]) == 1
    assert await recorder.record([]) == 0


async def test_what_goes_along_is_in_the_same_transaction(database: Database, recorder: Recorder) -> None:
    def broken(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO capture_home VALUES ('/x')")
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await recorder.record([_event("never")], broken)
    recorder.record_soon([_event("before")])
    spoilt = asyncio.ensure_future(recorder.record([_event("never")], broken))
    recorder.record_soon([_event("after")])
    with pytest.raises(ValueError, match=r"^$"):
        await spoilt
    await recorder.aclose()
    assert _texts(database) == ["before", "after"]
    assert database.read(lambda db: db.execute("SELECT count(*) FROM capture_home").fetchone()[0]) == 0


async def test_what_comes_thick_shares_commits_and_a_single_event_waits_for_none(database: Database) -> None:
    recorder, commits = Recorder(database, SystemClock(), pace_s=0.5), list[int]()
    database.on_commit(lambda: commits.append(len(_texts(database))))
    assert await recorder.record([_event("alone")]) == 1
    told = [asyncio.ensure_future(recorder.record([_event("thick")])) for _ in range(recorder_room.THICK)]
    await asyncio.wait(told)
    more = []
    for _ in range(3):
        more.append(asyncio.ensure_future(recorder.record([_event("more")])))
        await database.probe()
    await asyncio.wait(more)
    assert sorted(set(commits)) == [1, 1 + recorder_room.THICK, 4 + recorder_room.THICK]


async def test_who_brings_too_much_waits_and_nothing_is_dropped(
    database: Database, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_room, "QUEUED_EVENTS", 10)
    for number in range(50):
        recorder.record_soon([_event(str(number))])
    waiting = asyncio.ensure_future(recorder.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await waiting
    assert recorder.queued <= 10
    await recorder.aclose()
    assert _texts(database) == [str(number) for number in range(50)]


async def test_what_a_full_disk_refused_is_brought_again_until_it_is_kept(
    database: Database, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_room, "AGAIN_S", 0.01)
    pages = database.read(lambda db: db.execute("PRAGMA page_count").fetchone()[0])

    def limit(db: sqlite3.Connection, most: int = pages) -> None:
        db.execute(f"PRAGMA max_page_count = {most}")

    await database.write(limit)
    recorder.record_soon([_event("x" * 100_000)])
    recorder.record_soon([_event("later")])
    while database.refused is None:
        await asyncio.sleep(0)
    assert _texts(database) == []
    await database.write(lambda db: limit(db, 1_000_000))
    await recorder.aclose()
    assert [text[:5] for text in _texts(database)] == ["xxxxx", "later"]


async def test_after_the_end_of_the_store_who_waits_is_told(database: Database, recorder: Recorder) -> None:
    await database.close()
    with pytest.raises(StoreClosed):
        await recorder.record([_event("too late")])
    recorder.record_soon([_event("too late")])
    await recorder.aclose()
    assert recorder.queued == 0


async def test_a_daemon_that_ends_in_the_middle_of_a_burst_fails_at_nothing(machine: Machine) -> None:
    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: failures.append(str(told)))
    async with machine.looking() as app:
        app.services.captures.recorder.record_soon([_event(str(number)) for number in range(5000)])
    # What is left to be read comes up when the loop comes round again.
    for _ in range(100):
        await asyncio.sleep(0)
    assert failures == []
