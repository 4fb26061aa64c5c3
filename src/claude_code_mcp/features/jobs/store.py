"""The only SQL of jobs. Each function takes a connection and runs inside the caller's transaction."""

import sqlite3
from collections.abc import Sequence

import msgspec

from claude_code_mcp.features.jobs.models.things import ALIVE, Job
from claude_code_mcp.kernel.ids import JobId, RunId

_ENCODE = msgspec.json.Encoder().encode
_JOB = msgspec.json.Decoder(Job).decode


def put(db: sqlite3.Connection, job: Job) -> None:
    """Insert or replace a job; its current run, if any, is noted as its own."""
    db.execute(
        "INSERT INTO job VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET state=excluded.state,"
        " run_id=excluded.run_id, ended_at=excluded.ended_at, pinned=excluded.pinned, data=excluded.data",
        (job.id, job.state, job.session_id, job.run_id, job.created_at, job.ended_at, job.pinned, _ENCODE(job)),
    )
    if job.run_id is not None:
        db.execute("INSERT OR IGNORE INTO job_run (id, job_id) VALUES (?,?)", (job.run_id, job.id))


def job(db: sqlite3.Connection, job_id: str) -> Job | None:
    """Return one job."""
    row = db.execute("SELECT data FROM job WHERE id = ?", (job_id,)).fetchone()
    return _JOB(row["data"]) if row else None


def jobs(db: sqlite3.Connection, states: Sequence[str] = (), session_id: str | None = None) -> list[Job]:
    """Return jobs, the newest first."""
    where, args = ["1"], list[object]()
    if states:
        where.append(f"state IN ({','.join('?' * len(states))})")
        args.extend(states)
    if session_id is not None:
        where.append("session_id = ?")
        args.append(session_id)
    rows = db.execute(
        f"SELECT data FROM job WHERE {' AND '.join(where)} ORDER BY id DESC",  # noqa: S608 - fixed words only
        args,
    )
    return [_JOB(row["data"]) for row in rows]


def living(db: sqlite3.Connection) -> list[Job]:
    """Return the jobs that run or will run, oldest first."""
    return jobs(db, [state.value for state in ALIVE])[::-1]


def count_living(db: sqlite3.Connection) -> int:
    """Return how many jobs run or will run."""
    marks = ",".join("?" * len(ALIVE))
    states = [state.value for state in ALIVE]
    (number,) = db.execute(f"SELECT count(*) FROM job WHERE state IN ({marks})", states).fetchone()  # noqa: S608 - fixed words only
    return int(number)


def starting_with(db: sqlite3.Connection, prefix: str) -> list[JobId]:
    """Return the ids that begin with `prefix` (only the characters of a UUID), two at most."""
    rows = db.execute("SELECT id FROM job WHERE id >= ? AND id < ? LIMIT 2", (prefix, prefix + "g"))
    return [JobId(row[0]) for row in rows]


def ended(db: sqlite3.Connection) -> list[tuple[JobId, str]]:
    """Return the jobs that are over and not pinned with the time of their end, oldest first."""
    rows = db.execute("SELECT id, ended_at FROM job WHERE ended_at IS NOT NULL AND pinned = 0 ORDER BY ended_at")
    return [(JobId(row[0]), str(row[1])) for row in rows]


def runs_of(db: sqlite3.Connection, job_id: JobId) -> list[RunId]:
    """Return the runs of a job whose files are there, oldest first."""
    rows = db.execute("SELECT id FROM job_run WHERE job_id = ? AND removed = 0 ORDER BY id", (job_id,))
    return [RunId(row[0]) for row in rows]


def run_of_attempt(db: sqlite3.Connection, job_id: JobId, attempt: int) -> RunId | None:
    """Return the run of one attempt, counted from 1; None where there was none."""
    found = db.execute(
        "SELECT id FROM job_run WHERE job_id = ? ORDER BY id LIMIT 1 OFFSET ?", (job_id, attempt - 1)
    ).fetchone()
    return RunId(found[0]) if found else None


def run_removed(db: sqlite3.Connection, run_id: RunId) -> None:
    """Note that the files of a run are gone."""
    db.execute("UPDATE job_run SET removed = 1 WHERE id = ?", (run_id,))


def known_runs(db: sqlite3.Connection) -> set[str]:
    """Return the runs whose files belong to a job."""
    return {str(row[0]) for row in db.execute("SELECT id FROM job_run WHERE removed = 0")}


def remove(db: sqlite3.Connection, job_id: JobId) -> None:
    """Forget a job and its runs."""
    db.execute("DELETE FROM job_run WHERE job_id = ?", (job_id,))
    db.execute("DELETE FROM job WHERE id = ?", (job_id,))
