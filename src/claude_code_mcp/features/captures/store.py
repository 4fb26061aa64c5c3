"""The only SQL of captures."""

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from claude_code_mcp.features.captures.models import PastTranscript, ProcessRow, TranscriptRow
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.transcript.tally import Tally

_ENCODE = msgspec.json.Encoder().encode
_TALLY = msgspec.json.Decoder(Tally).decode
_OF_SUBAGENTS = "SELECT tally FROM transcript WHERE session_id = ? AND agent_id != ''"


def homes(db: sqlite3.Connection) -> list[str]:
    """Return the configuration directories that were seen."""
    return [row[0] for row in db.execute("SELECT config_dir FROM capture_home ORDER BY rowid")]


def put_home(db: sqlite3.Connection, config_dir: str) -> None:
    """Keep a configuration directory."""
    db.execute("INSERT OR IGNORE INTO capture_home VALUES (?)", (config_dir,))


def processes(db: sqlite3.Connection) -> list[ProcessRow]:
    """Return the processes that were seen and have not gone."""
    return [ProcessRow(**dict(row)) for row in db.execute("SELECT * FROM capture_process")]


def put_process(db: sqlite3.Connection, row: ProcessRow) -> None:
    """Insert a process, or bring it up to date."""
    values = (row.key, row.config_dir, row.pid, row.session_id, row.status)
    db.execute("INSERT OR REPLACE INTO capture_process VALUES (?,?,?,?,?)", values)


def drop_process(db: sqlite3.Connection, key: str) -> None:
    """Forget a process: it is gone."""
    db.execute("DELETE FROM capture_process WHERE key = ?", (key,))


def put_transcript(db: sqlite3.Connection, row: TranscriptRow) -> None:
    """Insert a transcript, or bring it up to date."""
    values = (
        row.path,
        row.session_id,
        row.agent_id,
        row.device,
        row.inode,
        row.size_bytes,
        row.mtime_ns,
        row.offset,
        row.mark,
        row.followed,
        row.state,
        row.tally.last_active_at,
        _ENCODE(row.tally),
    )
    db.execute("INSERT OR REPLACE INTO transcript VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", values)


def transcript(db: sqlite3.Connection, path: str) -> TranscriptRow | None:
    """Return one transcript."""
    row = db.execute("SELECT * FROM transcript WHERE path = ?", (path,)).fetchone()
    return _row(row) if row else None


def drop_transcript(db: sqlite3.Connection, path: str) -> None:
    """Forget a transcript: its file is gone."""
    db.execute("DELETE FROM transcript WHERE path = ?", (path,))


def read_until(db: sqlite3.Connection) -> dict[str, tuple[int, int, int, int, int | None]]:
    """Return device, inode, size, time of change and how far each known transcript was followed, by path."""
    rows = db.execute("SELECT path, device, inode, size_bytes, mtime_ns, followed FROM transcript")
    return {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in rows}


def main_path(db: sqlite3.Connection, session_id: str) -> str | None:
    """Return the transcript of a session's main thread, the one that was active last where there are several."""
    row = db.execute(
        "SELECT path FROM transcript WHERE session_id = ? AND agent_id = '' ORDER BY last_active_at DESC LIMIT 1",
        (session_id,),
    ).fetchone()
    return str(row[0]) if row else None


def past(db: sqlite3.Connection, limit: int, after: tuple[str, str] | None) -> list[PastTranscript]:
    """Return sessions by their transcripts, the last active first; after the one with this time and path."""
    where, args = "agent_id = '' AND last_active_at != ''", list[Any]()
    if after is not None:
        where += " AND (last_active_at, path) < (?, ?)"
        args += after
    rows = db.execute(
        f"SELECT * FROM transcript WHERE {where} ORDER BY last_active_at DESC, path DESC LIMIT ?",  # noqa: S608 - fixed words only
        (*args, limit),
    ).fetchall()
    return [_past(_row(row), _subagents(db, row["session_id"])) for row in rows]


def counts(db: sqlite3.Connection) -> tuple[int, int]:
    """Return how many transcripts are known, and how many of them are followed."""
    row = db.execute("SELECT count(*), count(followed) FROM transcript").fetchone()
    return int(row[0]), int(row[1])


def _subagents(db: sqlite3.Connection, session_id: str) -> list[Tally]:
    return [_TALLY(row[0]) for row in db.execute(_OF_SUBAGENTS, (session_id,))]


def _row(row: sqlite3.Row) -> TranscriptRow:
    values: dict[str, Any] = dict(row)
    del values["last_active_at"]
    values["tally"] = _TALLY(values["tally"])
    return TranscriptRow(**values)


def _past(row: TranscriptRow, subagents: Iterable[Tally]) -> PastTranscript:
    tally, below = row.tally, list(subagents)
    return PastTranscript(
        session_id=SessionId(row.session_id),
        path=row.path,
        size_bytes=row.size_bytes,
        last_active_at=max([tally.last_active_at, *(one.last_active_at for one in below)]),
        cwd=tally.cwd,
        title=tally.title,
        first_prompt=tally.first_prompt,
        started_at=tally.started_at or None,
        version=tally.version,
        entrypoint=tally.entrypoint,
        prompts=tally.prompts,
        tool_calls=tally.tool_calls + sum(one.tool_calls for one in below),
        errors=tally.errors + sum(one.errors for one in below),
        subagents=len(below),
        cost_microusd=tally.cost_microusd,
    )
