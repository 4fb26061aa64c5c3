"""`claude.stream`: what a session says, sent to a client while its call waits, as the first document names it."""

import asyncio
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.kernel.caller import Caller, Notify
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import page

METHOD = "claude.stream"
HELD = 1000
"""Pieces of an answer in the making that may wait for a slow client; older ones give way, the whole text follows."""


class Stream:
    """One client's stream of one session. `cue` is set when there is something that is not in the log."""

    def __init__(self, notify: Notify, database: Database, session_id: SessionId, after: int) -> None:
        self.cue = asyncio.Event()
        self._notify = notify
        self._database = database
        self._session_id = session_id
        self._after = after
        self._pieces: deque[Event] = deque(maxlen=HELD)

    def take(self, pieces: Sequence[Event]) -> None:
        """Keep pieces of an answer for the next push."""
        self._pieces.extend(pieces)
        self.cue.set()

    async def push(self) -> None:
        """Send what there is: pieces first, since the message that they end in is recorded after them."""
        self.cue.clear()
        while self._pieces:
            fact = self._pieces.popleft().fact
            await self._send({"type": "partial", **msgspec.to_builtins(fact)})
        while True:
            found = self._database.read(lambda db: page(db, self._after, session_id=self._session_id))
            self._after = found.cursor
            for event in found.events:
                await self._send(
                    {"type": event.kind, "id": event.id, "at": event.at, "seq": event.seq, **event.payload}
                )
            if not found.more:
                return

    async def _send(self, message: dict[str, Any]) -> None:
        await self._notify(METHOD, {"session_id": self._session_id, "message": message})


class Streaming:
    """Opens streams for the calls that wish one."""

    def __init__(self, database: Database, supervisor: Supervisor) -> None:
        self._database = database
        self._supervisor = supervisor

    @contextmanager
    def opened(self, caller: Caller, session_id: SessionId, after: int, wish: bool | None) -> Generator[Stream | None]:
        """Yield the call's stream, or None where neither the call nor its connection wishes one."""
        wanted = caller.stream if wish is None else wish
        if not wanted or caller.notify is None:
            yield None
            return
        stream = Stream(caller.notify, self._database, session_id, after)
        forget = self._supervisor.watch(session_id, stream.take)
        try:
            yield stream
        finally:
            forget()
