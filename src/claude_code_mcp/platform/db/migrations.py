"""Forward-only migrations: each runs once, whole, in its own transaction."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from claude_code_mcp.platform.db.errors import StoreTooNew

_LEDGER = """
CREATE TABLE IF NOT EXISTS migration (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; `name` is unique and never changes after release."""

    name: str
    sql: str


def of_package(package: str) -> tuple[Migration, ...]:
    """Return the migrations in `package`'s `migrations/` folder, ordered by file name."""
    folder = files(package).joinpath("migrations")
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".sql"))
    steps = sorted(found, key=lambda entry: entry.name)
    owner = package.rpartition(".")[2]
    return tuple(Migration(f"{owner}/{step.name[:-4]}", step.read_text(encoding="utf-8")) for step in steps)


def migrate(db: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> list[str]:
    """Apply what is missing, in the given order, and return the names of what was applied.

    A database that already holds data is first copied beside itself (`state.db.before-<step>`), so that an
    upgrade can be taken back by hand.

    Raises:
        StoreTooNew: the database knows steps that this version does not.
    """
    db.execute(_LEDGER)
    applied = {row[0] for row in db.execute("SELECT name FROM migration")}
    unknown = applied - {step.name for step in steps}
    if unknown:
        raise StoreTooNew(
            f"{path} was written by a newer version of claude-code-mcp (it knows {', '.join(sorted(unknown))}).",
            remedy="Upgrade claude-code-mcp, or point CLAUDE_CODE_MCP_HOME at another directory.",
        )
    missing = [step for step in steps if step.name not in applied]
    if missing and applied:
        _copy(db, path.with_name(f"{path.name}.before-{missing[0].name.replace('/', '-')}"))
    for step in missing:
        _apply(db, step)
    return [step.name for step in missing]


def _apply(db: sqlite3.Connection, step: Migration) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements(step.sql):
            db.execute(statement)
        db.execute(
            "INSERT INTO migration VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            (step.name, hashlib.sha256(step.sql.encode()).hexdigest()),
        )
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _copy(db: sqlite3.Connection, target: Path) -> None:
    # A half copy of an earlier, killed try must not pass for a whole one: write aside, then rename.
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    copy = sqlite3.connect(part)
    try:
        part.chmod(0o600)
        db.backup(copy)
    finally:
        copy.close()
    part.replace(target)


def statements(sql: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would commit behind our back."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            if pending.strip():
                yield pending.strip()
            pending = ""
    if pending.strip():
        raise ValueError(f"unfinished statement: {pending.strip()[:80]}")
