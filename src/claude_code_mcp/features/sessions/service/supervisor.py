"""Keeps each session served: a place, a process, its messages, its end, and again while messages wait."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.errors import NotStarted
from claude_code_mcp.features.sessions.models import RunRecord, Session, SessionState
from claude_code_mcp.features.sessions.rules.ending import Death
from claude_code_mcp.features.sessions.service.admission import Admission, Withdrawn
from claude_code_mcp.features.sessions.service.attending import (
    AGAIN_S,
    Attendance,
    Launcher,
    Parts,
    conclude,
    kept,
)
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.live import LiveSession
from claude_code_mcp.features.sessions.service.observers import Gate, Settler
from claude_code_mcp.features.sessions.service.stopping import Ladder
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.errors import DiskLow
from claude_code_mcp.platform.tasks import Tasks

GONE_S = 60.0
"""How long whoever ends a session waits for it at most; every step of the ladder is bounded by less."""
Pieces = Callable[[Sequence[Event]], None]
log = logging.getLogger(__name__)


class Supervisor:
    """One task per session that has work to do or a process to watch."""

    def __init__(
        self,
        ledger: Ledger,
        launcher: Launcher,
        tasks: Tasks,
        settlers: tuple[Settler, ...],
        limits: tuple[int, int],
        ladder: Ladder,
    ) -> None:
        self._ledger = ledger
        self._launcher = launcher
        self._tasks = tasks
        self._parts = Parts(ledger, launcher, tasks, settlers, ladder)
        self.admission = Admission(*limits, self._make_room)
        self._serving: dict[SessionId, asyncio.Task[None]] = {}
        self._attending: dict[SessionId, Attendance] = {}
        self._unwanted: dict[SessionId, str] = {}
        self._watching: dict[SessionId, set[Pieces]] = {}

    def hold_at(self, gate: Gate) -> None:
        """Have messages wait at `gate` before they are handed over."""
        self._parts.gates.append(gate)

    def live(self, session_id: SessionId) -> LiveSession | None:
        """Return the hold on a session's process, if there is one that still lives."""
        found = self._attending.get(session_id)
        return found.live if found is not None and not found.live.over.is_set() else None

    def all_live(self) -> list[LiveSession]:
        """Return the hold on every process."""
        return [found.live for found in self._attending.values()]

    def busy(self) -> bool:
        """Tell whether any session has a process, is being started, or waits for its turn."""
        return bool(self._serving)

    def serves(self, session_id: SessionId) -> bool:
        """Tell whether a session has a process of ours, is being started, or waits for its turn."""
        return session_id in self._serving

    def serve(self, session_id: SessionId) -> None:
        """See to it that the session's waiting messages are delivered, by a new process where none lives."""
        task = self._serving.get(session_id)
        if task is None or task.done():
            self._serving[session_id] = self._tasks.start(f"session {session_id}", self._serve(session_id, None))
            return
        found = self._attending.get(session_id)
        if found is not None and found.live.ready.is_set():
            self._tasks.start(f"deliver {session_id}", found.deliver())

    def take_up(self, record: RunRecord) -> None:
        """Follow a run that an earlier daemon left."""
        task = self._tasks.start(f"session {record.session_id}", self._serve(record.session_id, record))
        self._serving[record.session_id] = task

    def requeue(self, session: Session) -> None:
        """Serve a session that an earlier daemon left without a process."""
        task = self._tasks.start(f"session {session.id}", self._serve(session.id, None, again=True))
        self._serving[session.id] = task

    async def end(self, session_id: SessionId, reason: str) -> None:
        """End a session's process, also one that is just being started, and take it out of the queue.

        `reason`: stop, kill, idle or timeout. Returns when it is gone.
        """
        found, task = self._attending.get(session_id), self._serving.get(session_id)
        try:
            async with asyncio.timeout(GONE_S):
                if found is not None and not found.live.over.is_set():
                    await found.end(reason)
                elif task is not None:
                    self._unwanted[session_id] = reason
                    self.admission.withdraw(session_id)
                    await asyncio.wait({task})
        except TimeoutError:
            log.exception("session %s: its process cannot be ended", session_id)

    async def stop_all(self) -> None:
        """End every process in good order, and start none; who waits for a place goes on waiting, with the next
        daemon."""
        self.admission.close_for_good()
        async with asyncio.TaskGroup() as group:
            for session_id in tuple(self._serving):
                group.create_task(self._stop(session_id))

    async def _stop(self, session_id: SessionId) -> None:
        live = self.live(session_id)
        if live is not None:
            try:
                await self._ledger.stopping(live.record, "stop", [])
            except StoreUnavailable:
                log.warning("session %s is stopped, but that cannot be noted", session_id)
        await self.end(session_id, "stop")

    async def _serve(self, session_id: SessionId, left: RunRecord | None, *, again: bool = False) -> None:
        try:
            if again:
                await kept(lambda: self._ledger.move(session_id, SessionState.QUEUED, "the daemon was restarted"))
            if left is not None:
                await self._serve_left(left)
            while session_id not in self._unwanted and self._state(session_id) is SessionState.QUEUED:
                await self._serve_once(session_id)
        except Withdrawn:
            log.info("session %s does not wait for a place any more", session_id)
        finally:
            self._unwanted.pop(session_id, None)
            self._serving.pop(session_id, None)

    def _state(self, session_id: SessionId) -> SessionState:
        return self._ledger.session(session_id).state

    async def _serve_left(self, record: RunRecord) -> None:
        """Attend a run that was noted before, if it ever came to be."""
        live = self._launcher.attach(record, self)
        if live is None:
            await conclude(self._ledger, record, Death("abandoned", reason=record.stopping or ""))
            return
        self.admission.took_up(record.session_id)
        try:
            spec, members = live.run.spec, live.run.members
            if members is not None:
                binary, pid = spec.argv[0] if spec is not None else "", members.child.pid
                await kept(lambda: self._ledger.attached(record, binary, pid))
            await self._attend(live, known=True)
        finally:
            self.admission.left(record.session_id)

    async def _serve_once(self, session_id: SessionId) -> None:
        await self.admission.enter(session_id, self._ledger.session(session_id).priority)
        try:
            live = await self._launched(session_id)
            if live is not None:
                await self._attend(live, known=False)
        finally:
            self.admission.left(session_id)

    async def _launched(self, session_id: SessionId) -> LiveSession | None:
        """Start the session's process; None where that came to nothing, which is then noted."""
        try:
            return await self._launcher.launch(self._ledger.session(session_id), self)
        except StoreUnavailable as exc:
            log.warning("session %s: the store does not take its start: %s", session_id, exc)
            await asyncio.sleep(AGAIN_S)
            await self._pick_up(session_id)
        except DiskLow:
            await kept(lambda: self._ledger.put_back(session_id, "the disk is nearly full"))
            await asyncio.sleep(AGAIN_S)
        except ClaudeCodeMcpError as exc:
            failure = exc
            await kept(lambda: self._ledger.fail(session_id, failure))
        except Exception as exc:
            log.exception("session %s cannot be started", session_id)
            unforeseen = NotStarted(
                f"Session {session_id} could not be started: {exc}.",
                remedy="`claude-code-mcp daemon logs` has the details.",
            )
            await kept(lambda: self._ledger.fail(session_id, unforeseen))
        return None

    async def _pick_up(self, session_id: SessionId) -> None:
        """A start got stuck halfway: go on as a daemon would that was killed there."""
        record = self._ledger.database.read(lambda db: store.open_run(db, session_id))
        if record is not None:
            await self._serve_left(record)

    async def _attend(self, live: LiveSession, *, known: bool) -> None:
        session_id = live.session_id
        unwanted = self._unwanted.get(session_id)
        if unwanted is not None:
            await kept(lambda: self._ledger.stopping(live.record, unwanted, []))
        attendance = Attendance(live, self._ledger.session(session_id), self._parts)
        self._attending[session_id] = attendance
        starting = self._tasks.start(f"start of {session_id}", self._started(live))
        try:
            await attendance.run(known=known)
        finally:
            starting.cancel()
            del self._attending[session_id]

    async def _started(self, live: LiveSession) -> None:
        """Let the next one start as soon as this one is up."""
        await live.ready.wait()
        self.admission.started(live.session_id)

    def watch(self, session_id: SessionId, callback: Pieces) -> Callable[[], None]:
        """Call back with pieces of a session's answers in the making; returns how to end that."""
        watching = self._watching.setdefault(session_id, set())
        watching.add(callback)

        def forget() -> None:
            watching.discard(callback)
            if not watching and self._watching.get(session_id) is watching:
                del self._watching[session_id]

        return forget

    def pieces(self, session_id: SessionId, events: Sequence[Event]) -> None:
        """Hand pieces of an answer to whoever watches the session."""
        for callback in tuple(self._watching.get(session_id, ())):
            callback(events)

    def muddled(self, session_id: SessionId) -> None:
        """Ask a process how it stands, once it can be asked, since lines of it were lost."""
        found = self._attending.get(session_id)
        if found is not None and found.live.ready.is_set():
            self._tasks.start(f"ask {session_id}", found.ask_again())

    def changed(self, session: Session) -> None:
        """Take note of a session's new state."""
        found = self._attending.get(session.id)
        if found is None:
            return
        found.changed(session)
        if session.state is SessionState.IDLE and self.admission.waiting:
            self.admission.look()  # somebody waits for a place, and here is a process that can make room

    def _make_room(self) -> None:
        """End the process that has been idle longest, so that a waiting session can start."""
        idle = [found for found in self._attending.values() if _can_go(found)]
        if idle:
            oldest = max(idle, key=lambda found: found.live.quiet_s)
            self._tasks.start(f"make room {oldest.session.id}", self._retire(oldest))

    async def _retire(self, found: Attendance) -> None:
        try:
            if not await found.expire("idle"):
                self.admission.look()  # it got work just now: perhaps another one can go
        except StoreUnavailable as exc:
            log.warning("session %s is not ended to make room: %s", found.session.id, exc)


def _can_go(found: Attendance) -> bool:
    session, live = found.session, found.live
    return session.state is SessionState.IDLE and not session.background and live.record.stopping is None
