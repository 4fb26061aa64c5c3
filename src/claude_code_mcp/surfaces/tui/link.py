"""The daemon as the application sees it: many requests at once on one connection, which is made anew when it breaks."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from claude_code_mcp.platform.files.offload import off_loop
from claude_code_mcp.platform.ipc.connect import Channel
from claude_code_mcp.surfaces.cli.client import CHUNK, ConnectionLost, Dial
from claude_code_mcp.surfaces.cli.exits import Failure, from_wire

RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""How long to wait before the next try to reach a daemon; the last one again and again."""
Told = Callable[[str], None]


class Link(Protocol):
    """What answers operations. `call` may be asked many things at once.

    `generation` counts the connections: what one daemon said (a cursor) means nothing to the next.
    """

    @property
    def generation(self) -> int:
        """The number of the connection."""
        ...

    async def call(self, op: str, args: Mapping[str, Any]) -> bytes:
        """Return the reply as JSON.

        Raises:
            Failure: the operation's error.
            ConnectionLost: the daemon went away before it answered.
        """
        ...

    async def reconnect(self) -> None:
        """Find the daemon, or the next one, however long it takes; at once where it is connected."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class _Message(msgspec.Struct):
    id: int | None = None
    reply: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    error: dict[str, Any] | None = None
    progress: dict[str, Any] | None = None


@dataclass(slots=True)
class _Connection:
    """One connection while it lasts."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pump: "asyncio.Task[None]"


class DaemonLink:
    """The real daemon behind `dial`; `told` is given what a person should know about the connection."""

    def __init__(self, dial: Dial, told: Told = lambda _: None) -> None:
        self.told = told
        self.generation = 0
        self._dial = dial
        self._open: dict[int, asyncio.Future[bytes]] = {}
        self._ids = 0
        self._connection: _Connection | None = None
        self._was_connected = False
        self._one_dials = asyncio.Lock()  # guards: who found the connection broken first makes it anew, alone
        self._decode = msgspec.json.Decoder(_Message).decode

    async def call(self, op: str, args: Mapping[str, Any]) -> bytes:
        """Return the reply of an operation as JSON; see `Link`."""
        connection = self._connection
        if connection is None:
            raise ConnectionLost
        self._ids += 1
        request_id = self._ids
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._open[request_id] = answer
        try:
            await self._write(connection, {"id": request_id, "op": op, "args": dict(args)})
            return await answer
        except asyncio.CancelledError:
            if self._connection is connection:
                connection.writer.write(_line({"cancel": request_id}))
            raise
        finally:
            self._open.pop(request_id, None)

    @staticmethod
    async def _write(connection: _Connection, message: Mapping[str, Any]) -> None:
        try:
            connection.writer.write(_line(message))
            await connection.writer.drain()
        except OSError as exc:
            raise ConnectionLost from exc

    async def reconnect(self) -> None:
        """Find the daemon; see `Link`. Says so when it is another one than before."""
        async with self._one_dials:
            if self._connection is not None:
                return
            if self._was_connected:
                self.told("The daemon went away; looking for the next one ...")
            tries = 0
            while True:
                try:
                    channel = await off_loop(self._dial)
                except Failure as failure:
                    self.told(f"{failure.as_line()} Trying again ...")
                    await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                    tries += 1
                    continue
                await self._take(channel)
                self.told("Connected again." if self._was_connected else "")
                self._was_connected = True
                return

    async def _take(self, channel: Channel) -> None:
        channel.sock.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=channel.sock)
        pump = asyncio.get_running_loop().create_task(self._receive(reader, channel.rest), name="the daemon's answers")
        self._connection = _Connection(reader, writer, pump)
        self.generation += 1

    async def _receive(self, reader: asyncio.StreamReader, rest: bytes) -> None:
        """Give each answer to whoever waits for it, until the connection ends."""
        pending, start = bytearray(rest), 0
        try:
            while True:
                if pending.find(b"\n", start) >= 0:
                    *lines, left = bytes(pending).split(b"\n")
                    pending, start = bytearray(left), 0
                    for line in lines:
                        self._answer(line)
                start = len(pending)
                data = await reader.read(CHUNK)
                if not data:
                    break
                pending += data
        except OSError:
            pass  # the other end died rather than hung up: the same to us
        finally:
            self._lost()

    def _answer(self, line: bytes) -> None:
        try:
            message = self._decode(line)
        except msgspec.DecodeError:
            return
        waiting = self._open.get(message.id) if message.id is not None else None
        if waiting is None or waiting.done() or message.progress is not None:
            return
        if message.error is not None:
            waiting.set_exception(from_wire(message.error))
        else:
            waiting.set_result(bytes(message.reply))

    def _lost(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.writer.close()
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_exception(ConnectionLost())

    async def close(self) -> None:
        """Hang up and wait until nothing reads any more."""
        connection = self._connection
        if connection is None:
            return
        connection.pump.cancel()
        await asyncio.wait([connection.pump])


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
