"""The one process per state directory that owns the data: it serves clients until nobody needs it."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from claude_code_mcp import __version__
from claude_code_mcp.app import App, opened
from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.daemon.heap import settled
from claude_code_mcp.daemon.http_host import HttpHost
from claude_code_mcp.daemon.mcp_host import McpHost
from claude_code_mcp.features.daemon.service import Host, HttpState
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.operation import Progress, Surface
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.files.private import private_dir
from claude_code_mcp.platform.ipc.address import LOCK
from claude_code_mcp.platform.ipc.listener import Listener, Peer
from claude_code_mcp.platform.ipc.lock import DaemonRunning, DirectoryLock
from claude_code_mcp.platform.logs.setup import configure
from claude_code_mcp.platform.logs.uncaught import log_loop, log_uncaught
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.settings.sources import load
from claude_code_mcp.surfaces.rpc.server import Connection

if TYPE_CHECKING:  # a daemon without terminals does not need it
    from claude_code_mcp.surfaces.cli.declared import Declared

LOG = "daemon.log"
LINE_BYTES = 32 * 1024 * 1024
"""The longest line a client may send: the largest prompt, escaped, and room around it."""
LOOK_S = 1.0
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Hosting:
    """What the running process knows of itself."""

    started_at: datetime
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""

    def stop(self, why: str) -> None:
        """Begin to leave."""
        self.why = self.why or why
        self.leaving.set()


def main(state_dir: Path, ready_fd: int | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run the daemon of `state_dir` until it is told to stop or has nothing to do; return the exit code.

    `ready_fd` is told one line: `ready`, `running` where another daemon holds the directory, or
    `error CODE MESSAGE`.
    """
    env = os.environ if env is None else env
    tell = _Teller(ready_fd)
    try:
        settings = load(env, {"state_dir": str(state_dir)}, client_env=False)
        private_dir(state_dir)
        lock = DirectoryLock.take(state_dir / LOCK)
    except DaemonRunning:
        tell.say("running")
        return 0
    except (ClaudeCodeMcpError, OSError) as exc:
        return _refused(tell, exc)
    logs = configure(
        settings.effective_log_level,
        Scrubber(env).text,
        stream=sys.stderr if ready_fd is None else None,
        file=state_dir / LOG,
        file_bytes=settings.log_file_bytes,
        files=settings.log_files,
    )
    restore = log_uncaught()
    try:
        asyncio.run(_run(settings, tell))
    except (ClaudeCodeMcpError, OSError) as exc:
        log.exception("the daemon cannot run")
        return _refused(tell, exc)
    finally:
        restore()
        logs.close()
        lock.release()
    return 0


def _refused(tell: "_Teller", exc: Exception) -> int:
    code = exc.code if isinstance(exc, ClaudeCodeMcpError) else "os_error"
    tell.say(f"error {code} {exc}")
    sys.stderr.write(f"claude-code-mcp: {code}: {exc}\n")
    return exc.exit_code if isinstance(exc, ClaudeCodeMcpError) else 1


class _Teller:
    """Says one line to whoever started us, and lets go of them."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd

    def say(self, line: str) -> None:
        """Say it; only the first line counts."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        with contextlib.suppress(OSError):
            os.write(fd, " ".join(line.split()).encode() + b"\n")
            os.close(fd)


async def _run(settings: Settings, tell: _Teller) -> None:
    loop = asyncio.get_running_loop()
    log_loop(loop)
    hosting = _Hosting(SystemClock().now())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hosting.stop, f"signal {number.name}")
    connections = _Connections()
    host = Host(hosting.started_at, connections.count, hosting.stop, connections.http_state)
    async with opened(settings, host) as app, _listening(settings, app, hosting) as (listener, http):
        connections.listener, connections.http = listener, http
        tell.say("ready")
        settled()
        log.info("daemon %s is ready, pid %d, state %s", __version__, os.getpid(), settings.state_dir)
        await _until_unneeded(settings, app, connections, hosting)
        log.info("daemon leaves: %s", hosting.why)


class _Connections:
    """How many clients there are, once somebody listens."""

    listener: Listener | None = None
    http: HttpHost | None = None

    def count(self) -> int:
        """Return the number of clients connected now."""
        return self.listener.connections if self.listener is not None else 0

    def http_state(self) -> HttpState:
        """Return where HTTP is listened for."""
        return self.http.state if self.http is not None else HttpState()

    def needed(self) -> bool:
        """Tell whether anybody is connected, or asked over HTTP since this was asked last."""
        asked = self.http is not None and self.http.look()
        return asked or self.count() > 0


@contextlib.asynccontextmanager
async def _listening(settings: Settings, app: App, hosting: _Hosting) -> AsyncGenerator[tuple[Listener, HttpHost]]:
    catalog = build_catalog()
    served = McpHost(catalog, app, Path(settings.state_dir))

    @cache
    def command_line() -> "Declared":
        from claude_code_mcp.surfaces.cli.declared import Declared  # noqa: PLC0415 - for the first command line

        return Declared(catalog.on(Surface.CLI))

    async def rpc(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def caller(progress: Progress) -> Caller:
            return Caller(cwd=peer.cwd, surface=Surface.CLI, client="terminal", env=peer.env, progress=progress)

        await Connection(catalog, app.context, caller, (reader, writer), command_line).serve()

    async def handover(_: Peer, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        hosting.stop("a newer daemon takes over")
        await reader.read()

    listener = Listener(Path(settings.state_dir), {"mcp": served.serve, "rpc": rpc, "handover": handover}, LINE_BYTES)
    await listener.open()
    http = HttpHost(settings, catalog, app, served.surface)
    http.open()
    try:
        yield listener, http
    finally:
        await listener.close()
        await http.close()
        await served.close()


async def _until_unneeded(settings: Settings, app: App, connections: _Connections, hosting: _Hosting) -> None:
    """Return when somebody said so, or nothing ran and nobody was connected for the set time."""
    quiet_s = 0.0
    while not hosting.leaving.is_set():
        try:
            async with asyncio.timeout(LOOK_S):
                await hosting.leaving.wait()
        except TimeoutError:
            await _stay_reachable(app, connections, hosting)
            needed = connections.needed() or app.busy()
            quiet_s = 0.0 if needed else quiet_s + LOOK_S
            if settings.idle_exit_s and quiet_s >= settings.idle_exit_s:
                hosting.stop("nothing to do")


async def _stay_reachable(app: App, connections: _Connections, hosting: _Hosting) -> None:
    """Put back a socket that somebody deleted; without our directory there is nothing left to serve."""
    try:
        if connections.listener is not None:
            await connections.listener.mend()
    except FileNotFoundError:
        log.error("the state directory was deleted: the sessions end, nobody could ever reach them again")  # noqa: TRY400 - the trace says nothing more
        await app.stop_all()
        hosting.stop("the state directory is gone")
    except OSError:
        log.exception("nobody can connect, and the socket cannot be made anew")
