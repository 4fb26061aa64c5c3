"""HTTP in the daemon: the socket from the start on, all that serves it when the first client knocks."""

import asyncio
import json
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claude_code_mcp import __version__
from claude_code_mcp.app import App
from claude_code_mcp.daemon.heap import growing
from claude_code_mcp.daemon.mcp_http import McpOverHttp
from claude_code_mcp.features.captures.service.recorder import QUEUED_EVENTS
from claude_code_mcp.features.daemon.service import HttpState
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog, Surface
from claude_code_mcp.platform.claude.hooks.script import say_deaf, say_listening
from claude_code_mcp.platform.files.atomic import write_atomic
from claude_code_mcp.platform.ipc.port import HOST, kept_port
from claude_code_mcp.platform.settings.model import Settings

if TYPE_CHECKING:  # 4 MB and 30 ms that a daemon without HTTP clients does not need
    from claude_code_mcp.surfaces.http.app import HttpApp
    from claude_code_mcp.surfaces.http.parts import Rejected
    from claude_code_mcp.surfaces.http.serving import Server
    from claude_code_mcp.surfaces.mcp.surface import McpSurface

FILE = "http.json"
TOKEN_BYTES = 32
PREFIX = "ccm_"
"""Begins every token, so that scanners for secrets know one."""
AGAIN_LOOKS = 30
"""Looks (about a second each) after which a port that was taken is tried again."""
_BASICS = ("HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR", "TZ")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves, once the first client came."""

    app: "HttpApp"
    server: "Server"


class HttpHost:
    """The HTTP surface of one daemon."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        app: App,
        surface: Callable[[], Awaitable["McpSurface"]],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._file = Path(settings.state_dir) / FILE
        environ = os.environ if environ is None else environ
        # A request has no environment. Programs that it starts get what any program of the account has, no more.
        self._env = {name: environ[name] for name in _BASICS if name in environ}
        self._mcp = McpOverHttp(surface, Caller(cwd="", surface=Surface.MCP, client="mcp over http", env=self._env))
        self._app = app
        self._state = HttpState()
        self._sock: socket.socket | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._serving: Serving | None = None
        self._seen = 0
        self._looks = 0

    @property
    def state(self) -> HttpState:
        """Where we listen, or why not."""
        return self._state

    def open(self) -> None:
        """Listen, where that is wished; what hinders it is logged and told by `state`, and the daemon goes on."""
        if not self._settings.http:
            return
        directory = Path(self._settings.state_dir)
        port = self._settings.http_port
        try:
            port = kept_port(directory, port)
            self._sock = _bound(port)
            self._state = _kept(f"http://{HOST}:{port}", port, self._file)
            say_listening(directory)
        except OSError as exc:
            self._let_go()
            self._state = HttpState(problem=f"port {port}: {exc.strerror or exc}")
            log.warning("no HTTP, %s", self._state.problem)
            return
        log.info("HTTP at %s", self._state.url)
        asyncio.get_running_loop().add_reader(self._sock, self._knocked)

    def look(self) -> bool:
        """Tell whether a client was here since the last look, or is; a port that was taken is tried again."""
        if self._state.problem:
            self._looks += 1
            if self._looks % AGAIN_LOOKS == 0:
                self.open()
        if self._serving is None:
            return self._beginning is not None
        seen, self._seen = self._seen, self._serving.app.answered
        return self._serving.app.open > 0 or self._seen != seen

    async def close(self) -> None:
        """Answer who waits, and end."""
        if self._beginning is not None:
            await asyncio.wait({self._beginning})
        await self._mcp.close()
        if self._serving is not None:
            self._serving.app.close()
            await self._serving.server.close()
        self._let_go()

    def _knocked(self) -> None:
        assert self._sock is not None  # noqa: S101 - nobody knocks where nobody listens
        asyncio.get_running_loop().remove_reader(self._sock)
        self._beginning = asyncio.get_running_loop().create_task(self._begin(self._sock))

    async def _begin(self, sock: socket.socket) -> None:
        with growing():
            from claude_code_mcp.surfaces.http.app import HttpApp  # noqa: PLC0415 - see the module
            from claude_code_mcp.surfaces.http.door import Door  # noqa: PLC0415 - see the module
            from claude_code_mcp.surfaces.http.parts import Parts  # noqa: PLC0415 - see the module
            from claude_code_mcp.surfaces.http.serving import Server  # noqa: PLC0415 - see the module

        takers = Takers(self._app)
        parts = Parts(
            catalog=self._catalog,
            context=self._app.context,
            caller=self._caller,
            database=self._app.database,
            followers=self._app.followers,
            hook=takers,
            telemetry=takers.telemetry,
            mcp=self._mcp,
            version=__version__,
        )
        app = HttpApp(parts, Door(sock.getsockname()[1], self._state.token, os.getuid()))
        server = Server(app)
        await server.open(sock)
        self._serving = Serving(app, server)

    def _caller(self, cwd: str) -> Caller:
        return Caller(cwd=cwd, surface=Surface.HTTP, client="http", env=self._env)

    def _let_go(self) -> None:
        if self._sock is not None:
            say_deaf(self._file.parent)
            if self._serving is None and self._beginning is None:
                asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._sock = None


class Takers:
    """Where what hooks and telemetry send is taken."""

    def __init__(self, app: App) -> None:
        self._hooks = app.hooks
        self._telemetry = app.telemetry
        self._recorder = app.recorder

    def now(self, body: bytes) -> bool:
        """Queue what a hook sent, and tell whether there was room for it."""
        if self._recorder.queued > QUEUED_EVENTS // 2:
            return False
        self._hooks.take(body, self._recorder.clock.now())
        return True

    async def soon(self, body: bytes) -> None:
        """Queue what a hook sent as soon as there is room."""
        await self._hooks.room()
        self._hooks.take(body, self._recorder.clock.now())

    async def telemetry(self, signal: str, body: bytes) -> "Rejected":
        """Queue what a batch of telemetry tells.

        Raises:
            NotOtlp: it is none.
        """
        from claude_code_mcp.surfaces.http.parts import Rejected  # noqa: PLC0415 - see the module

        count = await self._telemetry.take(signal, body, self._recorder.clock.now())
        return Rejected(count, "these are no JSON objects" if count else "")


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    try:
        # A daemon that was just replaced may have connections that still linger.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen(256)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _kept(url: str, port: int, path: Path) -> HttpState:
    """Return where we listen, with the token that the file has; the file is written where it says something else."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    token = found.get("token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token.startswith(PREFIX) or len(token) <= TOKEN_BYTES:
        token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    about = {"url": url, "port": port, "token": token}
    if found != about or path.stat().st_mode & 0o077:
        write_atomic(path, json.dumps(about).encode() + b"\n", mode=0o600)
    return HttpState(url, token, str(path))
