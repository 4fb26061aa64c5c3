"""Putting the jobs of one state directory together, and taking up what runs."""

import logging
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.jobs.service.accepting import Accepting
from claude_code_mcp.features.jobs.service.alerts import Alerts
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.clearing import Clearing
from claude_code_mcp.features.jobs.service.cutting import Cutter
from claude_code_mcp.features.jobs.service.jobs import Jobs
from claude_code_mcp.features.jobs.service.places import JobPlaces
from claude_code_mcp.features.jobs.service.starting import Starter
from claude_code_mcp.features.jobs.service.supervisor import Supervisor
from claude_code_mcp.features.jobs.service.tasks import BackgroundTasks
from claude_code_mcp.features.jobs.service.views import Views
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.platform.procs.cgroups import Cgroups
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.procs.space import DiskWatch
from claude_code_mcp.platform.procs.watch import watcher
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.tasks import Tasks
from claude_code_mcp.platform.vault import Vault

SECRETS = "job-vault"
"""Where environments and inputs of jobs are kept, apart from those of sessions: what no job knows is swept away."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobRoom:
    """Everything about jobs that has to be begun and ended."""

    jobs: Jobs
    background_tasks: BackgroundTasks
    runs: Runs
    supervisor: Supervisor
    clearing: Clearing
    cutter: Cutter
    alerts: Alerts
    starter: Starter
    places: JobPlaces

    async def begin(self, tasks: Tasks) -> None:
        """Take up the jobs of an earlier daemon, and begin to look after the disk."""
        await self.clearing.sweep()
        taken = self.supervisor.recover()
        if taken:
            log.info("took up %d jobs of an earlier daemon", taken)
        self.starter.sweep_groups()
        self.alerts.recall()
        tasks.start("job outputs", self.cutter.run())
        tasks.start("ended jobs", self.clearing.run())

    async def aclose(self) -> None:
        """Let go of the jobs; every one of them goes on."""
        await self.runs.aclose()


def job_room(
    settings: Settings, book: Book, disk: DiskWatch, vault: Vault, sessions: Sessions, tasks: Tasks
) -> JobRoom:
    """Return the jobs of the state directory that the settings name."""
    directory = Path(settings.state_dir)
    runs = Runs(directory / "jobs", disk=disk, watch=watcher(eager=True))
    cgroups, secrets = Cgroups(directory.resolve()), Vault(directory / SECRETS)
    starter = Starter(runs, secrets, cgroups, directory)
    supervisor = Supervisor(book, starter, tasks)
    alerts = Alerts(book, sessions, secrets, tasks)
    supervisor.told = alerts.look
    clearing = Clearing(book, runs, secrets, settings)
    accepting = Accepting(book, secrets, settings, lambda session_id: sessions.own_id(session_id) is not None)
    jobs = Jobs(book, accepting, supervisor, Views(supervisor, runs, cgroups), clearing)
    cutter = Cutter(book, supervisor, tasks, disk, settings.disk_critical_bytes)
    background, places = BackgroundTasks(jobs, sessions, vault), JobPlaces(book, supervisor)
    return JobRoom(jobs, background, runs, supervisor, clearing, cutter, alerts, starter, places)
