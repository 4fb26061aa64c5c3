"""Long polls: until the turn is over, a question waits, or anything happens; a wait never touches the session."""

import asyncio
import sqlite3
from dataclasses import dataclass
from functools import partial

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.models import Session, WaitUntil
from claude_code_mcp.features.sessions.rules.lines import line
from claude_code_mcp.features.sessions.rules.states import AT_REST
from claude_code_mcp.features.sessions.service.ledger import OPEN, Ledger
from claude_code_mcp.features.sessions.service.observers import Questions
from claude_code_mcp.features.sessions.service.streaming import Stream
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.events import Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.eventlog.log import Followers, last_seq, page

TOOL_ENDS = ("tool.finished", "tool.failed", "tool.denied", "tool.abandoned")
OWN = (Source.DAEMON, Source.STREAM)
"""Who tells of our own sessions here. What transcripts, hooks and telemetry say of the same is for `activity`."""
REPORT_S = 5.0
"""How often a waiting client hears that work goes on; some give up on silence."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to wait for: `after` is the cursor, `wait_s` the longest time."""

    session_id: SessionId
    until: WaitUntil
    after: int
    wait_s: float


class Waiting:
    """Waits on the event log; a slow or vanished waiter costs nobody anything."""

    def __init__(self, ledger: Ledger, followers: Followers, questions: Questions) -> None:
        self._ledger = ledger
        self._followers = followers
        self._questions = questions

    def at_rest(self, session: Session) -> bool:
        """Tell whether a session has nothing more to do: at rest, and no message on its way."""
        if session.state not in AT_REST or self._being_ended(session):
            return False
        if session.error is not None:
            return True
        return not self._ledger.database.read(lambda db: store.messages(db, session.id, OPEN))

    def _being_ended(self, session: Session) -> bool:
        """Tell whether the session's process is on its way out for a reason that has yet to become its state."""
        run_id = session.run_id
        run = self._ledger.database.read(lambda db: store.run(db, run_id)) if run_id is not None else None
        return run is not None and run.ended_at is None and run.stopping not in {None, "idle"}

    async def until(self, wish: Wish, caller: Caller, stream: Stream | None = None) -> bool:
        """Wait; return whether it came before the time was up.

        Questions are asked in place where that is possible; what happens goes into `stream` as it happens.
        """
        began = asyncio.get_running_loop().time()
        seen = self._followers.newest
        while True:
            if stream is not None:
                await stream.push()
            session = self._ledger.session(wish.session_id)
            if self._reached(session, wish):
                if not self._asking(wish) or not await self._questions.ask_in_place(session.id, caller):
                    return True
                continue
            passed = asyncio.get_running_loop().time() - began
            if passed >= wish.wait_s:
                return False
            try:
                async with asyncio.timeout(min(REPORT_S, wish.wait_s - passed)):
                    seen = await self._news(wish.session_id, seen, stream)
            except TimeoutError:
                passed = asyncio.get_running_loop().time() - began
                await caller.report(passed, self.last(session.id) or session.state.value)

    async def _news(self, session_id: SessionId, seen: int, stream: Stream | None) -> int:
        if stream is None:
            return await self._followers.grown(seen, session_id)
        grown = asyncio.ensure_future(self._followers.grown(seen, session_id))
        cue = asyncio.ensure_future(stream.cue.wait())
        try:
            await asyncio.wait({grown, cue}, return_when=asyncio.FIRST_COMPLETED)
            return grown.result() if grown.done() else seen
        finally:
            grown.cancel()
            cue.cancel()

    def _asking(self, wish: Wish) -> bool:
        return wish.until is not WaitUntil.EVENT and bool(self._questions.open_for(wish.session_id))

    def _reached(self, session: Session, wish: Wish) -> bool:
        if wish.until is WaitUntil.EVENT:
            read = partial(page, after=wish.after, session_id=session.id, sources=OWN, limit=1)
            return bool(self._ledger.database.read(read).events)
        if self._questions.open_for(session.id):
            return True
        if wish.until is WaitUntil.RESULT and self._result_after(session.id, wish.after):
            return True
        return self.at_rest(session)

    def _result_after(self, session_id: SessionId, after: int) -> bool:
        found = self._ledger.database.read(
            lambda db: page(db, after, session_id=session_id, kinds=("turn.finished",), limit=1)
        )
        return bool(found.events)

    async def tool_over(self, session_id: SessionId, tool_use_id: str) -> None:
        """Wait until a tool call has ended, one way or the other."""
        seen = 0
        while True:
            found = self._ledger.database.read(
                partial(page, after=0, session_id=session_id, kinds=TOOL_ENDS, limit=1000)
            )
            if any(event.tool_use_id == tool_use_id for event in found.events):
                return
            seen = await self._followers.grown(max(seen, self._followers.newest))

    def last(self, session_id: SessionId) -> str | None:
        """Return the newest event worth a line."""

        def newest(db: sqlite3.Connection) -> str | None:
            end = last_seq(db, session_id)
            for event in reversed(page(db, max(0, end - 400), session_id=session_id, sources=OWN, limit=400).events):
                if (said := line(event)) is not None:
                    return said
            return None

        return self._ledger.database.read(newest)
