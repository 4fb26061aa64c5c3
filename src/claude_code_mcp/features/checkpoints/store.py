"""The only SQL of checkpoints. Each function takes a connection and runs inside the caller's transaction."""

import sqlite3
from collections.abc import Sequence

import msgspec

from claude_code_mcp.features.checkpoints.models import Checkpoint, PendingRestore, Project
from claude_code_mcp.kernel.ids import CheckpointId

_ENCODE = msgspec.json.Encoder().encode
_CHECKPOINT = msgspec.json.Decoder(Checkpoint).decode
_PROJECT = msgspec.json.Decoder(Project).decode
_RESTORE = msgspec.json.Decoder(PendingRestore).decode


def put(db: sqlite3.Connection, one: Checkpoint) -> None:
    """Insert a checkpoint, or bring it up to date."""
    db.execute(
        "INSERT INTO checkpoint VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET"
        " parent=excluded.parent, pinned=excluded.pinned, data=excluded.data",
        (
            one.id,
            one.project,
            one.parent,
            one.manifest,
            one.trigger,
            one.point.session_id,
            one.created_at,
            one.pinned,
            _ENCODE(one),
        ),
    )


def get(db: sqlite3.Connection, checkpoint_id: str) -> Checkpoint | None:
    """Return one checkpoint."""
    row = db.execute("SELECT data FROM checkpoint WHERE id = ?", (checkpoint_id,)).fetchone()
    return _CHECKPOINT(row["data"]) if row else None


def starting_with(db: sqlite3.Connection, prefix: str) -> list[CheckpointId]:
    """Return the ids that begin with `prefix` (only the characters of a UUID), two at most."""
    rows = db.execute("SELECT id FROM checkpoint WHERE id >= ? AND id < ? LIMIT 2", (prefix, prefix + "g"))
    return [CheckpointId(row[0]) for row in rows]


def find(
    db: sqlite3.Connection,
    *,
    project: str | None = None,
    session_id: str | None = None,
    before: str | None = None,
    limit: int = -1,
) -> list[Checkpoint]:
    """Return the checkpoints that fit, the newest first; `before` is an id to go on after."""
    where, args = ["1"], list[object]()
    for clause, value in (("project = ?", project), ("session_id = ?", session_id), ("id < ?", before)):
        if value is not None:
            where.append(clause)
            args.append(value)
    rows = db.execute(
        f"SELECT data FROM checkpoint WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",  # noqa: S608 - fixed words only
        [*args, limit],
    )
    return [_CHECKPOINT(row["data"]) for row in rows]


def children(db: sqlite3.Connection, parent: str) -> list[Checkpoint]:
    """Return the checkpoints that came from this one."""
    return [_CHECKPOINT(row["data"]) for row in db.execute("SELECT data FROM checkpoint WHERE parent = ?", (parent,))]


def delete(db: sqlite3.Connection, checkpoint_id: str) -> None:
    """Forget a checkpoint."""
    db.execute("DELETE FROM checkpoint WHERE id = ?", (checkpoint_id,))


def manifests(db: sqlite3.Connection, project: str | None = None) -> set[bytes]:
    """Return the manifests of all checkpoints (of one project, or of all)."""
    rows = db.execute("SELECT DISTINCT manifest FROM checkpoint WHERE ?1 IS NULL OR project = ?1", (project,))
    return {bytes.fromhex(row[0]) for row in rows}


def has_manifest(db: sqlite3.Connection, manifest: str) -> bool:
    """Tell whether any checkpoint has this manifest."""
    return db.execute("SELECT 1 FROM checkpoint WHERE manifest = ? LIMIT 1", (manifest,)).fetchone() is not None


def count(db: sqlite3.Connection, project: str) -> int:
    """Return how many checkpoints a project has."""
    (number,) = db.execute("SELECT count(*) FROM checkpoint WHERE project = ?", (project,)).fetchone()
    return int(number)


def put_project(db: sqlite3.Connection, project: Project) -> None:
    """Insert a project, or bring it up to date."""
    db.execute(
        "INSERT INTO checkpoint_project VALUES (?,?) ON CONFLICT (path) DO UPDATE SET data=excluded.data",
        (project.path, _ENCODE(project)),
    )


def project(db: sqlite3.Connection, path: str) -> Project:
    """Return a project; one that is not known yet is new."""
    row = db.execute("SELECT data FROM checkpoint_project WHERE path = ?", (path,)).fetchone()
    return _PROJECT(row["data"]) if row else Project(path=path)


def projects(db: sqlite3.Connection) -> list[Project]:
    """Return all projects."""
    return [_PROJECT(row["data"]) for row in db.execute("SELECT data FROM checkpoint_project ORDER BY path")]


def begin_restore(db: sqlite3.Connection, pending: PendingRestore) -> None:
    """Note that a restore begins."""
    db.execute("INSERT INTO checkpoint_restore VALUES (?,?,?)", (pending.id, pending.project, _ENCODE(pending)))


def end_restore(db: sqlite3.Connection, restore_id: str) -> None:
    """Note that a restore is over."""
    db.execute("DELETE FROM checkpoint_restore WHERE id = ?", (restore_id,))


def pending_restores(db: sqlite3.Connection) -> Sequence[PendingRestore]:
    """Return the restores of which the end was not noted, oldest first."""
    return [_RESTORE(row["data"]) for row in db.execute("SELECT data FROM checkpoint_restore ORDER BY id")]


def cursor(db: sqlite3.Connection, name: str) -> int | None:
    """Return how far a reader of the event log came, None where it never read."""
    row = db.execute("SELECT seq FROM checkpoint_cursor WHERE name = ?", (name,)).fetchone()
    return int(row["seq"]) if row else None


def put_cursor(db: sqlite3.Connection, name: str, seq: int) -> None:
    """Note how far a reader of the event log came."""
    db.execute(
        "INSERT INTO checkpoint_cursor VALUES (?,?) ON CONFLICT (name) DO UPDATE SET seq=excluded.seq", (name, seq)
    )
