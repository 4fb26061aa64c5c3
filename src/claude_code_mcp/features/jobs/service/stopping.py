"""Ending a job's process: noted first, so that the successor of a daemon that is killed meanwhile goes on with it."""

import logging
from collections.abc import Sequence

from claude_code_mcp.features.jobs.events import JobStopping
from claude_code_mcp.features.jobs.models import Job, JobState
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.run import Run

OVER_LIMIT = "over_limit"
RESTART = "restart"
log = logging.getLogger(__name__)


async def stop(book: Book, job: Job, run: Run, why: str, *, by: str = "", grace_s: float | None = None) -> None:
    """End a job's process and all below it. `why`: killed, timed_out or restart.

    Where the store takes nothing it is ended all the same: what fills the disk can be ended by whoever sees it.

    Raises:
        StoreUnavailable: the job was to begin again, which cannot be noted; it goes on.
    """

    def note(found: Job) -> Sequence[Fact]:
        if found.stopping is not None or found.state not in {JobState.RUNNING, JobState.STARTING}:
            return []
        found.stopping = why
        return [JobStopping(job_id=found.id, why=why, by=by)]

    try:
        await book.change(job.id, note)
    except StoreUnavailable:
        if why == RESTART:
            raise
        log.warning("job %s is ended (%s), which cannot be noted now", job.id, why)
        book.unnoted[job.id] = (why, "")
    await run.stop(grace_s)


async def stop_over_limit(book: Book, job: Job, run: Run, because: str) -> None:
    """End a job that is over a limit, also where the store takes nothing: a full disk needs it the most."""

    def note(found: Job) -> Sequence[Fact]:
        if found.stopping is not None or found.state not in {JobState.RUNNING, JobState.STARTING}:
            return []
        found.stopping, found.stopped_because = OVER_LIMIT, because
        return [JobStopping(job_id=found.id, why=OVER_LIMIT)]

    log.warning("job %s is ended: %s", job.id, because)
    try:
        await book.change(job.id, note)
    except StoreUnavailable:
        book.unnoted[job.id] = (OVER_LIMIT, because)
    await run.stop()
