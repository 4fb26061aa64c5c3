"""The daemon's side of the socket: who may connect, the first line, and the hand-off by kind."""

import asyncio
import json
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_code_mcp import __version__
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError, Denied, Invalid
from claude_code_mcp.platform.ipc.address import SOCKET, reachable
from claude_code_mcp.platform.ipc.hello import LIMIT_BYTES, PROTOCOL

HELLO_S = 10.0
HANG_UP_S = 1.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Peer:
    """What the hello said; `env` may hold secrets and is kept out of `repr`."""

    kind: str
    version: str
    cwd: str
    pid: int
    options: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


Handler = Callable[[Peer, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class NotYours(Denied):
    """Another user of the machine knocked."""

    code = "not_your_daemon"


class BadHello(Invalid):
    """The first line was not a hello."""

    code = "bad_hello"


class Listener:
    """Serves `directory`'s socket; each connection is handed to the handler of its kind."""

    def __init__(self, directory: Path, handlers: Mapping[str, Handler], line_limit_bytes: int) -> None:
        self._directory = directory
        self._handlers = handlers
        self._limit = line_limit_bytes
        self._server: asyncio.Server | None = None
        self._home = _place(directory)
        self._place: tuple[int, int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """Clients connected now."""
        return len(self._tasks)

    async def open(self) -> None:
        """Listen; a socket file left by a dead daemon is replaced (the caller holds the directory's lock).

        Raises:
            FileNotFoundError: the directory is gone.
        """
        path = self._directory / SOCKET
        path.unlink(missing_ok=True)
        name, fd = reachable(self._directory, SOCKET)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # bind() obeys the umask: the socket must never be open to others, not even for an instant.
            old = os.umask(0o177)
            try:
                sock.bind(name)
            finally:
                os.umask(old)
        except OSError:
            sock.close()
            raise
        finally:
            if fd is not None:
                os.close(fd)
        sock.setblocking(False)
        self._place = _place(path)
        self._server = await asyncio.start_unix_server(self._accept, sock=sock, limit=self._limit, backlog=256)

    async def mend(self) -> None:
        """Listen anew if the socket was deleted or replaced; who is connected stays so.

        Raises:
            FileNotFoundError: the directory is gone.
        """
        if self._server is None or _place(self._directory / SOCKET) == self._place:
            return
        if _place(self._directory) != self._home:
            raise FileNotFoundError(str(self._directory))  # another daemon may already serve the one that is there now
        log.warning("the socket was taken away; listening anew")
        before = self._server
        await self.open()
        before.close()

    async def close(self) -> None:
        """Stop listening, end the connections, and take the socket file away."""
        if self._server is None:
            return
        (self._directory / SOCKET).unlink(missing_ok=True)
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = await self._greet(reader, writer)
            if peer is not None:
                await self._handlers[peer.kind](peer, reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            log.debug("a client went away")
        except asyncio.CancelledError:
            log.debug("connection closed by shutdown")
        except Exception:
            log.exception("a connection failed")
        finally:
            await _hang_up(writer)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Peer | None:
        try:
            refuse_strangers(writer.get_extra_info("socket"))
            async with asyncio.timeout(HELLO_S):
                line = await reader.readuntil(b"\n")
            peer = read_hello(line)
            if peer.kind not in self._handlers:
                raise BadHello(f"{peer.kind[:40]!r} is no kind of connection here.", remedy="Use a matching version.")
        except asyncio.LimitOverrunError:
            await _refuse(writer, BadHello("The first line is too long."))
            return None
        except ClaudeCodeMcpError as exc:
            await _refuse(writer, exc)
            return None
        answer = {"welcome": PROTOCOL, "version": __version__, "pid": os.getpid()}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        return peer


def _place(path: Path) -> tuple[int, int] | None:
    """Return which file lies at `path`."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Send what is still to be sent, for a moment; a client that does not read does not keep us."""
    writer.close()
    try:
        async with asyncio.timeout(HANG_UP_S):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


async def _refuse(writer: asyncio.StreamWriter, exc: ClaudeCodeMcpError) -> None:
    error = {"code": exc.code, "message": exc.message, "remedy": exc.remedy}
    writer.write(json.dumps({"error": error}).encode() + b"\n")
    await writer.drain()


def refuse_strangers(sock: Any) -> None:
    """Check that the process at the other end runs as our user.

    Raises:
        NotYours: it does not.
    """
    uid = peer_uid(sock)
    if uid is not None and uid != os.getuid():
        raise NotYours("This daemon serves another user.", remedy="Each user has a daemon of their own.")


def peer_uid(sock: Any) -> int | None:
    """Return the uid at the other end of a Unix socket (unix(7) SO_PEERCRED; LOCAL_PEERCRED on macOS)."""
    if hasattr(socket, "SO_PEERCRED"):
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[1])
    local_peercred, solevel = 0x001, 0
    try:
        raw = sock.getsockopt(solevel, local_peercred, struct.calcsize("=IIh16I"))
        return int(struct.unpack("=II", raw[:8])[1])
    except OSError:
        return None


def read_hello(line: bytes) -> Peer:
    """Return what a hello says.

    Raises:
        BadHello: it is not one, or of another protocol.
    """
    try:
        said = json.loads(line) if len(line) <= LIMIT_BYTES else None
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.get("hello") != PROTOCOL:
        raise BadHello(f"This daemon speaks protocol {PROTOCOL}.", remedy="Upgrade both sides to one version.")
    env, options, client = said.get("env"), said.get("options"), said.get("client")
    pid = client.get("pid") if isinstance(client, dict) else 0
    return Peer(
        kind=str(said.get("kind")),
        version=str(said.get("version")),
        cwd=str(said.get("cwd") or ""),
        pid=pid if isinstance(pid, int) else 0,
        options=options if isinstance(options, dict) else {},
        env={str(k): str(v) for k, v in env.items()} if isinstance(env, dict) else {},
    )
