"""Commands that others need the end of: run as jobs, waited for, and cleared away."""

from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.jobs.models import ExecuteJob, KillJob, ShowJob, TailOutput, WaitJob
from claude_code_mcp.features.jobs.service.jobs import Jobs
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import parse

SHOWN_LINES = 60
WAIT_S = 600.0
"""Longest wait at a time."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: `code` is None where it was ended."""

    code: int | None
    state: str
    seconds: float
    output: str


class Errands:
    """Runs commands to their end."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def run_through(self, command: str, folder: Path, timeout_s: float, caller: Caller) -> Ended:
        """Run a shell command in a folder, and return how it ended; one that takes longer is ended with all that it
        started. A caller who goes away ends it too.

        Raises:
            ClaudeCodeMcpError: the policy refuses it, or it cannot be started.
        """
        wish = ExecuteJob(
            command=command, project_path=str(folder), timeout_s=timeout_s, no_stdin=True, name="branch test"
        )
        job_id = (await self._jobs.execute(wish, caller)).job_id
        try:
            reached = False
            while not reached:
                reached = (await self._jobs.wait(WaitJob(job_id=job_id, wait_s=WAIT_S))).reached
        except BaseException:
            await self._jobs.kill(KillJob(job_id=job_id), caller)
            raise
        job = await self._jobs.status(ShowJob(job_id=job_id))
        tail = await self._jobs.tail(TailOutput(job_id=job_id, lines=SHOWN_LINES))
        took = (parse(job.completed) - parse(job.started)).total_seconds() if job.completed else 0.0
        output = "\n".join(part.rstrip("\n") for part in (tail.stdout, tail.stderr) if part)
        return Ended(job.code, job.state, took, output)
