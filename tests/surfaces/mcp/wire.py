"""Clients on a socket: one that speaks raw lines, and the transport that the official Python client gets."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp.shared.message import SessionMessage

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface

Line = dict[str, Any]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
MODERN = "2026-07-28"
BOUND_S = 30.0


class WireClient:
    """Speaks JSON lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.seen: list[Line] = []
        self.capabilities: dict[str, Any] = {}
        self.modern = False
        self._ids = itertools.count(1)

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    def send(self, line: Line) -> None:
        self.raw(json.dumps(line).encode() + b"\n")

    def ask(self, method: str, params: Line | None = None, meta: Line | None = None) -> int:
        """Send a request; return its id."""
        number = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": self.params(params, meta)})
        return number

    def params(self, params: Line | None = None, meta: Line | None = None) -> Line:
        """Return parameters with the envelope of the era."""
        envelope: Line = dict(meta or {})
        if self.modern:
            envelope |= {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            }
        return {**(params or {}), **({"_meta": envelope} if envelope else {})}

    def notify(self, method: str, params: Line | None = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params or {}})

    async def next(self) -> Line:
        """Return the next line from the server."""
        async with asyncio.timeout(BOUND_S):
            line = await self.reader.readline()
        assert line.endswith(b"\n"), "the server closed the stream"
        value: Line = json.loads(line)
        self.seen.append(value)
        return value

    async def answer(self, number: int | str | None) -> Line:
        """Return the answer to a request; what comes before it is kept in `seen`."""
        while True:
            line = await self.next()
            if line.get("id") == number and "method" not in line:
                return line

    async def call(self, tool: str, arguments: Line | None = None, meta: Line | None = None, **more: Any) -> Line:
        """Call a tool and return the answer's result."""
        number = self.ask("tools/call", {"name": tool, "arguments": arguments or {}, **more}, meta)
        line = await self.answer(number)
        result: Line = line["result"]
        return result

    async def text(self, tool: str, arguments: Line | None = None) -> str:
        """Call a tool and return its text."""
        result = await self.call(tool, arguments)
        return str(result["content"][0]["text"])

    async def initialize(self, version: str = "2025-11-25") -> Line:
        """Open the handshake era."""
        info = {"name": "wire", "version": "1"}
        params = {"protocolVersion": version, "capabilities": self.capabilities, "clientInfo": info}
        line = await self.answer(self.ask("initialize", params))
        self.notify("notifications/initialized")
        result: Line = line["result"]
        return result


@asynccontextmanager
async def streams() -> AsyncGenerator[tuple[Stream, Stream]]:
    """Yield the server's and the client's end of a connection."""
    ours, theirs = socket.socketpair()
    near = await asyncio.open_connection(sock=ours)
    far = await asyncio.open_connection(sock=theirs, limit=2**26)
    try:
        yield near, far
    finally:
        for _, writer in (near, far):
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def connected(
    surface: McpSurface, options: ConnectionOptions | None = None, caller: Caller | None = None
) -> AsyncGenerator[WireClient]:
    """Yield a raw client of `surface`; on leaving, the server must end by itself."""
    who = caller or Caller(cwd="/project", surface=Surface.MCP)
    async with streams() as (near, far):
        serving = asyncio.ensure_future(surface.serve(near[0], near[1], who, options or ConnectionOptions("full")))
        try:
            yield WireClient(*far)
        finally:
            far[1].close()
            async with asyncio.timeout(BOUND_S):
                await serving


@asynccontextmanager
async def listening(surface: McpSurface, path: Path) -> AsyncGenerator[None]:
    """Serve every client of a Unix socket; on leaving, their connections must have ended."""
    who = Caller(cwd="/project", surface=Surface.MCP)
    served: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        await surface.serve(reader, writer, who, ConnectionOptions("full"))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_unix_server(serve, path):
        yield
    async with asyncio.timeout(BOUND_S):
        while served - {task for task in served if task.done()}:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sdk_transport(
    surface: McpSurface, options: ConnectionOptions | None = None
) -> AsyncGenerator[tuple[Any, Any]]:
    """Yield the streams that `mcp.Client` works on, over a socket to `surface`."""
    who = Caller(cwd="/project", surface=Surface.MCP)
    incoming_send, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](100)
    outgoing, outgoing_receive = anyio.create_memory_object_stream[SessionMessage](100)
    async with streams() as (near, far), anyio.create_task_group() as group:
        reader, writer = far

        async def receive() -> None:
            async with incoming_send:
                while line := await reader.readline():
                    message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                    await incoming_send.send(SessionMessage(message))

        async def send() -> None:
            async with outgoing_receive:
                async for item in outgoing_receive:
                    writer.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")

        async def serve() -> None:
            await surface.serve(near[0], near[1], who, options or ConnectionOptions("full"))

        group.start_soon(serve)
        group.start_soon(receive)
        group.start_soon(send)
        try:
            yield incoming, outgoing
        finally:
            group.cancel_scope.cancel()
            for stream in (incoming_send, incoming, outgoing, outgoing_receive):
                stream.close()
