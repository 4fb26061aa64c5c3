"""Small records kept by name: for parts that need no table of their own."""

import sqlite3
from dataclasses import dataclass

from claude_code_mcp.platform.db.database import Database


@dataclass(frozen=True, slots=True)
class Record:
    """`body` is the keeper's own; `closed` ones may be forgotten by age (`changed_at`, as `kernel.clock.stamp`)."""

    name: str
    changed_at: str
    closed: bool
    body: bytes


class Records:
    """The records of one keeper; `space` is its own and tells it from others."""

    def __init__(self, database: Database, space: str) -> None:
        self._database = database
        self._space = space

    async def put(self, record: Record) -> None:
        """Insert or replace; durable when this returns."""
        row = (self._space, record.name, record.changed_at, int(record.closed), record.body)

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO record VALUES (?,?,?,?,?)", row)

        await self._database.write(write)

    def get(self, name: str) -> Record | None:
        """Return one record."""
        row = self._database.read(
            lambda db: db.execute("SELECT * FROM record WHERE space = ? AND name = ?", (self._space, name)).fetchone()
        )
        return Record(row["name"], row["changed_at"], bool(row["closed"]), row["body"]) if row else None

    async def prune(self, before: str) -> None:
        """Forget the closed ones that changed last before that time."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM record WHERE space = ? AND closed = 1 AND changed_at < ?", (self._space, before))

        await self._database.write(write)
