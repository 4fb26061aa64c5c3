"""One process from its first line to its end: greet it, follow it, end it in time, and judge what its end means."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.errors import ClaudeUnresponsive, ControlRefused
from claude_code_mcp.features.sessions.events import SessionTimedOut
from claude_code_mcp.features.sessions.models import Message, MessageState, RunRecord, Session
from claude_code_mcp.features.sessions.rules.deadlines import Deadline, deadline
from claude_code_mcp.features.sessions.rules.ending import Death
from claude_code_mcp.features.sessions.rules.states import AT_REST, BUSY
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.live import Hooks, LiveSession
from claude_code_mcp.features.sessions.service.observers import Gate, Settler
from claude_code_mcp.features.sessions.service.stopping import Ladder, stop
from claude_code_mcp.kernel.clock import parse, stamp
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.identity import boot_id
from claude_code_mcp.platform.procs.models import RunState
from claude_code_mcp.platform.tasks import Tasks

AGAIN_S = 1.0
"""How long to wait before what the store or the disk refused is tried again."""
LEFT_S = 60.0
"""What a session that an earlier daemon left has at least, however much of its time is over by the clock."""
JUDGED_S = 5.0
"""How long the end of a process may take to be recorded before whoever asked for it is told without that."""
T = TypeVar("T")
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

    def forget(self, record: RunRecord) -> None:
        """The run is over: take away what it was started with."""
        ...

    def idle_s(self, session: Session) -> float:
        """Return how many seconds a session's process may stay warm now."""
        ...

    def timeout_s(self, session: Session) -> float:
        """Return how many seconds a busy period of a session may take."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What every attendance needs."""

    ledger: Ledger
    launcher: Launcher
    tasks: Tasks
    settlers: tuple[Settler, ...]
    ladder: Ladder
    gates: list[Gate] = field(default_factory=list)


class Attendance:
    """Attends one process; `live` is our hold on it, `session` the newest word on its session."""

    def __init__(self, live: LiveSession, session: Session, parts: Parts) -> None:
        self.live = live
        self.session = session
        self._parts = parts
        self._news = asyncio.Event()
        self._at_rest = asyncio.Event()
        self._asking = False
        self.changed(session)

    def changed(self, session: Session) -> None:
        """Take note of the session's new state."""
        self.session = session
        self.live.note(session)
        (self._at_rest.set if session.state in AT_REST else self._at_rest.clear)()
        self._news.set()

    async def run(self, *, known: bool) -> Session:
        """Attend the process to its end; return what then became of the session. `known`: it ran before us."""
        name = self.live.session_id
        if known:
            self.live.worked(self._worked_s())
        following = self._parts.tasks.start(f"follow {name}", self._follow())
        minding = self._parts.tasks.start(f"mind {name}", self._mind())
        try:
            await self._greet(known=known)
            await following
        finally:
            minding.cancel()
        return await self._conclude(known=known)

    async def _follow(self) -> None:
        """Follow to the end of the process, whatever goes wrong on our side meanwhile."""
        while not self.live.over.is_set():
            try:
                await self.live.follow()
            except Exception:
                log.exception("session %s: following failed, going on from the last commit", self.live.session_id)
                await asyncio.sleep(AGAIN_S)

    async def _greet(self, *, known: bool) -> None:
        """Introduce ourselves and deliver what waits; a process that does not answer is ended."""
        live = self.live
        try:
            if live.record.stopping is not None:  # what was begun is finished, by whichever daemon
                await (live.run.kill() if live.record.stopping == "kill" else live.run.stop(self._parts.ladder.grace_s))
            elif known:
                await self._meet_again()
            else:
                # Both lines go out at once: waiting for the answer first would only cost time.
                greeting = asyncio.ensure_future(live.initialize())
                await asyncio.sleep(0)
                await self.deliver()
                await greeting
                await self.deliver()
        except (ClaudeUnresponsive, ControlRefused) as exc:
            if not live.over.is_set():
                log.warning("session %s: %s", live.session_id, exc)
                await live.run.stop(self._parts.ladder.grace_s)
        except Exception:
            log.exception("session %s: its process is followed without a greeting", live.session_id)

    async def _meet_again(self) -> None:
        live = self.live
        # What it wrote while nobody read says which messages it has; only then send the others.
        await live.caught_up.wait()
        if live.muddled:
            await self._repeat()
        while True:
            try:
                await live.initialize()
                break
            except ClaudeUnresponsive:
                if live.over.is_set() or not live.unkept:
                    raise
                log.warning("session %s may have answered, but the store takes nothing", live.session_id)
        await self.deliver()
        for settler in self._parts.settlers:
            await settler.settle(live.session_id)

    async def deliver(self) -> None:
        """Hand the waiting messages to the process, unless it is being ended."""
        live = self.live
        for gate in self._parts.gates:
            if live.record.stopping is None and (waiting := self._waiting()):
                await gate.before(self.session, waiting)
        # Looked at again: whoever else delivers meanwhile may have handed some over.
        waiting = self._waiting()
        if live.record.stopping is None:
            await live.deliver(waiting)

    def _waiting(self) -> list[Message]:
        return self._parts.ledger.database.read(
            lambda db: store.messages(db, self.live.session_id, (MessageState.PENDING,))
        )

    async def ask_again(self) -> None:
        """Lines were lost: hand over again what may not have been taken, and ask the process how it stands.

        A message that it knows is only repeated by it, so the answer finds each one taken up or waiting.
        """
        if self._asking:
            return
        self._asking = True
        try:
            await self._repeat()
            await self.live.initialize()
        except (ClaudeUnresponsive, ControlRefused) as exc:
            log.warning("session %s cannot be asked how it stands: %s", self.live.session_id, exc)
        finally:
            self._asking = False

    async def _repeat(self) -> None:
        live = self.live
        sent = self._parts.ledger.database.read(lambda db: store.messages(db, live.session_id, (MessageState.SENT,)))
        await live.deliver(sent)

    async def end(self, reason: str) -> None:
        """End the process; `reason` stop, kill, idle or timeout. Returns when it is gone, and judged if the store
        takes that."""
        live = self.live
        if reason == "kill":
            await live.run.kill()
        else:
            await stop(live, self._parts.ladder, busy=self.session.state in BUSY, at_rest=self._at_rest)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(JUDGED_S):
                await live.judged.wait()

    async def expire(self, reason: str) -> bool:
        """End the process because it was idle or busy for too long; False when it got a message just before that."""
        live, ledger = self.live, self._parts.ledger
        if reason == "timeout":
            fact = SessionTimedOut(timeout_s=self._parts.launcher.timeout_s(self.session))
            await ledger.stopping(live.record, reason, [fact])
        elif not await ledger.retire(live.record):
            live.touch()
            await self.deliver()
            return False
        await self.end(reason)
        return True

    async def _mind(self) -> None:
        """End the process when it was idle, or busy, for too long."""
        while not self.live.over.is_set():
            self._news.clear()
            due = self._deadline()
            if due is not None and due.in_s <= 0:
                await self._act(due.reason)
                continue
            try:
                async with asyncio.timeout(None if due is None else due.in_s):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _act(self, reason: str) -> None:
        try:
            if reason != "silence":
                await self.expire(reason)
                return
            self.live.touch()
            self.live.doubt()
            await self.ask_again()
        except StoreUnavailable:
            await asyncio.sleep(AGAIN_S)

    def _deadline(self) -> Deadline | None:
        if self.live.record.stopping is not None:
            return None
        launcher = self._parts.launcher
        return deadline(
            self.session,
            quiet_s=self.live.quiet_s,
            running_s=self.live.running_s,
            idle_s=launcher.idle_s(self.session),
            timeout_s=launcher.timeout_s(self.session),
        )

    def _worked_s(self) -> float:
        """Return how long it has been working by the clock; less where that would leave it no time at all."""
        if self.session.busy_since is None:
            return 0.0
        passed = (self._parts.ledger.clock.now() - parse(self.session.busy_since)).total_seconds()
        return max(0.0, min(passed, self._parts.launcher.timeout_s(self.session) - LEFT_S))

    async def _conclude(self, *, known: bool) -> Session:
        live = self.live
        run = live.run
        rebooted = run.members is not None and run.members.shim.boot != boot_id()
        if not rebooted and (run.state() is RunState.LOST or (run.exit is not None and run.exit.left)):
            # Nobody supervised its end: its shells are sessions of their own and may live on.
            await run.stop(self._parts.ladder.grace_s)
        session = await conclude(self._parts.ledger, live.record, self._death(known=known))
        run.close()
        self._parts.launcher.forget(live.record)
        live.judged.set()
        return session

    def _death(self, *, known: bool) -> Death:
        run = self.live.run
        exited, failure = run.exit, run.start_failure
        never_ran = failure is not None and failure.stage in {"abandoned", "stopped"}
        return Death(
            outcome="abandoned" if never_ran else run.state().value,
            code=exited.code if exited is not None else None,
            signal=exited.signal if exited is not None else None,
            reason=self.live.record.stopping or "",
            stderr=run.stderr_tail(4000).decode(errors="replace") if failure is None else failure.message,
            # One that an earlier daemon left may have ended for our sake: by half a line of a daemon that was killed.
            spoke=self.live.spoke or known,
        )


async def conclude(ledger: Ledger, record: RunRecord, death: Death) -> Session:
    """Record the end of a run and return what became of its session."""
    record.ended_at = stamp(ledger.clock.now())
    record.exit = {"outcome": death.outcome, "code": death.code, "signal": death.signal}
    return await kept(lambda: ledger.ended(record, death))


async def kept(write: Callable[[], Awaitable[T]]) -> T:
    """Write until the store takes it: what has happened to a process cannot be refused."""
    while True:
        try:
            return await write()
        except StoreUnavailable as exc:
            log.warning("the store does not take it yet: %s", exc)
            await asyncio.sleep(AGAIN_S)
