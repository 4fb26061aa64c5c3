"""The composition root: the only file that knows every part and puts them together."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.approvals.service import Approvals, QuestionBook, Silence, TrustKeeper
from claude_code_mcp.features.binaries.service import Binaries
from claude_code_mcp.features.daemon.service import Daemon, Host, SessionCensus
from claude_code_mcp.features.diagnoses.service import Diagnoses
from claude_code_mcp.features.installations.service import Installations
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
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.clients.host import current_host
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.migrations import Migration, of_package
from claude_code_mcp.platform.eventlog.log import Followers
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
)
"""Who keeps rows, lower ones first: the order of their migrations."""


@dataclass(frozen=True, slots=True)
class Services:
    """What operations reach through their context."""

    sessions: Sessions
    approvals: Approvals
    projects: Projects
    binaries: Binaries
    daemon: Daemon
    installations: Installations
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
    resources: SessionResources

    def context(self, caller: Caller) -> Context:
        """Return what an operation called by `caller` gets."""
        return Context(self.services, caller)

    def busy(self) -> bool:
        """Tell whether any session has a process or waits for one."""
        return self.supervisor.busy()


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
    try:
        app, approvals, ledger = _build(settings, host, clock, database, tasks, runs)
        database.on_commit(approvals.look_again)
        tasks.start("housekeeping", Housekeeping(ledger, app.supervisor, runs, settings).run())
        tasks.start("disk", watch_disk(ledger, app.supervisor, disk, settings.disk_low_bytes))
        await recover(ledger, app.supervisor, runs)
        tasks.start("approval time limits", approvals.keep_time())
        yield app
    finally:
        await tasks.close()
        await runs.aclose()
        await database.close()


def _build(
    settings: Settings, host: Host, clock: Clock, database: Database, tasks: Tasks, runs: Runs
) -> tuple[App, Approvals, Ledger]:
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

    def census() -> SessionCensus:
        blocked = supervisor.admission.closed_for or database.refused
        return SessionCensus(sessions.census(), len(supervisor.all_live()), blocked)

    daemon = Daemon(database, clock, host, census, supervisor.stop_all)
    installations = Installations(current_host(os.environ), Scrubber().text)
    diagnoses = Diagnoses(database, settings, binaries, projects, daemon, installations)
    services = Services(sessions, approvals, projects, binaries, daemon, installations, diagnoses)
    return App(services, database, followers, runs, supervisor, SessionResources(views)), approvals, ledger


def _silence(settings: Settings) -> Silence:
    deny = settings.approval_on_timeout == "deny"
    return Silence(settings.approval_timeout_s if deny else None)
