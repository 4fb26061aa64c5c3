"""A daemon's socket for tests: the real hello and line protocol on a real Unix socket, the answers scripted."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.operation import Catalog
from claude_code_mcp.platform.ipc.listener import Listener, Peer
from claude_code_mcp.surfaces.cli.declared import Declared

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Handle = Callable[[str, Mapping[str, Any], Send], Awaitable[Mapping[str, Any]]]
"""Answers one request: gets its operation, its arguments and a way to send progress; returns what stands
beside the id in the answer. `HangUp` ends the connection instead."""


class HangUp(Exception):
    pass


class RpcServer:
    """Serves `directory`; `seen` holds every operation and its arguments, `cancelled` the ids given up."""

    def __init__(self, directory: Path, handle: Handle) -> None:
        self.directory = directory
        self.handle = handle
        self.seen: list[tuple[str, Mapping[str, Any]]] = []
        self.cancelled: list[int] = []
        self.was_cancelled = threading.Event()
        self.peers: list[Peer] = []
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self.forever = asyncio.Event()
        self.command_line: Declared | None = None
        """What tells commands to those who ask by their words."""
        self.words: list[Sequence[str]] = []

    def main(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        listener = Listener(self.directory, {"rpc": self._serve}, 1 << 24)
        await listener.open()
        self._ready.set()
        await self._stop.wait()
        await listener.close()

    def wait_ready(self) -> None:
        assert self._ready.wait(60)

    def stop(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.append(peer)
        async with running() as tasks:
            while line := await reader.readline():
                message = json.loads(line)
                if "cancel" in message:
                    self.cancelled.append(message["cancel"])
                    self.was_cancelled.set()
                    continue
                tasks.append(asyncio.ensure_future(self._answer(message, writer)))

    async def _answer(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> None:
        async def send(part: Mapping[str, Any]) -> None:
            writer.write(json.dumps({"id": message["id"], **part}).encode() + b"\n")
            await writer.drain()

        if "words" in message:
            self.words.append(message["words"])
            await send({"command": self.command_line and self.command_line.command(message["words"])})
            return
        op, args = message["op"], message["args"]
        self.seen.append((op, args))
        try:
            await send(await self.handle(op, args, send))
        except HangUp:
            writer.close()


@asynccontextmanager
async def running() -> AsyncGenerator[list[asyncio.Future[None]]]:
    tasks: list[asyncio.Future[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def serving(directory: Path, handle: Handle) -> Generator[RpcServer]:
    server = RpcServer(directory, handle)
    thread = threading.Thread(target=server.main)
    thread.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()


def answering(catalog: Catalog) -> Handle:
    """Run the catalog's operations as the daemon does."""

    async def handle(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        try:
            reply = await catalog[op].call(object(), args)
        except ClaudeCodeMcpError as exc:
            return {
                "error": {
                    "code": exc.code,
                    "message": exc.message,
                    "remedy": exc.remedy,
                    "details": exc.details,
                }
            }
        except RuntimeError as exc:
            return {"error": {"code": "internal", "message": str(exc), "remedy": "", "details": {}}}
        return {"reply": reply.model_dump(mode="json"), "text": reply.text(), "exit_code": reply.exit_code}

    return handle
