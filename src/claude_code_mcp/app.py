"""The composition root: the only file that knows every part and puts them together."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from claude_code_mcp.features.activity.service import Activity, ActivityResources, FromCaptures
from claude_code_mcp.features.approvals.service import Approvals, QuestionBook, Silence, TrustKeeper
from claude_code_mcp.features.binaries.service import Binaries
from claude_code_mcp.features.captures.service import Captures, Recorder
from claude_code_mcp.features.captures.service.hook_intake import HookIntake
from claude_code_mcp.features.captures.service.spool import SpoolKeeper
from claude_code_mcp.features.captures.service.telemetry import TelemetryIntake
from claude_code_mcp.features.checkpoints.service import (
    Around,
    Branching,
    CheckpointRoom,
    Checkpoints,
    Occupants,
    checkpoint_room,
)
from claude_code_mcp.features.checkpoints.service import Book as CheckpointBook
from claude_code_mcp.features.daemon.service import Daemon, Host, SessionCensus
from claude_code_mcp.features.diagnoses.service import Asked, Diagnoses
from claude_code_mcp.features.hooks.service import Hooks
from claude_code_mcp.features.installations.service import Installations
from claude_code_mcp.features.jobs.service import BackgroundTasks, Jobs
from claude_code_mcp.features.jobs.service.book import Book
from claude_code_mcp.features.jobs.service.errands import Errands
from claude_code_mcp.features.jobs.service.opening import JobRoom, job_room
from claude_code_mcp.features.processes.service import Places, Processes
from claude_code_mcp.features.projects.service import Projects
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.features.sessions.service.foreign import Foreign
from claude_code_mcp.features.sessions.service.housekeeping import Housekeeping
from claude_code_mcp.features.sessions.service.intake import Intake
from claude_code_mcp.features.sessions.service.launcher import ClaudeLauncher
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.recovery import recover, watch_disk
from claude_code_mcp.features.sessions.service.resources import SessionResources
from claude_code_mcp.features.sessions.service.stopping import Ladder
from claude_code_mcp.features.sessions.service.streaming import Streaming
from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.features.sessions.service.views import Views
from claude_code_mcp.features.sessions.service.waiting import Waiting
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import Clock, SystemClock
from claude_code_mcp.kernel.events import Source
from claude_code_mcp.kernel.resource import SessionResourceProvider
from claude_code_mcp.platform.claude.hooks.script import SPOOL, keep_script
from claude_code_mcp.platform.claude.hooks.spool import Spool
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.clients.host import current_host
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.migrations import Migration, of_package
from claude_code_mcp.platform.eventlog.log import Followers, late_keys
from claude_code_mcp.platform.ipc.hook_token import kept_hook_token
from claude_code_mcp.platform.ipc.port import kept_port
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.procs.space import DiskWatch
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.tasks import Tasks
from claude_code_mcp.platform.vault import Vault

STORES = (
    "platform.db",
    "platform.eventlog",
    "features.projects",
    "features.binaries",
    "features.sessions",
    "features.approvals",
    "features.jobs",
    "features.checkpoints",
    "features.processes",
    "features.captures",
    "features.activity",
)
"""Who keeps rows, lower ones first: the order of their migrations."""


@dataclass(frozen=True, slots=True)
class Services:
    """What operations reach through their context."""

    sessions: Sessions
    approvals: Approvals
    captures: Captures
    activity: Activity
    jobs: Jobs
    background_tasks: BackgroundTasks
    checkpoints: Checkpoints
    branches: Branching
    processes: Processes
    projects: Projects
    binaries: Binaries
    daemon: Daemon
    installations: Installations
    hooks: Hooks
    diagnoses: Diagnoses


@dataclass(frozen=True, slots=True)
class Context:
    """What one call of an operation gets: the services, and who asks."""

    services: Services
    caller: Caller

    @property
    def sessions(self) -> Sessions:
        """Sessions."""
        return self.services.sessions

    @property
    def approvals(self) -> Approvals:
        """Approvals."""
        return self.services.approvals

    @property
    def captures(self) -> Captures:
        """What others' Claude Codes tell."""
        return self.services.captures

    @property
    def activity(self) -> Activity:
        """Activity."""
        return self.services.activity

    @property
    def jobs(self) -> Jobs:
        """Background jobs."""
        return self.services.jobs

    @property
    def background_tasks(self) -> BackgroundTasks:
        """Jobs and Claude Code's own background tasks."""
        return self.services.background_tasks

    @property
    def checkpoints(self) -> Checkpoints:
        """Checkpoints of projects."""
        return self.services.checkpoints

    @property
    def branches(self) -> Branching:
        """Branches that begin at checkpoints."""
        return self.services.branches

    @property
    def processes(self) -> Processes:
        """Processes."""
        return self.services.processes

    @property
    def projects(self) -> Projects:
        """Projects."""
        return self.services.projects

    @property
    def binaries(self) -> Binaries:
        """Claude binaries."""
        return self.services.binaries

    @property
    def daemon(self) -> Daemon:
        """The daemon."""
        return self.services.daemon

    @property
    def installations(self) -> Installations:
        """The lists of MCP clients."""
        return self.services.installations

    @property
    def hooks(self) -> Hooks:
        """Our hooks in Claude Code's settings."""
        return self.services.hooks

    @property
    def diagnoses(self) -> Diagnoses:
        """Diagnoses."""
        return self.services.diagnoses


@dataclass(frozen=True, slots=True)
class App:
    """The opened application."""

    services: Services
    database: Database
    followers: Followers
    runs: Runs
    supervisor: Supervisor
    resources: tuple[SessionResourceProvider, ...]
    recorder: Recorder
    hooks: HookIntake
    telemetry: TelemetryIntake
    job_room: JobRoom
    checkpoint_room: CheckpointRoom

    def context(self, caller: Caller) -> Context:
        """Return what an operation called by `caller` gets."""
        self.services.captures.saw(caller.env)
        return Context(self.services, caller)

    async def stop_all(self) -> None:
        """End every session and every job."""
        await _stop_all(self.supervisor, self.job_room)

    def busy(self) -> bool:
        """Tell whether any session or job has a process or waits for one, or a checkpoint is at work."""
        return self.supervisor.busy() or self.services.jobs.busy() or self.checkpoint_room.busy()


def migrations() -> tuple[Migration, ...]:
    """Return the steps of the whole schema, in order."""
    return tuple(step for store in STORES for step in of_package(f"claude_code_mcp.{store}"))


@asynccontextmanager
async def opened(settings: Settings, host: Host, clock: Clock | None = None) -> AsyncGenerator[App]:
    """Open the application on its state directory, and close it again; what its sessions run goes on.

    Raises:
        StoreUnavailable, StoreTooNew: the database cannot be opened.
    """
    clock = clock or SystemClock()
    directory = Path(settings.state_dir)
    database = await Database.open(directory / "state.db", migrations())
    tasks = Tasks()
    disk = DiskWatch(directory, low_bytes=settings.disk_low_bytes)
    runs = Runs(directory / "runs", disk=disk)
    recorder = Recorder(database, clock)
    try:
        app, approvals, ledger = _build(settings, host, recorder, database, tasks, runs)
        database.on_commit(approvals.look_again)
        tasks.start("housekeeping", Housekeeping(ledger, app.supervisor, runs, settings).run())
        tasks.start("disk", watch_disk(ledger, app.supervisor, disk, settings.disk_low_bytes))
        await recover(ledger, app.supervisor, runs)
        await app.job_room.begin(tasks)
        await app.checkpoint_room.begin(tasks)
        app.services.branches.start(tasks)
        tasks.start("approval time limits", approvals.keep_time())
        app.services.captures.start(tasks)
        tasks.start("usage", app.services.processes.measure())
        app.hooks.recall(database.read(lambda db: late_keys(db, Source.HOOK)))
        keep_script(directory)
        spool = Spool(directory / SPOOL)
        app.hooks.beside(spool)
        tasks.start("hook spool", SpoolKeeper(spool, app.hooks).keep())
        tasks.start("activity archive", app.services.activity.shelf.keep_small())
        try:
            yield app
        finally:
            app.telemetry.close()
            await app.job_room.aclose()
            await app.checkpoint_room.aclose()
    finally:
        await tasks.close()
        await runs.aclose()
        await recorder.aclose()
        await database.close()


def _build(
    settings: Settings, host: Host, recorder: Recorder, database: Database, tasks: Tasks, runs: Runs
) -> tuple[App, Approvals, Ledger]:
    clock = recorder.clock
    book = QuestionBook(database, clock, _silence(settings))
    approvals = Approvals(book)
    ledger = Ledger(database, clock, (book,))
    projects, binaries = Projects(database, clock, settings), Binaries(database, clock, settings)
    vault = Vault(Path(settings.state_dir) / "vault")
    launcher = ClaudeLauncher(ledger, runs, projects, binaries, vault, settings)
    limits = (settings.max_concurrent_sessions, settings.max_starts)
    supervisor = Supervisor(ledger, launcher, tasks, (approvals,), limits, Ladder())
    followers = Followers(database)
    foreign = Foreign()
    waiting = Waiting(ledger, followers, approvals)
    views = Views(ledger, supervisor, waiting, approvals, foreign)
    intake = Intake(ledger, supervisor, projects, foreign, vault, settings)
    sessions = Sessions(ledger, intake, supervisor, waiting, views, Streaming(database, supervisor))
    approvals.deliver_through(sessions, TrustKeeper(sessions, projects, tasks))

    room = job_room(settings, Book(database, clock), runs.disk, vault, sessions, tasks)

    def census() -> SessionCensus:
        blocked = supervisor.admission.closed_for or database.refused
        return SessionCensus(sessions.census(), len(supervisor.all_live()), blocked)

    daemon = Daemon(database, clock, host, census, partial(_stop_all, supervisor, room))
    installations = Installations(current_host(os.environ), Scrubber().text)
    captures = Captures(recorder, database, sessions, settings, os.environ)
    occupants = Occupants(sessions, room.places, captures.homes.all)
    checkpoints = checkpoint_room(settings, CheckpointBook(database, clock), projects, occupants)
    asked = Asked(binaries, projects, daemon, installations, checkpoints.checkpoints.sealing)
    diagnoses = Diagnoses(database, settings, asked)
    around = Around(sessions, captures.homes.all, followers, Errands(room.jobs), tasks)
    branches = Branching(checkpoints, around, Path(settings.state_dir))
    supervisor.hold_at(branches.automatic)
    archive_after = timedelta(hours=settings.activity_archive_h)
    activity = Activity(database, clock, FromCaptures(captures), archive_after)
    roots = (projects, binaries, daemon, installations, _hooks(settings, database))
    places = Places(captures.homes.all, partial(_run_ids, runs, room.runs))
    processes = Processes(database, clock, sessions, room.jobs, places)
    work = (room.jobs, room.background_tasks, checkpoints.checkpoints, branches, processes)
    services = Services(sessions, approvals, captures, activity, *work + roots, diagnoses)
    resources = (SessionResources(views), ActivityResources(activity))
    scrubber = Scrubber(os.environ)
    hooks, telemetry = HookIntake(recorder, scrubber, captures.registry.owner), TelemetryIntake(recorder, scrubber)
    app = App(services, database, followers, runs, supervisor, resources, recorder, hooks, telemetry, room, checkpoints)
    return app, approvals, ledger


def _hooks(settings: Settings, database: Database) -> Hooks:
    directory = Path(settings.state_dir)
    return Hooks(
        current_host(os.environ),
        directory,
        lambda: kept_port(directory, settings.http_port),
        lambda: kept_hook_token(directory),
        database,
        Scrubber().text,
    )


def _run_ids(*roots: Runs) -> set[str]:
    return {path.name for runs in roots for path in runs.root.iterdir()}


async def _stop_all(supervisor: Supervisor, room: JobRoom) -> None:
    await supervisor.stop_all()
    await room.supervisor.end_all()


def _silence(settings: Settings) -> Silence:
    deny = settings.approval_on_timeout == "deny"
    return Silence(settings.approval_timeout_s if deny else None)
