"""Jobs as they are shown."""

import signal
from collections.abc import Mapping

from claude_code_mcp.features.jobs.models import Capabilities, Job, JobInfo, JobState
from claude_code_mcp.features.jobs.rules.states import DOCUMENT
from claude_code_mcp.features.jobs.service.capabilities import capabilities
from claude_code_mcp.features.jobs.service.supervisor import Supervisor
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.command_secrets import command_shown
from claude_code_mcp.platform.procs.cgroups import Cgroups
from claude_code_mcp.platform.procs.models import Usage
from claude_code_mcp.platform.procs.runs import Runs

COMMAND_LENGTH = 2000


class Views:
    """Makes replies of jobs; secrets in commands are taken out."""

    def __init__(self, supervisor: Supervisor, runs: Runs, cgroups: Cgroups) -> None:
        self._supervisor = supervisor
        self._runs = runs
        self._cgroups = cgroups

    def capabilities(self) -> Capabilities:
        """Return what this system can limit and confine."""
        return capabilities(self._cgroups, self._runs.root)

    async def usage(self) -> Mapping[str, Usage]:
        """Return what the processes of all running jobs use, by run id, from one look."""
        return await self._runs.usage()

    def info(self, job: Job, usage: Mapping[str, Usage] | None = None) -> JobInfo:
        """Return one job as it stands."""
        run = self._supervisor.run_of(job)
        spool = run.spool() if run is not None else None
        using = (usage or {}).get(job.run_id or "")
        found = job.exit or {}
        running = job.state in {JobState.RUNNING, JobState.STARTING}
        state = job.state
        if state is JobState.STARTING and run is not None and run.members is not None and run.start_failure is None:
            state = JobState.RUNNING  # it does; that is about to be noted
        return JobInfo(
            job_id=job.id,
            status=DOCUMENT[state],
            state=state.value,
            command=one_line(command_shown(job.command or " ".join(job.argv)), COMMAND_LENGTH),
            started=job.started_at or job.created_at,
            completed=job.ended_at,
            code=found.get("code"),
            signal=_name(found.get("signal")),
            pid=run.members.child.pid if running and run is not None and run.members is not None else None,
            name=job.name,
            cwd=job.cwd,
            reason=job.reason,
            ready=job.ready_at is not None if job.readiness.wished else None,
            session_id=job.session_id,
            labels=job.labels,
            attempt=job.attempt,
            next_at=job.next_at,
            waits_for=list(job.depends_on) if job.state is JobState.WAITING else [],
            stdout_bytes=spool.stdout_bytes if spool is not None else 0,
            stderr_bytes=spool.stderr_bytes if spool is not None else 0,
            cut_bytes=sum(end - start for start, end in job.cuts.values()),
            memory_bytes=using.rss_bytes if using is not None else None,
            cpu_s=using.cpu_s if using is not None else job.cpu_s or None,
            processes=using.processes if using is not None else None,
            pinned=job.pinned,
            sandbox=job.confinement.in_force,
        )


def _name(number: int | None) -> str | None:
    if number is None:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
