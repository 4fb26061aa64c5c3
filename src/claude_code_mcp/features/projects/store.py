"""The only SQL of projects."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trusted:
    """A project as it was trusted."""

    path: str
    fingerprint: str
    trusted_by: str
    trusted_at: str


def put(db: sqlite3.Connection, trusted: Trusted) -> None:
    """Trust a project, in place of an earlier trust."""
    db.execute(
        "INSERT INTO project VALUES (?,?,?,?) ON CONFLICT (path) DO UPDATE SET"
        " fingerprint=excluded.fingerprint, trusted_by=excluded.trusted_by, trusted_at=excluded.trusted_at",
        (trusted.path, trusted.fingerprint, trusted.trusted_by, trusted.trusted_at),
    )


def get(db: sqlite3.Connection, path: str) -> Trusted | None:
    """Return how a project was trusted."""
    row = db.execute("SELECT * FROM project WHERE path = ?", (path,)).fetchone()
    return Trusted(**dict(row)) if row else None


def delete(db: sqlite3.Connection, path: str) -> bool:
    """Take trust back; tell whether there was any."""
    return db.execute("DELETE FROM project WHERE path = ?", (path,)).rowcount > 0


def all_trusted(db: sqlite3.Connection) -> list[Trusted]:
    """Return all trusted projects."""
    return [Trusted(**dict(row)) for row in db.execute("SELECT * FROM project ORDER BY path")]
