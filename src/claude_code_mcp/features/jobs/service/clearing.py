"""Clearing away ended jobs: by age and by number, pinned ones never; and files that belong to nobody."""

import asyncio
import contextlib
import logging
from datetime import timedelta
from functools import partial

from claude_code_mcp.features.jobs import store
from claude_code_mcp.features.jobs.errors import JobNotFound
from claude_code_mcp.features.jobs.events import JobRemoved
from claude_code_mcp.features.jobs.models import Job
from claude_code_mcp.features.jobs.rules.states import ATTEMPTS_KEPT
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.ids import JobId, RunId
from claude_code_mcp.platform.procs.errors import RunIsAlive, RunNotFound
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.vault import Vault

log = logging.getLogger(__name__)


class Clearing:
    """Removes jobs with everything that is theirs."""

    def __init__(self, book: Book, runs: Runs, vault: Vault, settings: Settings) -> None:
        self._book = book
        self._runs = runs
        self._vault = vault
        self._settings = settings

    async def run(self) -> None:
        """Go round for as long as the daemon lives."""
        while True:
            try:
                await self.clear()
            except Exception:
                log.exception("the next round may go better")
            await asyncio.sleep(self._settings.jobs_cleanup_interval_s)

    async def clear(self) -> list[JobId]:
        """Remove what is too old or too many, and old attempts of jobs that stay; return the jobs removed."""
        before = stamp(self._book.now() - timedelta(hours=self._settings.jobs_keep_h))
        ended = self._book.database.read(store.ended)
        surplus = max(0, len(ended) - self._settings.jobs_keep)
        old = [job_id for n, (job_id, at) in enumerate(ended) if n < surplus or at < before]
        for job_id in old:
            with contextlib.suppress(JobNotFound):
                await self.remove(self._book.job(job_id), "old")
        for job in self._book.database.read(store.jobs):
            for run_id in self._book.database.read(partial(store.runs_of, job_id=job.id))[:-ATTEMPTS_KEPT]:
                await self._forget(run_id)
        return old

    async def remove(self, job: Job, why: str) -> None:
        """Remove a job that is over: its files, its secrets, its row."""
        for run_id in self._book.database.read(lambda db: store.runs_of(db, job.id)):
            await self._forget(run_id)
        self._vault.forget(job.id)
        await self._book.remove(job, JobRemoved(job_id=job.id, why=why))

    async def sweep(self) -> None:
        """Remove the files of runs, and secrets, that no job knows: a daemon was killed while it took a job on, or
        removed one."""
        known = self._book.database.read(store.known_runs)
        for run in self._runs.scan():
            if run.run_id not in known and run.ended():
                await self._forget(RunId(run.run_id))
        jobs = {job.id for job in self._book.database.read(store.jobs)}
        for name in self._vault.names():
            if name not in jobs:
                self._vault.forget(name)

    async def _forget(self, run_id: RunId) -> None:
        try:
            await self._runs.remove(run_id)
        except RunNotFound:
            pass
        except RunIsAlive:
            log.warning("run %s of an ended job lives", run_id)
            return
        await self._book.database.write(lambda db: store.run_removed(db, run_id))
