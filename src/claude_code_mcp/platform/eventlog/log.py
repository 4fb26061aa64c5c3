"""Append inside the caller's transaction, read by cursor, wait for more."""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.events import Event, Recorded, Source
from claude_code_mcp.kernel.ids import SessionId, uuid7
from claude_code_mcp.platform.db.database import Database

_SOURCES = {source: source.value for source in Source}  # asking a member for its value takes three times as long
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(dict).decode
_INTO = (
    "INSERT INTO event (id, at, kind, version, session_id, subject, parent, tool_use_id, agent_id, source,"
    " source_key, payload) VALUES "
)
_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?)"
_AT_ONCE = 100
_KEPT_ONCE = " ON CONFLICT (source_key) DO NOTHING"
_INSERT = _INTO + _ROW + _KEPT_ONCE
_INSERT_MANY = _INTO + ",".join([_ROW] * _AT_ONCE) + _KEPT_ONCE


NEWS = "SELECT session_id, seq FROM event WHERE seq > ? ORDER BY seq"


def append(db: sqlite3.Connection, events: Iterable[Event]) -> int:
    """Append `events` in order and return how many were new; one whose `source_key` is known is left out."""
    rows = [_row(event) for event in events]
    new = 0
    # Between two rows of `executemany` a thread asks for the interpreter anew, and waits for it while others are busy.
    while len(rows) >= _AT_ONCE:
        new += db.execute(_INSERT_MANY, [value for row in rows[:_AT_ONCE] for value in row]).rowcount
        del rows[:_AT_ONCE]
    return new + (db.executemany(_INSERT, rows).rowcount if rows else 0)


def _row(event: Event) -> tuple[object, ...]:
    fact = event.fact
    return (
        event.id,
        stamp(event.at),
        fact.kind,
        fact.version,
        event.session_id,
        event.subject,
        event.parent,
        event.tool_use_id,
        event.agent_id,
        _SOURCES[event.source],
        event.source_key,
        _ENCODE(fact).decode(),
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Events after a cursor, and the cursor to go on from."""

    events: list[Recorded]
    cursor: int
    more: bool


def page(
    db: sqlite3.Connection,
    after: int,
    *,
    session_id: SessionId | None = None,
    kinds: Sequence[str] = (),
    sources: Sequence[Source] = (),
    limit: int = 200,
) -> Page:
    """Return at most `limit` events with `seq > after`, of one session, some kinds and some sources where given."""
    where, args = ["seq > ?"], list[object]([after])
    if session_id is not None:
        where.append("session_id = ?")
        args.append(session_id)
    if kinds:
        where.append(f"kind IN ({','.join('?' * len(kinds))})")
        args.extend(kinds)
    if sources:
        where.append(f"source IN ({','.join('?' * len(sources))})")
        args.extend(source.value for source in sources)
    rows = db.execute(
        f"SELECT * FROM event WHERE {' AND '.join(where)} ORDER BY seq LIMIT ?",  # noqa: S608 - fixed words only
        (*args, limit + 1),
    ).fetchall()
    events = [_recorded(row) for row in rows[:limit]]
    return Page(events, events[-1].seq if events else after, len(rows) > limit)


def last_seq(db: sqlite3.Connection, session_id: SessionId | None = None) -> int:
    """Return the newest `seq` of the log, or of one session; 0 where there is none."""
    if session_id is None:
        row = db.execute("SELECT max(seq) FROM event").fetchone()
    else:
        row = db.execute("SELECT max(seq) FROM event WHERE session_id = ?", (session_id,)).fetchone()
    return int(row[0] or 0)


def latest(db: sqlite3.Connection, session_id: SessionId, kind: str) -> Recorded | None:
    """Return the newest event of a kind in a session."""
    row = db.execute(
        "SELECT * FROM event WHERE session_id = ? AND kind = ? ORDER BY seq DESC LIMIT 1", (session_id, kind)
    ).fetchone()
    return _recorded(row) if row is not None else None


def sessions_after(db: sqlite3.Connection, after: int) -> list[SessionId]:
    """Return the sessions that have events after a cursor."""
    return [session_id for session_id in newest_after(db, after) if session_id is not None]


def newest_after(db: sqlite3.Connection, after: int) -> dict[SessionId | None, int]:
    """Return the newest `seq` of each session that has events after a cursor; None stands for those of no session."""
    # Grouping here and not there: SQLite would walk the whole index of sessions for it, at every commit.
    return dict(db.execute(NEWS, (after,)).fetchall())


def last_told_by(db: sqlite3.Connection, source: Source) -> str | None:
    """Return when `source` told something last, None where it never did. May look at the whole log: use `scan`."""
    row = db.execute("SELECT at FROM event WHERE source = ? ORDER BY seq DESC LIMIT 1", (source.value,)).fetchone()
    return str(row[0]) if row else None


def late_keys(db: sqlite3.Connection, source: Source, within: int = 20_000) -> list[str]:
    """Return the source keys of what `source` told among the last `within` events, the oldest first."""
    rows = db.execute(
        "SELECT source_key FROM event WHERE seq > ? AND source = ? AND source_key IS NOT NULL ORDER BY seq",
        (last_seq(db) - within, source.value),
    )
    return [str(key) for (key,) in rows]


def known_store_id(db: sqlite3.Connection) -> str | None:
    """Return the id of this store, or None where it was never asked for."""
    row = db.execute("SELECT id FROM store").fetchone()
    return str(row[0]) if row is not None else None


def store_id(db: sqlite3.Connection) -> str:
    """Return the id of this store, made on the first call; it tells logs of many machines apart."""
    known = known_store_id(db)
    if known is not None:
        return known
    made = uuid7()
    db.execute("INSERT INTO store VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", (made,))
    return made


def _recorded(row: sqlite3.Row) -> Recorded:
    fields: dict[str, Any] = dict(row)
    fields["payload"] = _DECODE(row["payload"])
    return Recorded(**fields)


class Followers:
    """Wakes whoever waits for the log to grow; a follower reads rows itself, so a slow one loses nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = database.read(last_seq)
        self._waiting: dict[SessionId | None, set[asyncio.Future[int]]] = {}
        database.on_commit(self._look)

    def _look(self) -> None:
        seen = self._seen
        grown = self._database.read(lambda db: newest_after(db, seen))
        if not grown:
            return
        self._seen = grown[None] = max(grown.values())
        for session_id, newest in grown.items():
            for future in self._waiting.pop(session_id, ()):
                if not future.done():
                    future.set_result(newest)

    @property
    def newest(self) -> int:
        """The newest `seq` known to be on disk."""
        return self._seen

    async def grown(self, after: int, session_id: SessionId | None = None) -> int:
        """Wait until the log, or one session in it, has events after `after`, and return its newest `seq`."""
        newest = self._newest(after, session_id)
        while newest <= after:
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            waiting = self._waiting.setdefault(session_id, set())
            waiting.add(future)
            try:
                newest = await future
            finally:
                waiting.discard(future)
                if not waiting and self._waiting.get(session_id) is waiting:
                    del self._waiting[session_id]
        return newest

    def _newest(self, after: int, session_id: SessionId | None) -> int:
        if session_id is None or self._seen <= after:
            return self._seen
        return self._database.read(lambda db: last_seq(db, session_id))
