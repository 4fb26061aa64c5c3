"""Keeps each session served: a place, a process, its messages, its end, and again while messages wait."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.errors import ClaudeUnresponsive, ControlRefused
from claude_code_mcp.features.sessions.events import SessionTimedOut
from claude_code_mcp.features.sessions.models import MessageState, RunRecord, Session, SessionState
from claude_code_mcp.features.sessions.rules.deadlines import Deadline, deadline
from claude_code_mcp.features.sessions.rules.ending import Death
from claude_code_mcp.features.sessions.rules.states import AT_REST, BUSY
from claude_code_mcp.features.sessions.service.admission import Admission
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.live import Hooks, LiveSession
from claude_code_mcp.features.sessions.service.observers import Observer
from claude_code_mcp.features.sessions.service.stopping import Ladder, stop
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.tasks import Tasks

REFOLLOW_S = 1.0
Pieces = Callable[[Sequence[Event]], None]
log = logging.getLogger(__name__)


class Launcher(Protocol):
    """Starts the process of a session, or finds one again."""

    async def launch(self, session: Session, hooks: Hooks) -> LiveSession:
        """Start a process for `session` and note it.

        Raises:
            ClaudeCodeMcpError: it cannot be started; the session's error says why.
        """
        ...

    def attach(self, record: RunRecord, hooks: Hooks) -> LiveSession | None:
        """Return the hold on a run that an earlier daemon started, or None where no run of that id exists."""
        ...

    def idle_s(self, session: Session) -> float:
        """Return how many seconds a session's process may stay warm now."""
        ...

    def timeout_s(self, session: Session) -> float:
        """Return how many seconds a busy period of a session may take."""
        ...


class Supervisor:
    """One task per session that has work to do or a process to watch."""

    def __init__(
        self,
        ledger: Ledger,
        launcher: Launcher,
        tasks: Tasks,
        observers: tuple[Observer, ...],
        limits: tuple[int, int],
        ladder: Ladder,
    ) -> None:
        self._ledger = ledger
        self._launcher = launcher
        self._tasks = tasks
        self._observers = observers
        self._ladder = ladder
        self.admission = Admission(*limits, self._make_room)
        self._serving: dict[SessionId, asyncio.Task[None]] = {}
        self._live: dict[SessionId, LiveSession] = {}
        self._latest: dict[SessionId, Session] = {}
        self._changed: dict[SessionId, asyncio.Event] = {}
        self._at_rest: dict[SessionId, asyncio.Event] = {}
        self._watching: dict[SessionId, set[Pieces]] = {}

    def live(self, session_id: SessionId) -> LiveSession | None:
        """Return the hold on a session's process, if there is one that still lives."""
        found = self._live.get(session_id)
        return found if found is not None and not found.over.is_set() else None

    def all_live(self) -> list[LiveSession]:
        """Return the hold on every process."""
        return list(self._live.values())

    def serve(self, session_id: SessionId) -> None:
        """See to it that the session's waiting messages are delivered, by a new process where none lives."""
        task = self._serving.get(session_id)
        if task is None or task.done():
            self._serving[session_id] = self._tasks.start(f"session {session_id}", self._serve(session_id, None))
            return
        live = self.live(session_id)
        if live is not None and live.ready.is_set():
            self._tasks.start(f"deliver {session_id}", self._deliver(live))

    def take_up(self, record: RunRecord) -> None:
        """Follow a run that an earlier daemon left."""
        task = self._tasks.start(f"session {record.session_id}", self._serve(record.session_id, record))
        self._serving[record.session_id] = task

    async def end(self, session_id: SessionId, reason: str) -> None:
        """End a session's process, if it has one; `reason` stop, kill, idle or timeout; returns when it is gone."""
        live = self.live(session_id)
        if live is None:
            task = self._serving.get(session_id)
            if task is not None and self._ledger.session(session_id).state is SessionState.QUEUED:
                task.cancel()
            return
        if reason == "kill":
            await live.run.kill()
        else:
            busy = self._ledger.session(session_id).state in BUSY
            await stop(live, self._ladder, busy=busy, at_rest=self._at_rest[session_id])
        task = self._serving.get(session_id)
        if task is not None:
            await asyncio.wait({task}, timeout=self._ladder.grace_s + 5)

    async def stop_all(self) -> None:
        """End every process in good order."""
        for live in self.all_live():
            await self._ledger.stopping(live.record, "stop", [])
        async with asyncio.TaskGroup() as group:
            for live in self.all_live():
                group.create_task(self.end(live.session_id, "stop"))

    async def _serve(self, session_id: SessionId, left: RunRecord | None) -> None:
        self._changed[session_id] = asyncio.Event()
        self._at_rest[session_id] = asyncio.Event()
        try:
            if left is not None:
                await self._serve_left(left)
            while self._ledger.session(session_id).state is SessionState.QUEUED:
                await self._serve_once(session_id)
        finally:
            for table in (self._changed, self._at_rest, self._live, self._latest, self._serving):
                table.pop(session_id, None)

    async def _serve_left(self, record: RunRecord) -> None:
        live = self._launcher.attach(record, self)
        if live is None:
            await self._conclude(record, Death("lost"))
            return
        self.admission.took_up(record.session_id)
        try:
            await self._ledger.attached(record)
            await self._attend(live, known=True)
        finally:
            self.admission.left(record.session_id)

    async def _serve_once(self, session_id: SessionId) -> None:
        session = self._ledger.session(session_id)
        await self.admission.enter(session_id, session.priority)
        try:
            live = await self._launcher.launch(self._ledger.session(session_id), self)
            await self._attend(live, known=False)
        except ClaudeCodeMcpError as exc:
            await self._ledger.fail(session_id, exc)
        finally:
            self.admission.left(session_id)

    async def _attend(self, live: LiveSession, *, known: bool) -> None:
        session_id = live.session_id
        self._live[session_id] = live
        self.changed(self._ledger.session(session_id))
        following = self._tasks.start(f"follow {session_id}", self._follow(live))
        minding = self._tasks.start(f"mind {session_id}", self._mind(live))
        try:
            await self._greet(live, known=known)
            self.admission.started(session_id)
            await following
        finally:
            minding.cancel()
        await self._conclude(live.record, self._death(live))

    async def _follow(self, live: LiveSession) -> None:
        """Follow to the end of the process, whatever goes wrong on our side meanwhile."""
        while not live.over.is_set():
            try:
                await live.follow()
            except Exception:
                log.exception("session %s: following failed, going on from the last commit", live.session_id)
                await asyncio.sleep(REFOLLOW_S)

    async def _greet(self, live: LiveSession, *, known: bool) -> None:
        """Introduce ourselves and deliver what waits; a process that does not answer is ended."""
        try:
            if known:
                # What it wrote while nobody read says which messages it has; only then send the others.
                await live.caught_up.wait()
                await live.initialize()
                await self._deliver(live)
                for observer in self._observers:
                    await observer.settle(live.session_id)
                await self._finish_stopping(live)
            else:
                # Both lines go out at once: waiting for the answer first would only cost time.
                greeting = asyncio.ensure_future(live.initialize())
                await asyncio.sleep(0)
                await self._deliver(live)
                await greeting
                await self._deliver(live)
        except (ClaudeUnresponsive, ControlRefused) as exc:
            if not live.over.is_set():
                log.warning("session %s: %s", live.session_id, exc)
                await live.run.stop(self._ladder.grace_s)

    async def _finish_stopping(self, live: LiveSession) -> None:
        if live.record.stopping is not None:
            await live.run.stop(self._ladder.grace_s)

    async def _deliver(self, live: LiveSession) -> None:
        waiting = self._ledger.database.read(lambda db: store.messages(db, live.session_id, (MessageState.PENDING,)))
        if live.record.stopping is None:
            await live.deliver(waiting)

    def _death(self, live: LiveSession) -> Death:
        run = live.run
        exited, failure = run.exit, run.start_failure
        said = run.stderr_tail(4000).decode(errors="replace") if failure is None else failure.message
        return Death(
            outcome=run.state().value,
            code=exited.code if exited is not None else None,
            signal=exited.signal if exited is not None else None,
            reason=live.record.stopping or "",
            stderr=said,
            spoke=live.spoke,
        )

    async def _conclude(self, record: RunRecord, death: Death) -> None:
        record.ended_at = stamp(self._ledger.clock.now())
        record.exit = {"outcome": death.outcome, "code": death.code, "signal": death.signal}
        session = await self._ledger.ended(record, death)
        self.changed(session)

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

    def changed(self, session: Session) -> None:
        """Take note of a session's new state."""
        self._latest[session.id] = session
        changed, at_rest = self._changed.get(session.id), self._at_rest.get(session.id)
        if changed is not None:
            changed.set()
        if at_rest is not None:
            (at_rest.set if session.state in AT_REST else at_rest.clear)()

    async def _mind(self, live: LiveSession) -> None:
        """End the process when it was idle, or busy, for too long."""
        changed = self._changed[live.session_id]
        while not live.over.is_set():
            changed.clear()
            due = self._deadline(live)
            now = self._ledger.clock.now()
            if due is not None and due.at <= now:
                await self._expire(live, due)
                return
            seconds = None if due is None else max(0.01, (due.at - now).total_seconds())
            try:
                async with asyncio.timeout(seconds):
                    await changed.wait()
            except TimeoutError:
                continue

    def _deadline(self, live: LiveSession) -> Deadline | None:
        session = self._latest[live.session_id]
        return deadline(
            session,
            live.quiet_since,
            idle_s=self._launcher.idle_s(session),
            timeout_s=self._launcher.timeout_s(session),
        )

    async def _expire(self, live: LiveSession, due: Deadline) -> None:
        session = self._latest[live.session_id]
        late = due.reason == "timeout"
        facts = [SessionTimedOut(timeout_s=self._launcher.timeout_s(session))] if late else []
        await self._ledger.stopping(live.record, due.reason, facts)
        await stop(live, self._ladder, busy=late, at_rest=self._at_rest[live.session_id])

    def _make_room(self) -> None:
        """End the process that has been idle longest, so that a waiting session can start."""
        idle = [
            live
            for live in self._live.values()
            if live.record.stopping is None
            and (session := self._latest.get(live.session_id)) is not None
            and session.state is SessionState.IDLE
            and not session.background
        ]
        if idle:
            oldest = min(idle, key=lambda live: live.quiet_since)
            self._tasks.start(
                f"make room {oldest.session_id}", self._expire(oldest, Deadline(oldest.quiet_since, "idle"))
            )
