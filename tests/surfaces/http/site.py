"""The surface on a real socket, over a small catalog and a real log."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx2

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.migrations import of_package
from claude_code_mcp.platform.eventlog import log
from claude_code_mcp.platform.ipc.tcp_peer import Lookup, peer_uid
from claude_code_mcp.surfaces.http.app import HttpApp
from claude_code_mcp.surfaces.http.door import Door
from claude_code_mcp.surfaces.http.parts import Parts, Rejected
from claude_code_mcp.surfaces.http.serving import Limits, Server
from claude_code_mcp.surfaces.http.wire import Receive, Scope, Send
from tests.surfaces.mcp.library import CATALOG, Desk, context

TOKEN = "ccm_the-token-of-these-tests"
AT = datetime(2026, 11, 20, 4, 20, tzinfo=UTC)
ONE = SessionId("11111111-1111-4111-8111-111111111111")
TWO = SessionId("22222222-2222-4222-8222-222222222222")


class ThingHappened(Fact, frozen=True, kw_only=True):
    """A fact for these tests."""

    kind: ClassVar[str] = "thing.happened"
    what: str


class OtherHappened(Fact, frozen=True, kw_only=True):
    """Another fact for these tests."""

    kind: ClassVar[str] = "other.happened"


class NoBatch(Invalid):
    """What telemetry of these tests refuses."""

    code: ClassVar[str] = "no_batch"


@dataclass
class Taken:
    """What hooks and telemetry brought; nothing more goes in at once while it is `full`."""

    hooks: list[bytes] = field(default_factory=list)
    batches: list[tuple[str, bytes]] = field(default_factory=list)
    full: bool = False

    def now(self, body: bytes) -> bool:
        if not self.full:
            self.hooks.append(body)
        return not self.full

    async def soon(self, body: bytes) -> None:
        self.hooks.append(body)

    async def telemetry(self, signal: str, body: bytes) -> Rejected:
        if body == b"[]":
            raise NoBatch("This is no batch.")
        self.batches.append((signal, body))
        return Rejected(2, "these are none") if b"broken" in body else Rejected()


async def no_mcp(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Stand where MCP is served."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@dataclass
class Site:
    """A running server and what it works on."""

    port: int
    desk: Desk
    database: Database
    app: HttpApp
    server: Server
    taken: Taken
    callers: list[Caller]

    @property
    def hooks(self) -> list[bytes]:
        return self.taken.hooks

    @property
    def batches(self) -> list[tuple[str, bytes]]:
        return self.taken.batches

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **headers: str) -> httpx2.AsyncClient:
        """Return a client that has the token."""
        return httpx2.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}", **headers}, timeout=60
        )

    def stranger(self, **headers: str) -> httpx2.AsyncClient:
        """Return a client that has no token."""
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60)

    async def record(self, *facts: Fact, session: SessionId = ONE) -> None:
        """Put facts into the log."""
        events = [Event(fact=fact, at=AT, session_id=session) for fact in facts]
        await self.database.write(lambda db: log.append(db, events))

    async def raw(self, request: bytes, *, until: bytes = b"") -> bytes:
        """Send bytes and return what comes back until the server hangs up, or `until` was seen."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        await writer.drain()
        found = b""
        async with asyncio.timeout(60):
            while not until or until not in found:
                try:
                    data = await reader.read(65536)
                except ConnectionResetError:
                    break
                if not data:
                    break
                found += data
        writer.close()
        return found


@asynccontextmanager
async def site(
    folder: Path, *, limits: Limits | None = None, lookup: Lookup = peer_uid, streams: int = 256
) -> AsyncGenerator[Site]:
    """Serve until left."""
    database = await Database.open(folder / "state.db", of_package("claude_code_mcp.platform.eventlog"))
    desk, taken, callers = Desk(), Taken(), list[Caller]()

    def ctx(caller: Caller) -> Any:
        callers.append(caller)
        return context(desk)(caller)

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(64)
        sock.setblocking(False)
        port = int(sock.getsockname()[1])
        parts = Parts(
            catalog=CATALOG,
            context=ctx,
            caller=lambda cwd: Caller(cwd=cwd, surface=Surface.HTTP, client="http"),
            database=database,
            followers=log.Followers(database),
            hook=taken,
            telemetry=taken.telemetry,
            mcp=no_mcp,
            version="0.1.0",
            streams=streams,
        )
        app = HttpApp(parts, Door(port, TOKEN, os.getuid()))
        server = Server(app, limits, lookup)
        await server.open(sock)
        try:
            yield Site(port, desk, database, app, server, taken, callers)
        finally:
            app.close()
            await server.close()
            await database.close()
