"""The one cursor over the event log: which sessions it knows, and what is new in those that are kept unfolded."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from claude_code_mcp.features.activity import store
from claude_code_mcp.features.activity.service.changes import Changes
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log

SLICE = 200
"""Events read at once: what the loop is held up for is a few milliseconds."""
Take = Callable[[SessionId, Sequence[Recorded]], None]


@dataclass(slots=True)
class Known:
    """A session of the log: its newest event, and when that was."""

    seq: int
    at: str


class LogReader:
    """Reads what is appended to the log, in order, once, and hands on the events of the sessions that are wanted."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self._wanted: dict[SessionId, Take] = {}
        self._handle: asyncio.Handle | None = None
        seen = database.read(store.sessions)
        self._cursor = database.read(log.last_seq)
        self.known = {one.session_id: Known(one.seq, one.at) for one in seen if one.session_id is not None}
        database.on_commit(self._grown)

    @property
    def cursor(self) -> int:
        """The newest event that was read."""
        return self._cursor

    def want(self, session_id: SessionId, take: Take) -> None:
        """Hand the events of a session to `take` from now on; it has those until `cursor`."""
        self._wanted[session_id] = take

    def unwant(self, session_id: SessionId) -> None:
        """Hand on no more events of a session."""
        self._wanted.pop(session_id, None)

    def history(self, session_id: SessionId, after: int) -> Sequence[Recorded]:
        """Return the next events of a session up to `cursor`; none when there are no more."""
        found = self._database.read(lambda db: log.page(db, after, session_id=session_id, limit=SLICE)).events
        return [event for event in found if event.seq <= self._cursor]

    def _grown(self) -> None:
        if self._handle is None:
            self._read()

    def _read(self) -> None:
        """Read a slice; what is left is read when the loop comes round again."""
        self._handle = None
        if self._database.closed:
            return
        after = self._cursor
        found = self._database.read(lambda db: store.news(db, after, SLICE))
        if not found:
            return
        self._cursor = found[-1].seq
        changed = {one.session_id: Known(one.seq, one.at) for one in found if one.session_id is not None}
        self.known.update(changed)
        # What nobody looks at is not even decoded.
        for session_id in changed.keys() & self._wanted.keys():
            self._wanted[session_id](session_id, self.history(session_id, after))
        self._changes.tell(changed)
        if len(found) == SLICE:
            self._handle = asyncio.get_running_loop().call_soon(self._read)
