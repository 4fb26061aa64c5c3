"""The only SQL of activity: how a person wants to see things, and which sessions the log knows."""

import sqlite3
from typing import NamedTuple

import msgspec

from claude_code_mcp.kernel.ids import SessionId

DEFAULT = ""
"""Stands for the settings of all sessions that have none of their own."""
Settings = dict[str, bool | int]
_ENCODE = msgspec.json.Encoder(order="sorted").encode
_DECODE = msgspec.json.Decoder(Settings).decode
# One look into the index for each session: SQLite itself would walk through all events for a list of the sessions.
_SESSIONS = """
WITH RECURSIVE known (id) AS (
    SELECT min(session_id) FROM event WHERE session_id IS NOT NULL
    UNION ALL
    SELECT (SELECT min(session_id) FROM event WHERE session_id > known.id) FROM known WHERE known.id IS NOT NULL
)
SELECT event.session_id, event.seq, event.at FROM known
JOIN event ON event.seq = (SELECT max(seq) FROM event WHERE session_id = known.id)
WHERE known.id IS NOT NULL
"""


class Seen(NamedTuple):
    """A session in the log: its newest event, and when that was; in news, any event."""

    session_id: SessionId | None
    seq: int
    at: str


def settings(db: sqlite3.Connection, session_id: str) -> Settings:
    """Return what is set for a session, or for `DEFAULT`; nothing where nothing is."""
    row = db.execute("SELECT settings FROM display WHERE session_id = ?", (session_id,)).fetchone()
    return _DECODE(row["settings"]) if row is not None else {}


def put_settings(db: sqlite3.Connection, session_id: str, found: Settings, changed_at: str) -> None:
    """Keep what is set for a session, or for `DEFAULT`."""
    row = (session_id, _ENCODE(found).decode(), changed_at)
    db.execute("INSERT OR REPLACE INTO display VALUES (?,?,?)", row)


def sessions(db: sqlite3.Connection) -> list[Seen]:
    """Return every session that the log has events of."""
    return [Seen._make(row) for row in db.execute(_SESSIONS)]


def news(db: sqlite3.Connection, after: int, limit: int) -> list[Seen]:
    """Return the next events of the whole log after a cursor, without what they say."""
    rows = db.execute("SELECT session_id, seq, at FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
    return list(map(Seen._make, rows))


def session_of_call(db: sqlite3.Connection, tool_use_id: str) -> SessionId | None:
    """Return the session that a tool call was last seen in."""
    row = db.execute(
        "SELECT session_id FROM event WHERE tool_use_id = ? AND session_id IS NOT NULL ORDER BY seq DESC LIMIT 1",
        (tool_use_id,),
    ).fetchone()
    return SessionId(row[0]) if row is not None else None


def seqs_of_call(db: sqlite3.Connection, session_id: str, tool_use_id: str) -> list[int]:
    """Return the numbers of all events of a session about a tool call, in order."""
    rows = db.execute(
        "SELECT seq FROM event WHERE tool_use_id = ? AND session_id = ? ORDER BY seq", (tool_use_id, session_id)
    )
    return [int(row[0]) for row in rows]
