"""The listening itself: uvicorn's HTTP/1.1 connections on a socket of ours, with bounds on how slow one may be.

Not uvicorn's own server: it takes the process's signals, and wakes ten times a second though nobody comes.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from claude_code_mcp.platform.ipc.tcp_peer import Lookup, peer_uid
from claude_code_mcp.surfaces.http.app import HttpApp
from claude_code_mcp.surfaces.http.door import PEER, Peer
from claude_code_mcp.surfaces.http.quick import ANSWER, BEGINS, posted
from claude_code_mcp.surfaces.http.wire import Heads

_FULL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost.

    `connections` at once; `request_s` for a request to arrive whole, `unread_s` for an answer that is not read,
    `keep_alive_s` between two requests. `look_s`: how often that is looked after. `header_bytes` of one request.
    """

    connections: int = 512
    request_s: float = 20.0
    unread_s: float = 30.0
    keep_alive_s: float = 75.0
    look_s: float = 5.0
    header_bytes: int = 64 * 1024


class Server:
    """Serves `app` on one socket."""

    def __init__(self, app: HttpApp, limits: Limits | None = None, lookup: Lookup = peer_uid) -> None:
        self._app = app
        self._limits = limits or Limits()
        self._lookup = lookup
        self._config = Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # a request that is none is the sender's matter; the app logs its own failures
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=int(self._limits.keep_alive_s),
            h11_max_incomplete_event_size=self._limits.header_bytes,
        )
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._look: asyncio.TimerHandle | None = None

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._state.connections)

    async def open(self, sock: socket.socket) -> None:
        """Serve those who come to `sock`, and those who have come already."""
        self._server = await asyncio.get_running_loop().create_server(self._connection, sock=sock, backlog=256)

    async def close(self, patience_s: float = 2.0) -> None:
        """Take no more, give those who are being answered a moment, and end."""
        if self._server is not None:
            self._server.close()
        if self._look is not None:
            self._look.cancel()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=patience_s)
        for task in list(self._state.tasks):
            task.cancel()
        for connection in list(self._state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def _connection(self) -> "Connection":
        connection = Connection(self._config, self._state, {})
        connection.limits, connection.lookup, connection.take_now = self._limits, self._lookup, self._app.take_now
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(self._limits.look_s, self._look_after)
        return connection

    def _look_after(self) -> None:
        """End the connections that only cost; nothing runs while there is none."""
        now = asyncio.get_running_loop().time()
        for connection in list(self._state.connections):
            if isinstance(connection, Connection):
                connection.end_if_stuck(now)
        self._look = None
        if self._state.connections:
            self._look = asyncio.get_running_loop().call_later(self._limits.look_s, self._look_after)


class Connection(H11Protocol):
    """One client's connection."""

    limits: Limits
    lookup: Lookup
    take_now: Callable[[Heads, bytes, Peer], bool]
    _since: float | None = None
    _unread_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take it, unless there are too many."""
        if len(self.server_state.connections) >= self.limits.connections:
            self.transport = transport
            transport.write(_FULL)
            transport.close()
            return
        super().connection_made(transport)
        self._since = self.loop.time()
        local = transport.get_extra_info("sockname")
        self.app_state = {PEER: Peer(self.client, local[:2] if local else None, self.lookup)}

    def data_received(self, data: bytes) -> None:
        """Take what came, and note since when a request is on its way that is not whole."""
        if data.startswith(BEGINS) and self._rests():
            data = self._taken(data)
            if not data:
                self._since = None
                return
        super().data_received(data)
        if self.conn.their_state not in _UNFINISHED:
            self._since = None
        elif self._since is None:
            self._since = self.loop.time()

    def _rests(self) -> bool:
        """Tell whether nothing is being received or answered, so that what comes begins a request."""
        if self.conn.their_state is not h11.IDLE or self.conn.our_state is not h11.IDLE or self.conn.trailing_data[0]:
            return False
        return not self.transport.is_closing() and not self.flow.write_paused

    def _taken(self, data: bytes) -> bytes:
        """Take the hooks at the beginning of `data`, and return what is left for the usual way."""
        start = taken = 0
        peer: Peer = self.app_state[PEER]
        while start < len(data) and (found := posted(data, start)) is not None:
            if not self.take_now(found.heads, found.body, peer):
                break
            start, taken = found.end, taken + 1
        if taken:
            self.transport.write(ANSWER * taken)
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        return data[start:]

    def pause_writing(self) -> None:
        """Note since when the client does not read."""
        super().pause_writing()
        self._unread_since = self.loop.time()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._unread_since = None

    def end_if_stuck(self, now: float) -> None:
        """Hang up if the client has taken too long to send its request, or to read its answer."""
        if self._unread_since is not None and now - self._unread_since > self.limits.unread_s:
            self.transport.abort()
        elif self._since is not None and now - self._since > self.limits.request_s:
            if self.conn.our_state is h11.IDLE or self.conn.our_state is h11.SEND_RESPONSE:
                self.transport.write(_SLOW)
            # Who waits for the rest of the body hears that there is none.
            self.transport.close()
