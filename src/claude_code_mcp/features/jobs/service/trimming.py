"""Cutting the middle out of a job's outputs, where they are over their limit."""

import os
from collections.abc import Sequence

from claude_code_mcp.features.jobs.events import JobOutputCut
from claude_code_mcp.features.jobs.models import Job
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.readiness import STREAMS
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.ring import Cut, planned, punch
from claude_code_mcp.platform.procs.run import Run, Stream


def cut_of(job: Job, stream: str, attempt: int | None = None) -> Cut:
    """Return what is gone from an output of the job's last attempt, or of that of a number."""
    cuts = job.cuts if attempt in {None, job.attempt} else job.past_cuts.get(attempt or 0, {})
    start, end = cuts.get(stream, (0, 0))
    return Cut(start, end)


async def trim(book: Book, job: Job, run: Run, *, again: bool = False) -> None:
    """Cut both outputs where they have grown over the limit. `again`: also what was noted as cut already, which a
    daemon that was killed then may have left undone.

    Raises:
        CannotPunch: the file system cannot free a part of a file.
        OSError: a file is gone.
    """
    for stream in STREAMS:
        cut = cut_of(job, stream)
        wanted = planned(run.files.size_of(stream), job.output_limit_bytes, cut)
        if wanted != cut or (again and cut.size_bytes):
            await _cut(book, job, run, stream, wanted)


async def _cut(book: Book, job: Job, run: Run, stream: Stream, wanted: Cut) -> None:
    """Cut one output; what goes is noted before it goes, so that nobody ever takes the zeros for output."""

    def note(found: Job) -> Sequence[Fact]:
        found.cuts[stream] = [wanted.start, wanted.end]
        return [JobOutputCut(job_id=found.id, stream=stream, limit_bytes=found.output_limit_bytes)]

    async def noted() -> None:
        if stream not in job.cuts:
            await book.change(job.id, note)
        elif wanted != cut_of(job, stream):
            await book.keep(job.id, note)

    try:
        await noted()
    except StoreUnavailable:  # a full disk: what is cut makes the room in which it is noted
        _free(run, stream, wanted)
        await noted()
    else:
        _free(run, stream, wanted)


def _free(run: Run, stream: Stream, cut: Cut) -> None:
    fd = os.open(run.files.path / stream, os.O_RDWR | os.O_CLOEXEC)
    try:
        punch(fd, cut)
    finally:
        os.close(fd)
