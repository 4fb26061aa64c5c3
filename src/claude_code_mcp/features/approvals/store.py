"""The only SQL of approvals."""

import sqlite3
from collections.abc import Sequence

import msgspec

from claude_code_mcp.features.approvals.models import Approval, ApprovalState

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Approval).decode


def put(db: sqlite3.Connection, approval: Approval) -> None:
    """Insert a question, or bring it up to date."""
    db.execute(
        "INSERT INTO approval VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET"
        " state=excluded.state, expires_at=excluded.expires_at, data=excluded.data",
        (
            approval.id,
            approval.session_id,
            approval.run_id,
            approval.request_id,
            approval.state,
            approval.expires_at,
            _ENCODE(approval),
        ),
    )


def get(db: sqlite3.Connection, approval_id: str) -> Approval | None:
    """Return one question."""
    row = db.execute("SELECT data FROM approval WHERE id = ?", (approval_id,)).fetchone()
    return _DECODE(row["data"]) if row else None


def of_request(db: sqlite3.Connection, run_id: str, request_id: str) -> Approval | None:
    """Return the question that a run asked under this id."""
    row = db.execute("SELECT data FROM approval WHERE run_id = ? AND request_id = ?", (run_id, request_id)).fetchone()
    return _DECODE(row["data"]) if row else None


def find(
    db: sqlite3.Connection,
    *,
    states: Sequence[ApprovalState] = (),
    session_id: str | None = None,
    run_id: str | None = None,
) -> list[Approval]:
    """Return the questions that fit, oldest first."""
    where, args = ["1"], list[object]()
    if states:
        where.append(f"state IN ({','.join('?' * len(states))})")
        args.extend(states)
    for column, value in (("session_id", session_id), ("run_id", run_id)):
        if value is not None:
            where.append(f"{column} = ?")
            args.append(value)
    rows = db.execute(f"SELECT data FROM approval WHERE {' AND '.join(where)} ORDER BY id", args)  # noqa: S608 - fixed words only
    return [_DECODE(row["data"]) for row in rows]


def waiting_in(db: sqlite3.Connection, session_id: str) -> list[Approval]:
    """Return the questions of a session that wait for an answer, oldest first; cheap however many there were."""
    rows = db.execute(
        "SELECT data FROM approval WHERE session_id = ? AND state IN ('waiting', 'answered') AND state = 'waiting'"
        " ORDER BY id",
        (session_id,),
    )
    return [_DECODE(row["data"]) for row in rows]


def next_expiry(db: sqlite3.Connection) -> str | None:
    """Return when the next waiting question expires."""
    row = db.execute("SELECT min(expires_at) FROM approval WHERE state = 'waiting'").fetchone()
    return str(row[0]) if row[0] else None
