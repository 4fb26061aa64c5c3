"""The jobs as they are kept: one place that changes a row and appends what happened in the same transaction."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from claude_code_mcp.features.jobs import store
from claude_code_mcp.features.jobs.errors import JobNotFound, TooManyJobs
from claude_code_mcp.features.jobs.models import Job
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import JobId, RunId
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import append

Change = Callable[[Job], Sequence[Fact]]
"""Changes a job in place and returns what happened; nothing is kept when it returns no fact."""


class Book:
    """All jobs. `changed` is called on the event loop after each change.

    `unnoted`: why jobs are ended, and what is said of it, where the store could not take it before their end.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.changed: Callable[[JobId], None] = lambda _: None
        self.unnoted: dict[str, tuple[str, str]] = {}

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()

    def stamp(self) -> str:
        """Return the time as it is kept."""
        return stamp(self.clock.now())

    def job(self, wanted: str) -> Job:
        """Return the job of this id, or the only one whose id begins so.

        Raises:
            JobNotFound: there is none, or more than one.
        """
        lowered = wanted.strip().lower()
        found = self.database.read(lambda db: store.job(db, lowered))
        if found is None:
            ids = self.database.read(lambda db: store.starting_with(db, lowered))
            if len(ids) == 1:
                return self.job(ids[0])
            why = "More than one job begins with" if ids else "There is no job"
            raise JobNotFound(f"{why} {wanted[:40]}.", remedy="job_list shows the known ones.", job_id=wanted[:40])
        return found

    def living(self) -> list[Job]:
        """Return the jobs that run or will run, oldest first."""
        return self.database.read(store.living)

    def run_of(self, job: Job, attempt: int) -> RunId | None:
        """Return the run of one attempt of the job, None where there was none."""
        if attempt == job.attempt:
            return job.run_id
        return self.database.read(lambda db: store.run_of_attempt(db, job.id, attempt))

    def untold(self) -> list[Job]:
        """Return the jobs that have something to tell their session."""
        return [job for job in self.database.read(store.jobs) if job.untold]

    def room_for_one(self, most: int) -> None:
        """Return when another job may run.

        Raises:
            TooManyJobs: `most` run already.
        """
        self.database.read(lambda db: _check_room(db, most))

    async def accept(self, job: Job, facts: Sequence[Fact], most: int) -> None:
        """Take on a job, unless `most` run already.

        Raises:
            TooManyJobs: they do; nothing was changed.
        """

        def write(db: sqlite3.Connection) -> None:
            _check_room(db, most)
            store.put(db, job)
            append(db, [self._event(job, fact) for fact in facts])

        await self.database.write(write)
        self.changed(job.id)

    async def change(self, job_id: JobId, change: Change) -> Job:
        """Change a job and note what happened, both or neither; return it as it is now.

        Raises:
            JobNotFound: it was removed.
        """

        def write(db: sqlite3.Connection) -> Job:
            job = store.job(db, job_id)
            if job is None:
                raise JobNotFound(f"There is no job {job_id}.", remedy="It was removed.", job_id=job_id)
            facts = change(job)
            if facts:
                job.updated_at = self.stamp()
                store.put(db, job)
                append(db, [self._event(job, fact) for fact in facts])
            return job

        found = await self.database.write(write)
        self.changed(job_id)
        return found

    async def keep(self, job_id: JobId, change: Callable[[Job], object]) -> None:
        """Keep something about a job that is no event; a job that is gone is passed over."""

        def write(db: sqlite3.Connection) -> None:
            job = store.job(db, job_id)
            if job is not None:
                change(job)
                store.put(db, job)

        await self.database.write(write)

    async def remove(self, job: Job, fact: Fact) -> None:
        """Forget a job; what happened to it stays in the log."""

        def write(db: sqlite3.Connection) -> None:
            store.remove(db, job.id)
            append(db, [self._event(job, fact)])

        await self.database.write(write)
        self.changed(job.id)

    def _event(self, job: Job, fact: Fact) -> Event:
        return Event(fact=fact, at=self.clock.now(), session_id=job.session_id, subject=job.id)


def _check_room(db: sqlite3.Connection, most: int) -> None:
    if store.count_living(db) >= most:
        raise TooManyJobs(
            f"{most} jobs run already, and no more may.",
            remedy="Wait for one or end one (job_list, job_kill), or raise jobs_max (MCP_BG_MAX_JOBS).",
            limit=most,
        )
