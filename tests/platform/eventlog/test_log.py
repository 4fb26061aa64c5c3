"""The log takes every fact once, keeps it as it was, and numbers it without gaps."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.migrations import of_package
from claude_code_mcp.platform.eventlog import log

pytestmark = pytest.mark.anyio


class ThingHappened(Fact, frozen=True, kw_only=True):
    """A fact for these tests."""

    kind: ClassVar[str] = "thing.happened"
    what: str


AT = datetime(2026, 11, 20, 4, 20, tzinfo=UTC)
ONE, TWO = SessionId("one"), SessionId("two")


def event(what: str, key: str | None = None, session: SessionId = ONE) -> Event:
    return Event(fact=ThingHappened(what=what), at=AT, session_id=session, source=Source.STREAM, source_key=key)


async def opened(path: Path) -> Database:
    return await Database.open(path / "state.db", of_package("claude_code_mcp.platform.eventlog"))


async def test_an_event_comes_back_as_it_went_in(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    await database.write(lambda db: log.append(db, [event("a\u2028\x00b", "r:0:0")]))
    (found,) = database.read(lambda db: log.page(db, 0)).events
    assert (found.seq, found.kind, found.at, found.payload) == (
        1,
        "thing.happened",
        "2026-11-20T04:20:00.000000Z",
        {"what": "a\u2028\x00b"},
    )
    assert (found.session_id, found.source, found.source_key) == (ONE, "stream", "r:0:0")
    await database.close()


async def test_the_same_source_is_taken_once_and_leaves_no_gap(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    assert await database.write(lambda db: log.append(db, [event("a", "k1"), event("b", "k2")])) == 2
    assert await database.write(lambda db: log.append(db, [event("a", "k1"), event("c", "k3")])) == 1
    await database.write(lambda db: log.append(db, [event("d")]))
    assert [(e.seq, e.payload["what"]) for e in database.read(lambda db: log.page(db, 0)).events] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
        (4, "d"),
    ]
    await database.close()


async def test_a_rolled_back_event_leaves_no_gap(tmp_path: Path) -> None:
    database = await opened(tmp_path)

    def fail(db: sqlite3.Connection) -> None:
        log.append(db, [event("lost")])
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the bare error is the test's own
        await database.write(fail)
    await database.write(lambda db: log.append(db, [event("kept")]))
    assert [e.seq for e in database.read(lambda db: log.page(db, 0)).events] == [1]
    await database.close()


async def test_events_are_never_edited_nor_deleted(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    await database.write(lambda db: log.append(db, [event("a")]))
    with pytest.raises(sqlite3.IntegrityError, match="never edited"):
        await database.write(lambda db: db.execute("UPDATE event SET kind = 'x'"))
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        await database.write(lambda db: db.execute("DELETE FROM event"))
    await database.close()


async def test_a_page_has_a_cursor_and_says_whether_there_is_more(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    await database.write(lambda db: log.append(db, [event(str(n), session=ONE if n % 2 else TWO) for n in range(10)]))
    first = database.read(lambda db: log.page(db, 0, session_id=ONE, limit=3))
    assert ([e.payload["what"] for e in first.events], first.more) == (["1", "3", "5"], True)
    second = database.read(lambda db: log.page(db, first.cursor, session_id=ONE, limit=3))
    assert ([e.payload["what"] for e in second.events], second.more) == (["7", "9"], False)
    empty = database.read(lambda db: log.page(db, second.cursor, session_id=ONE))
    assert (empty.events, empty.cursor, empty.more) == ([], second.cursor, False)
    assert database.read(lambda db: log.page(db, 0, kinds=["other"])).events == []
    await database.close()


async def test_a_follower_wakes_when_the_log_grows_and_not_before(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    followers = log.Followers(database)
    waiting = asyncio.ensure_future(followers.grown(0))
    await database.write(lambda db: None)
    assert not waiting.done()
    await database.write(lambda db: log.append(db, [event("a")]))
    assert await asyncio.wait_for(waiting, 60) == 1
    assert await asyncio.wait_for(followers.grown(0), 60) == 1
    await database.close()


async def test_the_store_has_one_id_for_ever(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    first = await database.write(log.store_id)
    await database.close()
    again = await opened(tmp_path)
    assert await again.write(log.store_id) == first
    await again.close()


async def test_looking_for_news_costs_the_same_however_long_the_log_is(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    plan = database.read(lambda db: [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {log.NEWS}", (7,))])
    assert plan == ["SEARCH event USING INTEGER PRIMARY KEY (rowid>?)"]
    await database.close()


async def test_news_are_the_newest_event_of_each_session_that_has_some(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    events = [event("a"), event("b", session=TWO), event("c"), event("d", session=TWO), event("e")]
    await database.write(lambda db: log.append(db, events))
    assert database.read(lambda db: log.newest_after(db, 2)) == {ONE: 5, TWO: 4}
    assert database.read(lambda db: log.newest_after(db, 5)) == {}
    await database.close()


async def test_who_waits_for_a_session_is_woken_by_its_events_alone(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    followers = log.Followers(database)
    one, anything = asyncio.ensure_future(followers.grown(0, ONE)), asyncio.ensure_future(followers.grown(0))
    await asyncio.sleep(0)
    await database.write(lambda db: log.append(db, [event("b", session=TWO)]))
    assert await anything == 1
    assert not one.done()
    assert await followers.grown(0, TWO) == 1
    await database.write(lambda db: log.append(db, [event("a"), event("c", session=TWO)]))
    assert await one == 2
    await database.close()
