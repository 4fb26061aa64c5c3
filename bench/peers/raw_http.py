"""The floor of taking in events over HTTP: a bare asyncio protocol that decodes each body and puts it into a log.

The log is ours, with our one writer and its batches: what is left out is the framework, the door and the reading.
"""

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.kernel.events import Event, Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.facts import NoticeShown
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.migrations import of_package
from claude_code_mcp.platform.eventlog import log

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_DECODE = msgspec.json.Decoder(dict[str, Any]).decode


class Ingest(asyncio.Protocol):
    """One connection."""

    def __init__(self, queue: "Queue") -> None:
        self._queue = queue
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (head := self._data.find(b"\r\n\r\n")) >= 0:
            headers = self._data[:head].lower()
            at = headers.index(b"content-length:") + 15
            length = int(headers[at : headers.find(b"\r\n", at) if b"\r\n" in headers[at:] else None])
            if len(self._data) < head + 4 + length:
                return
            body, self._data = self._data[head + 4 : head + 4 + length], self._data[head + 4 + length :]
            self._queue.take(_DECODE(body), body)
            assert self._transport is not None
            self._transport.write(ANSWER)


class Queue:
    """What waits for the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events: list[Event] = []
        self._task: asyncio.Task[None] | None = None

    def take(self, payload: dict[str, Any], body: bytes) -> None:
        """Queue one event."""
        fact = NoticeShown(text=body.decode())
        session = SessionId(payload["session_id"])
        event = Event(fact=fact, at=datetime.now(UTC), session_id=session, source=Source.HOOK)
        self._events.append(event)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        while self._events:
            events, self._events = self._events[:1000], self._events[1000:]
            await self._database.write(partial(log.append, events=events))
        self._task = None


async def main(folder: Path) -> None:
    database = await Database.open(folder / "state.db", of_package("claude_code_mcp.platform.eventlog"))
    queue = Queue(database)
    server = await asyncio.get_running_loop().create_server(lambda: Ingest(queue), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
