"""The only SQL of processes. Each function takes a connection and runs inside the caller's transaction."""

import sqlite3
from collections.abc import Iterable

from claude_code_mcp.features.processes.models import Sample


def add(db: sqlite3.Connection, at: str, samples: Iterable[tuple[str, int, float, int]]) -> None:
    """Keep what subjects use now: subject, memory, processor time, number of processes."""
    db.executemany("INSERT OR IGNORE INTO usage_sample VALUES (?,?,?,?,?)", [(one[0], at, *one[1:]) for one in samples])


def newest(db: sqlite3.Connection, subject: str, limit: int) -> list[Sample]:
    """Return the newest samples of a subject, oldest first."""
    rows = db.execute(
        "SELECT at, memory_bytes, cpu_s, processes FROM usage_sample WHERE subject = ? ORDER BY at DESC LIMIT ?",
        (subject, limit),
    ).fetchall()
    return [Sample(at=row[0], memory_bytes=row[1], cpu_s=row[2], processes=row[3]) for row in reversed(rows)]


def forget_before(db: sqlite3.Connection, moment: str) -> None:
    """Remove samples from before a time."""
    db.execute("DELETE FROM usage_sample WHERE at < ?", (moment,))
