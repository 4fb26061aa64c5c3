"""What the daemon knows of itself. The process that hosts it hands in the facts and the way to stop."""

import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psutil

from claude_code_mcp import __version__
from claude_code_mcp.features.daemon.errors import NoHttp
from claude_code_mcp.features.daemon.models import DaemonStatus, DaemonStopped, HttpAccess
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.eventlog import log as eventlog


@dataclass(frozen=True, slots=True)
class SessionCensus:
    """How many sessions there are by state, how many processes, and why nothing new is admitted."""

    states: Mapping[str, int]
    live: int
    blocked: str | None


@dataclass(frozen=True, slots=True)
class HttpState:
    """Where we listen for HTTP and what for a token; `url` is "" where we do not, and `problem` says why."""

    url: str = ""
    token: str = field(default="", repr=False)
    file: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """The process around us: how many clients it has, how it is told to end, and what it does for HTTP."""

    started_at: datetime
    connections: Callable[[], int]
    stop: Callable[[str], None]
    http: Callable[[], HttpState] = HttpState


class Daemon:
    """The daemon as an operation sees it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        host: Host,
        census: Callable[[], SessionCensus],
        stop_sessions: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._host = host
        self._census = census
        self._stop_sessions = stop_sessions
        self._process = psutil.Process()

    async def status(self) -> DaemonStatus:
        """Return how the daemon does."""
        if self._database.refused is not None:
            with contextlib.suppress(StoreUnavailable):  # it may have recovered
                await self._database.probe()
        census = self._census()
        directory = Path(self._database.path).parent
        times = self._process.cpu_times()
        return DaemonStatus(
            pid=os.getpid(),
            version=__version__,
            store_id=await self._store_id(),
            state_dir=str(directory),
            started_at=stamp(self._host.started_at),
            uptime_s=(self._clock.now() - self._host.started_at).total_seconds(),
            connections=self._host.connections(),
            sessions=dict(census.states),
            live=census.live,
            events=self._database.read(eventlog.last_seq),
            rss_bytes=self._process.memory_info().rss,
            cpu_s=times.user + times.system,
            disk_free_bytes=shutil.disk_usage(directory).free,
            blocked=census.blocked,
            http=self._host.http().url or None,
            http_problem=self._host.http().problem or None,
        )

    def http(self) -> HttpAccess:
        """Return where we listen for HTTP.

        Raises:
            NoHttp: nowhere.
        """
        state = self._host.http()
        if not state.url:
            why = state.problem or "the setting `http` is off"
            raise NoHttp(f"The daemon does not listen for HTTP: {why}.", remedy="See the settings http and http_port.")
        return HttpAccess(url=state.url, token=state.token, file=state.file)

    async def _store_id(self) -> str:
        known = self._database.read(eventlog.known_store_id)
        if known is not None:
            return known
        try:
            return await self._database.write(eventlog.store_id)
        except StoreUnavailable:
            return ""  # a new store that takes nothing yet; the rest of the report says so

    async def stop(self, *, sessions: bool) -> DaemonStopped:
        """Begin to shut down, after the sessions where that is wished."""
        if sessions:
            await self._stop_sessions()
        live = self._census().live
        self._host.stop("asked to stop")
        return DaemonStopped(pid=os.getpid(), live=live)
