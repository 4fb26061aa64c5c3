"""What may be asked of sessions."""

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.errors import SessionNotRunning
from claude_code_mcp.features.sessions.events import SessionAborted
from claude_code_mcp.features.sessions.models import (
    AbortMode,
    AbortSession,
    Answer,
    AskSession,
    Changed,
    ConversationPlace,
    EventPage,
    ForkSession,
    ListSessions,
    MessageHandle,
    PermissionMode,
    PlanSession,
    ReadEvents,
    ResumeSession,
    SendMessage,
    Session,
    SessionHandle,
    SessionInfo,
    SessionList,
    SessionProcess,
    SessionState,
    SetSession,
    StartSession,
    Stopped,
    Waited,
    WaitSession,
    WaitUntil,
)
from claude_code_mcp.features.sessions.rules import wishes
from claude_code_mcp.features.sessions.rules.states import BUSY
from claude_code_mcp.features.sessions.service import changes
from claude_code_mcp.features.sessions.service.intake import Intake
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.observers import Rewinder, StartingPoint
from claude_code_mcp.features.sessions.service.stopping import interrupt
from claude_code_mcp.features.sessions.service.streaming import Streaming
from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.features.sessions.service.views import Views
from claude_code_mcp.features.sessions.service.waiting import Waiting, Wish
from claude_code_mcp.kernel.caller import Caller, Invocation
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude import control
from claude_code_mcp.platform.claude.facts import BackgroundChanged
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.eventlog.log import latest

INTERRUPT_S = 10.0


class Sessions:
    """Claude Code sessions, ours and everybody's. Each public method is one operation."""

    def __init__(
        self,
        ledger: Ledger,
        intake: Intake,
        supervisor: Supervisor,
        waiting: Waiting,
        views: Views,
        streaming: Streaming,
    ) -> None:
        self._ledger = ledger
        self._intake = intake
        self._supervisor = supervisor
        self._waiting = waiting
        self._views = views
        self._streaming = streaming
        self._rewinder: Rewinder | None = None

    def go_back_through(self, rewinder: Rewinder) -> None:
        """Have `rewinder` bring projects back to checkpoints."""
        self._rewinder = rewinder

    async def start(self, wish: StartSession, caller: Caller) -> SessionHandle:
        """Start a session, or continue the one that the wish names; returns before Claude Code has started."""
        text = wishes.prompt(wish.prompt)
        if wish.checkpoint_id is not None:
            return await self._start_over(wish, caller)
        earlier = await self._intake.earlier(wish, caller)
        if earlier is not None and wish.fork:
            cut = StartingPoint(earlier.project_path, earlier.id, wish.resume_at)
            return await self._intake.fork(earlier, wish, text, cut, caller)
        if earlier is not None:
            return await self._intake.go_on(earlier, wish, text, caller)
        return await self._intake.begin(wish, text, caller)

    async def _start_over(self, wish: StartSession, caller: Caller) -> SessionHandle:
        """Start at a checkpoint: its files are brought back, and a copy of its conversation goes on from there."""
        if self._rewinder is None:
            raise Invalid("Nobody keeps checkpoints here.", remedy="Leave checkpoint_id out.")
        wishes.check_rewind(wish)
        point = await self._rewinder.go_back(wish.checkpoint_id or "", wish.project_path, caller)
        return await self.start_at(wish, point, caller)

    async def start_at(self, wish: StartSession, point: StartingPoint, caller: Caller) -> SessionHandle:
        """Start a session at a point: in its folder, with a copy of its conversation up to its message."""
        return await self._intake.start_at(wish, point, caller)

    async def copy_at(self, point: StartingPoint, title: str | None, caller: Caller) -> SessionHandle | None:
        """Copy a point's conversation into a new session that waits; None where there was none yet."""
        return await self._intake.copy_at(point, title, caller)

    async def ask(self, wish: AskSession, caller: Caller) -> Answer:
        """Start or continue a session and wait for the answer, as long as the wish allows."""
        handle = await self.start(wish, caller)
        return await self._answer(handle, self._intake.wait_s(wish.wait_s, caller), caller, wish.stream)

    async def plan(self, wish: PlanSession, caller: Caller) -> Answer:
        """Let Claude Code plan; the answer carries the plan."""
        planning = wish.model_copy(update={"permission_mode": PermissionMode.PLAN})
        answer = await self.ask(planning, caller)
        return answer.model_copy(update={"plan": self._views.plan(answer.session_id, answer.needs)})

    async def resume(self, wish: ResumeSession, caller: Caller) -> Answer:
        """Go on with a session, ours or anybody's, with what the wish changes."""
        session = await self._intake.adopted(wish.session_id, caller)
        text = wishes.prompt(wish.prompt) if wish.prompt is not None else None
        handle = await self._intake.go_on(session, wish, text, caller)
        wait_s = self._intake.wait_s(wish.wait_s, caller) if wish.wait_s else 0
        return await self._answer(handle, wait_s, caller, wish.stream)

    async def send(self, wish: SendMessage, caller: Caller) -> MessageHandle:
        """Send a message: it steers the running turn, or is the next one."""
        session = await self._intake.adopted(wish.session_id, caller)
        message = wishes.message(session.id, wishes.prompt(wish.prompt), wish.steering, wish.message_id)
        session, message, known = await self._intake.submit(session, message, caller)
        return MessageHandle(
            session_id=session.id,
            message_id=message.id,
            status=session.state.value,
            cursor=self._views.cursor(session.id),
            known=known,
        )

    async def wait(self, wish: WaitSession, caller: Caller) -> Waited:
        """Wait for what the wish names, and return what happened meanwhile."""
        session = self._ledger.session(wish.session_id)
        wait_s = self._intake.wait_s(wish.wait_s, caller)
        with self._streaming.opened(caller, session.id, wish.cursor, wish.stream) as stream:
            reached = await self._waiting.until(Wish(session.id, wish.until, wish.cursor, wait_s), caller, stream)
        return self._views.waited(session.id, wish, reached=reached, at_rest=self._waiting.at_rest)

    def events(self, wish: ReadEvents) -> EventPage:
        """Return the events after a cursor."""
        session = self._ledger.session(wish.session_id)
        return self._views.page(session.id, wish.cursor, wish.limit, wish.detail, wish.kinds)

    async def show(self, session_id: str, caller: Caller) -> SessionInfo:
        """Return everything about a session, ours or anybody's."""
        return await self._views.show(session_id, caller)

    async def list(self, wish: ListSessions, caller: Caller) -> SessionList:
        """Return the sessions that fit."""
        return await self._views.list(wish, caller)

    async def abort(self, wish: AbortSession) -> Stopped:
        """Interrupt the turn, end the process, or kill it."""
        session = self._ledger.session(wish.session_id)
        facts: list[Fact] = [SessionAborted(mode=wish.mode.value, reason=wish.reason or "")]
        live = self._supervisor.live(session.id)
        if live is None:
            return await self._unqueue(session, wish, facts)
        if wish.mode is AbortMode.INTERRUPT:
            if session.state not in BUSY:
                raise SessionNotRunning(f"Session {session.id} is {session.state}; there is no turn to interrupt.")
            await self._ledger.change(session.id, lambda _db, _s: facts)
            queued = await interrupt(live, INTERRUPT_S)
            return self._stopped(session, wish, "interrupted", queued)
        with contextlib.suppress(StoreUnavailable):  # a stop must work on a full disk too: it may be what frees it
            await self._ledger.stopping(live.record, wish.mode.value, facts)
        await self._supervisor.end(session.id, wish.mode.value)
        return self._stopped(session, wish, "killed" if wish.mode is AbortMode.KILL else "stopped")

    async def _unqueue(self, session: Session, wish: AbortSession, facts: Sequence[Fact]) -> Stopped:
        """Stop a session that has no process, or does not have it yet."""
        if session.state in {SessionState.STOPPED, SessionState.FAILED} or wish.mode is AbortMode.INTERRUPT:
            return self._stopped(session, wish, "nothing_to_do")
        did = "unqueued" if session.state is SessionState.QUEUED else "stopped"
        await self._supervisor.end(session.id, wish.mode.value)
        await self._ledger.give_up(session.id, facts, wish.reason or wish.mode.value)
        return self._stopped(session, wish, did)

    def _stopped(self, session: Session, wish: AbortSession, did: str, queued: Sequence[str] = ()) -> Stopped:
        now = self._ledger.session(session.id)
        return Stopped(
            session_id=session.id,
            mode=wish.mode.value,
            status=now.state.value,
            did=did,
            still_queued=list(queued),
            cursor=self._views.cursor(session.id),
        )

    async def fork(self, wish: ForkSession, caller: Caller) -> SessionHandle:
        """Copy a session into a new one, up to a message where one is named."""
        session = await self._intake.adopted(wish.session_id, caller, even_if_busy=True)
        text = wishes.prompt(wish.prompt) if wish.prompt is not None else None
        cut = StartingPoint(session.project_path, session.id, wish.resume_at)
        return await self._intake.fork(session, wish, text, cut, caller)

    async def set(self, wish: SetSession, caller: Caller) -> Changed:
        """Change model, permission mode, title, priority or labels; at once where a process runs."""
        session = await self._intake.adopted(wish.session_id, caller)
        wanted = wishes.changes(wish)
        live = self._supervisor.live(session.id)
        if live is not None and live.ready.is_set():
            await changes.tell(live, wanted)
        await self._ledger.change(session.id, lambda _db, found: changes.apply(found, wanted))
        if wish.priority is not None:
            self._supervisor.admission.prefer(session.id, wishes.RANK[wish.priority])
        return Changed(session_id=session.id, changed=wanted, at_once=live is not None)

    def project_of(self, session_id: str) -> Path:
        """Return the folder of a session."""
        return Path(self._ledger.session(session_id).project_path)

    async def tool_over(self, session_id: str, tool_use_id: str) -> None:
        """Wait until a tool call has ended, one way or the other."""
        await self._waiting.tool_over(self._ledger.session(session_id).id, tool_use_id)

    async def answer(self, session_id: str, line: bytes) -> bool:
        """Hand an answer to a question to the process that asked; False when it is gone."""
        live = self._supervisor.live(self._ledger.session(session_id).id)
        if live is None:
            return False
        await live.answer(line)
        return True

    async def _answer(self, handle: SessionHandle, wait_s: float, caller: Caller, stream: bool | None) -> Answer:
        session = self._ledger.session(handle.session_id)
        # What is left of this call after a restart is to wait on; calling it off interrupts the turn.
        rest = Invocation("sessions.resume", {"session_id": session.id, "wait_s": wait_s})
        await caller.left(rest, Invocation("sessions.abort", {"session_id": session.id}))
        if wait_s > 0:
            with self._streaming.opened(caller, session.id, handle.cursor, stream) as opened:
                await self._waiting.until(Wish(session.id, WaitUntil.IDLE, handle.cursor, wait_s), caller, opened)
        return self._views.answer(handle, at_rest=self._waiting.at_rest)

    def processes(self) -> Sequence[SessionProcess]:
        """Return the process of each session of ours that has one."""
        found = [(live, live.run.members) for live in self._supervisor.all_live() if not live.over.is_set()]
        return [
            SessionProcess(
                live.session_id,
                live.run.run_id,
                who.child.pid if who is not None else None,
                who.shim.pid if who is not None else None,
            )
            for live, who in found
        ]

    def background(self, session_id: str) -> Sequence[Mapping[str, Any]]:
        """Return what Claude Code runs in the background of a session of ours, in the words of `background.changed`."""
        session = self._ledger.session(session_id)
        if self._supervisor.live(session.id) is None:
            return ()
        found = self._ledger.database.read(lambda db: latest(db, session.id, BackgroundChanged.kind))
        return tuple(found.payload.get("tasks") or ()) if found is not None else ()

    async def stop_task(self, session_id: str, task_id: str) -> None:
        """Stop a background task or subagent of a session.

        Raises:
            SessionNotRunning: the session has no process.
            ClaudeUnresponsive: no answer came.
        """
        session = self._ledger.session(session_id)
        live = self._supervisor.live(session.id)
        if live is None:
            raise SessionNotRunning(f"Session {session.id} has no process.", remedy="Its background tasks are over.")
        await live.ask(partial(control.stop_task, task_id=task_id))

    def conversation(self, session_id: str) -> ConversationPlace | None:
        """Return where the conversation of a session of ours is kept, None where it is somebody else's."""
        found = self._ledger.database.read(lambda db: store.session(db, session_id))
        return self._intake.place(found) if found is not None else None

    def own_id(self, conversation_id: str) -> SessionId | None:
        """Return the session of ours that Claude Code knows by this id, None where it is somebody else's."""
        found = self._ledger.database.read(lambda db: store.session(db, conversation_id))
        return found.id if found is not None else None

    def serves(self, session_id: SessionId) -> bool:
        """Tell whether a session has a process of ours, is being started, or waits for its turn."""
        return self._supervisor.serves(session_id)

    def census(self) -> dict[str, int]:
        """Return how many sessions there are by state."""
        return self._ledger.database.read(store.count_by_state)
