"""Looking after the disk while jobs run: each output within its limit, and no job when the disk is about to be full."""

import asyncio
import logging

from claude_code_mcp.features.jobs.models import Job, JobState
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.stopping import stop_over_limit
from claude_code_mcp.features.jobs.service.supervisor import Supervisor
from claude_code_mcp.features.jobs.service.trimming import trim
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.ring import CannotPunch
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.space import DiskWatch
from claude_code_mcp.platform.tasks import Tasks

LOOK_S = 0.2
CANNOT = "it wrote more than it may, and this file system cannot cut a file in the middle"
FULL = "the disk is about to be full"
log = logging.getLogger(__name__)


class Cutter:
    """Looks at the outputs of running jobs five times a second: one fstat each."""

    def __init__(self, book: Book, supervisor: Supervisor, tasks: Tasks, disk: DiskWatch, critical_bytes: int) -> None:
        """`critical_bytes`: with less room on the disk of the outputs every job is ended."""
        self._book = book
        self._supervisor = supervisor
        self._tasks = tasks
        self._disk = disk
        self._critical_bytes = critical_bytes
        self._ending: set[str] = set()

    async def run(self) -> None:
        """Go round for as long as the daemon lives."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._supervisor.busy():
                await self.look()

    async def look(self) -> None:
        """Look once at every job that runs."""
        critical = self._disk.sample().free_bytes < self._critical_bytes
        for job in self._book.living():
            run = self._supervisor.run_of(job) if job.state is JobState.RUNNING else None
            if run is None or run.run_id in self._ending:
                continue
            if critical:
                self._end(job, run, FULL)
            elif job.output_limit_bytes:
                await self._trim(job, run)

    async def _trim(self, job: Job, run: Run) -> None:
        try:
            await trim(self._book, job, run)
        except CannotPunch:
            self._end(job, run, CANNOT)
        except (OSError, StoreUnavailable) as exc:
            log.warning("job %s: its output cannot be cut: %s", job.id, exc)

    def _end(self, job: Job, run: Run, because: str) -> None:
        self._ending.add(run.run_id)
        ending = self._tasks.start(f"end of job {job.id}", stop_over_limit(self._book, job, run, because))
        ending.add_done_callback(lambda _: self._ending.discard(run.run_id))
