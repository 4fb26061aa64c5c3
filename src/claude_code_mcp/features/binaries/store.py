"""The only SQL of binaries."""

import sqlite3


def preference(db: sqlite3.Connection) -> str | None:
    """Return the preferred path."""
    row = db.execute("SELECT path FROM binary_preference").fetchone()
    return str(row[0]) if row else None


def prefer(db: sqlite3.Connection, path: str | None, at: str) -> None:
    """Keep or forget a preference."""
    if path is None:
        db.execute("DELETE FROM binary_preference")
    else:
        db.execute("INSERT OR REPLACE INTO binary_preference VALUES (1, ?, ?)", (path, at))
