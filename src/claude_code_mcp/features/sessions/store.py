"""The only SQL of sessions. Each function takes a connection and runs inside the caller's transaction."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from claude_code_mcp.features.sessions.models import Message, MessageState, RunRecord, Session
from claude_code_mcp.kernel.ids import RunId, SessionId

_ENCODE = msgspec.json.Encoder().encode
_SESSION = msgspec.json.Decoder(Session).decode


def put_session(db: sqlite3.Connection, session: Session) -> None:
    """Insert or replace a session."""
    db.execute(
        "INSERT INTO session VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET"
        " conversation_id=excluded.conversation_id, state=excluded.state, priority=excluded.priority,"
        " updated_at=excluded.updated_at, run_id=excluded.run_id, data=excluded.data",
        (
            session.id,
            session.conversation_id,
            session.project_path,
            session.origin,
            session.state,
            session.priority,
            session.created_at,
            session.updated_at,
            session.run_id,
            _ENCODE(session),
        ),
    )


def session(db: sqlite3.Connection, session_id: str) -> Session | None:
    """Return the session with this id, or the one whose conversation has it."""
    # Two looks and not one with OR, which costs three times the first, and that is nearly always enough.
    row = db.execute("SELECT data FROM session WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        row = db.execute(
            "SELECT data FROM session WHERE conversation_id = ? ORDER BY updated_at DESC LIMIT 1", (session_id,)
        ).fetchone()
    return _SESSION(row["data"]) if row else None


def sessions(db: sqlite3.Connection, states: Sequence[str] = (), project_path: str | None = None) -> list[Session]:
    """Return sessions, last changed first."""
    where, args = ["1"], list[object]()
    if states:
        where.append(f"state IN ({','.join('?' * len(states))})")
        args.extend(states)
    if project_path is not None:
        where.append("project_path = ?")
        args.append(project_path)
    rows = db.execute(
        f"SELECT data FROM session WHERE {' AND '.join(where)} ORDER BY updated_at DESC",  # noqa: S608 - fixed words
        args,
    )
    return [_SESSION(row["data"]) for row in rows]


def count_by_state(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many sessions there are in each state that some are in."""
    return dict(db.execute("SELECT state, count(*) FROM session GROUP BY state").fetchall())


def known_ids(db: sqlite3.Connection) -> set[str]:
    """Return every id under which we know a session: our own and those of conversations."""
    return {id_ for row in db.execute("SELECT id, conversation_id FROM session") for id_ in row}


def put_run(db: sqlite3.Connection, run: RunRecord) -> None:
    """Insert a run, or bring it up to date."""
    db.execute(
        "INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET offset=excluded.offset,"
        " generation=excluded.generation,"
        " stream=excluded.stream, ended_at=excluded.ended_at, exit=excluded.exit, stopping=excluded.stopping",
        (
            run.id,
            run.session_id,
            run.created_at,
            run.offset,
            run.generation,
            run.stream,
            run.ended_at,
            _ENCODE(run.exit).decode() if run.exit is not None else None,
            run.stopping,
        ),
    )


def put_progress(db: sqlite3.Connection, run: RunRecord) -> None:
    """Note how far a run was read; what else is known of it may have changed meanwhile."""
    db.execute("UPDATE run SET offset = ?, stream = ? WHERE id = ?", (run.offset, run.stream, run.id))


def close_runs(db: sqlite3.Connection, session_id: SessionId, ended_at: str, how: dict[str, Any]) -> None:
    """Note of the runs of a session that have not been seen to end that they are over."""
    db.execute(
        "UPDATE run SET ended_at = ?, exit = ? WHERE session_id = ? AND ended_at IS NULL",
        (ended_at, _ENCODE(how).decode(), session_id),
    )


def run(db: sqlite3.Connection, run_id: RunId) -> RunRecord | None:
    """Return one run."""
    row = db.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
    return _run(row) if row else None


def open_runs(db: sqlite3.Connection) -> list[RunRecord]:
    """Return the runs that have not been seen to end."""
    return [_run(row) for row in db.execute("SELECT * FROM run WHERE ended_at IS NULL ORDER BY id")]


def open_run(db: sqlite3.Connection, session_id: SessionId) -> RunRecord | None:
    """Return the run of a session that has not been seen to end."""
    row = db.execute("SELECT * FROM run WHERE session_id = ? AND ended_at IS NULL", (session_id,)).fetchone()
    return _run(row) if row else None


def runs_ended_before(db: sqlite3.Connection, moment: str) -> list[RunId]:
    """Return the runs that ended before a time, but not the last one of each session."""
    rows = db.execute(
        "SELECT id FROM run WHERE ended_at < ? AND id NOT IN (SELECT max(id) FROM run GROUP BY session_id)", (moment,)
    )
    return [RunId(row[0]) for row in rows]


def last_run(db: sqlite3.Connection, session_id: SessionId) -> RunRecord | None:
    """Return the newest run of a session."""
    row = db.execute("SELECT * FROM run WHERE session_id = ? ORDER BY id DESC LIMIT 1", (session_id,)).fetchone()
    return _run(row) if row else None


def _run(row: sqlite3.Row) -> RunRecord:
    values = dict(row)
    values["exit"] = msgspec.json.decode(values["exit"]) if values["exit"] else None
    return RunRecord(**values)


def put_message(db: sqlite3.Connection, message: Message) -> None:
    """Insert a message."""
    db.execute(
        "INSERT INTO message VALUES (?,?,?,?,?,?,?,?)",
        (
            message.id,
            message.session_id,
            message.position,
            message.text,
            message.steering,
            message.state,
            message.created_at,
            message.run_id,
        ),
    )


def message(db: sqlite3.Connection, message_id: str) -> Message | None:
    """Return one message."""
    row = db.execute("SELECT * FROM message WHERE id = ?", (message_id,)).fetchone()
    return Message(**dict(row)) if row else None


def next_position(db: sqlite3.Connection, session_id: SessionId) -> int:
    """Return the place behind the last message of a session."""
    row = db.execute("SELECT max(position) FROM message WHERE session_id = ?", (session_id,)).fetchone()
    return int(row[0] or 0) + 1


def messages(db: sqlite3.Connection, session_id: SessionId, states: Sequence[MessageState]) -> list[Message]:
    """Return the messages of a session that are in one of `states`, in the order they were given."""
    rows = db.execute(
        f"SELECT * FROM message WHERE session_id = ? AND state IN ({','.join('?' * len(states))})"  # noqa: S608 - fixed words
        " ORDER BY position",
        (session_id, *states),
    )
    return [Message(**dict(row)) for row in rows]


def first_prompt(db: sqlite3.Connection, session_id: SessionId) -> str | None:
    """Return the beginning of the first message."""
    row = db.execute(
        "SELECT substr(text, 1, 200) FROM message WHERE session_id = ? ORDER BY position LIMIT 1", (session_id,)
    ).fetchone()
    return str(row[0]) if row else None


def move_message(
    db: sqlite3.Connection,
    message_id: str,
    state: MessageState,
    *,
    only_from: Sequence[MessageState],
    run_id: str | None = None,
) -> None:
    """Bring a message into `state` if it is in one of `only_from`; a lifecycle line may come twice or late."""
    db.execute(
        "UPDATE message SET state = ?, run_id = coalesce(?, run_id) WHERE id = ?"  # noqa: S608 - fixed words only
        f" AND state IN ({','.join('?' * len(only_from))})",
        (state, run_id, message_id, *only_from),
    )
