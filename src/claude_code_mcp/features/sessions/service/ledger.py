"""Each change of a session: its rows and the event that tells of it, in one transaction."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.errors import MessageKnown, SessionNotFound
from claude_code_mcp.features.sessions.events import (
    MessageSubmitted,
    RunAttached,
    RunExited,
    RunStarted,
    SessionFailed,
    SessionStateMoved,
)
from claude_code_mcp.features.sessions.models import Message, MessageState, RunRecord, Session, SessionState
from claude_code_mcp.features.sessions.rules.ending import Death, judge
from claude_code_mcp.features.sessions.rules.folding import BEFORE, fold, matters
from claude_code_mcp.features.sessions.rules.states import may_move
from claude_code_mcp.features.sessions.service.observers import Observer
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import RunId, SessionId
from claude_code_mcp.platform.claude.facts import MessageSaid
from claude_code_mcp.platform.claude.requests import ControlItem
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log

UNREAD = (MessageState.PENDING, MessageState.SENT)
OPEN = (MessageState.PENDING, MessageState.SENT, MessageState.STARTED)
SHOWN_CHARS = 8000
Change = Callable[[sqlite3.Connection, Session], Sequence[Fact]]


class Ledger:
    """The only writer of session rows."""

    def __init__(self, database: Database, clock: Clock, observers: Sequence[Observer]) -> None:
        self.database = database
        self.clock = clock
        self._observers = tuple(observers)

    def session(self, session_id: str) -> Session:
        """Return a session of ours.

        Raises:
            SessionNotFound: we do not keep one of this id.
        """
        return _known(self.database.read(lambda db: store.session(db, session_id)), session_id)

    async def accept(self, session: Session, message: Message | None, facts: Sequence[Fact]) -> int:
        """Keep a new session with its first message; return the log's cursor before it."""

        def write(db: sqlite3.Connection) -> int:
            before = log.last_seq(db)
            store.put_session(db, session)
            said = list(facts)
            if message is not None:
                store.put_message(db, message)
                said.append(submitted(message))
            log.append(db, self._events(session.id, said))
            return before

        return await self.database.write(write)

    async def submit(self, message: Message) -> tuple[Session, Message, bool]:
        """Keep a message; a known id with the same text is the same message, and nothing is changed.

        A session without a process goes to the queue. Returns session, message, whether it was known.

        Raises:
            MessageKnown: the id stands for another message.
        """

        def write(db: sqlite3.Connection) -> tuple[Session, Message, bool]:
            session = _known(store.session(db, message.session_id), message.session_id)
            known = store.message(db, message.id)
            if known is not None:
                if known.text != message.text or known.session_id != session.id:
                    raise MessageKnown(
                        f"Message id {message.id} was used for another message.", remedy="Use a new UUID."
                    )
                return session, known, True
            message.position = store.next_position(db, session.id)
            store.put_message(db, message)
            facts: list[Fact] = [submitted(message), *self._requeue(session)]
            store.put_session(db, session)
            log.append(db, self._events(session.id, facts))
            return session, message, False

        return await self.database.write(write)

    def _requeue(self, session: Session) -> list[Fact]:
        resting = session.state in {SessionState.STOPPED, SessionState.FAILED, SessionState.IDLE}
        if not resting or (session.state is SessionState.IDLE and session.run_id is not None):
            return []
        return self._move(session, SessionState.QUEUED, "a message waits")

    async def change(self, session_id: SessionId, change: Change) -> Session:
        """Change a session by a function that returns the facts to record."""

        def write(db: sqlite3.Connection) -> Session:
            session = _known(store.session(db, session_id), session_id)
            facts = change(db, session)
            session.updated_at = stamp(self.clock.now())
            store.put_session(db, session)
            log.append(db, self._events(session.id, facts))
            return session

        return await self.database.write(write)

    async def move(self, session_id: SessionId, after: SessionState, why: str) -> Session:
        """Bring a session into a state, if that may follow."""
        return await self.change(session_id, lambda _, session: self._move(session, after, why))

    async def fail(self, session_id: SessionId, exc: ClaudeCodeMcpError) -> Session:
        """The session cannot go on, and has no process; its error says why and what to do."""

        def fail(db: sqlite3.Connection, session: Session) -> Sequence[Fact]:
            store.close_runs(db, session.id, stamp(self.clock.now()), {"outcome": exc.code})
            facts: list[Fact] = [SessionFailed(code=exc.code, message=exc.message)]
            facts += self._move(session, SessionState.FAILED, exc.code)
            session.error = {"code": exc.code, "message": exc.message, "remedy": exc.remedy}
            session.run_id = None
            return facts

        return await self.change(session_id, fail)

    async def put_back(self, session_id: SessionId, why: str) -> Session:
        """The session has no process after all; it waits for its turn again."""

        def put_back(db: sqlite3.Connection, session: Session) -> Sequence[Fact]:
            store.close_runs(db, session.id, stamp(self.clock.now()), {"outcome": "abandoned"})
            session.run_id = None
            return self._move(session, SessionState.QUEUED, why)

        return await self.change(session_id, put_back)

    async def begin(self, record: RunRecord, launch: Mapping[str, Any]) -> None:
        """Note a run before its process exists, so that a crash in between is found."""

        def begin(db: sqlite3.Connection, session: Session) -> Sequence[Fact]:
            store.put_run(db, record)
            session.run_id = record.id
            session.background = 0
            for name, value in launch.items():
                setattr(session, name, value)
            return self._move(session, SessionState.STARTING, "")

        await self.change(record.session_id, begin)

    async def started(self, record: RunRecord, binary: str, version: str, pid: int | None) -> None:
        """The process is there."""
        fact = RunStarted(run_id=record.id, binary=binary, cli_version=version, pid=pid)
        await self.database.write(lambda db: log.append(db, [self._once(record, fact)]))

    async def attached(self, record: RunRecord, binary: str, pid: int | None) -> None:
        """A process that went on without a daemon is followed again; that it was started may not be recorded yet."""
        started = self._once(record, RunStarted(run_id=record.id, binary=binary, cli_version="", pid=pid))
        (attached,) = self._events(record.session_id, [RunAttached(run_id=record.id, offset=record.offset)])
        await self.database.write(lambda db: log.append(db, [started, attached]))

    async def ingest(
        self, record: RunRecord, events: Sequence[Event], control: Sequence[ControlItem], *, cleared: bool = False
    ) -> Session | None:
        """Record what a run said, together with how far it was read; return the session if it changed.

        `cleared`: the last word on its state is the answer to a question of ours, after lines were lost.
        """

        if not (control or cleared or matters(events)):
            return await self.database.write(partial(_note, record, events))

        def write(db: sqlite3.Connection) -> Session | None:
            session = _known(store.session(db, record.session_id), record.session_id)
            folded = fold(session, events)
            for message_id, state in folded.moves:
                store.move_message(db, message_id, state, only_from=BEFORE[state], run_id=record.id)
            if cleared and session.state is SessionState.IDLE:
                # It rests, so what it had begun is over; the lines that told of it were lost.
                close_started(db, session.id, MessageState.COMPLETED)
            log.append(db, [_of(session.id, event) for event in events])
            for observer in self._observers if control else ():
                log.append(db, observer.saw(db, session.id, record.id, control))
            store.put_progress(db, record)
            if folded.touched:
                session.updated_at = stamp(self.clock.now())
                store.put_session(db, session)
            return session if folded.touched or folded.moves else None

        return await self.database.write(write)

    async def sent(self, message_ids: Sequence[str], run_id: RunId) -> None:
        """These messages were handed to the process."""

        def write(db: sqlite3.Connection) -> None:
            for message_id in message_ids:
                store.move_message(db, message_id, MessageState.SENT, only_from=(MessageState.PENDING,), run_id=run_id)

        await self.database.write(write)

    async def stopping(self, record: RunRecord, reason: str, facts: Sequence[Fact]) -> None:
        """Note why a run is ended before it is, so that a crash in between is finished by the next daemon."""
        record.stopping = record.stopping or reason

        def stop(db: sqlite3.Connection, session: Session) -> Sequence[Fact]:
            store.put_run(db, record)
            if reason in {"stop", "kill"}:
                cancel_unread(db, session.id)
            return facts

        await self.change(record.session_id, stop)

    async def give_up(self, session_id: SessionId, facts: Sequence[Fact], why: str) -> Session:
        """Stop a session that has no process, and give up what waits for one."""

        def give_up(db: sqlite3.Connection, session: Session) -> Sequence[Fact]:
            cancel_unread(db, session.id)
            return [*facts, *self._move(session, SessionState.STOPPED, why)]

        return await self.change(session_id, give_up)

    async def retire(self, record: RunRecord, facts: Sequence[Fact] = ()) -> bool:
        """Note that an idle process is ended, unless a message is on its way to it; tell which."""
        record.stopping = record.stopping or "idle"

        def retire(db: sqlite3.Connection) -> bool:
            if store.messages(db, record.session_id, OPEN):
                return False
            store.put_run(db, record)
            log.append(db, self._events(record.session_id, facts))
            return True

        retired = False
        try:
            retired = await self.database.write(retire)
        finally:
            if not retired:
                record.stopping = None
        return retired

    async def ended(self, record: RunRecord, death: Death) -> Session:
        """A run is over: judge what that means, give up what cannot go on, keep what can."""

        def end(db: sqlite3.Connection, session: Session) -> Sequence[Fact]:
            store.put_run(db, record)
            close_started(db, session.id, MessageState.CANCELLED)
            verdict = judge(session, death, unread=take_back(db, session.id))
            for observer in self._observers:
                log.append(db, observer.ended(db, session.id, record.id))
            session.run_id, session.busy_since, session.background = None, None, 0
            session.crashes += death.counts
            session.error = verdict.error
            moved = self._move(session, verdict.state, death.reason)
            facts: list[Fact] = [_exited(record, death), *moved]
            if verdict.error is not None and moved:
                facts.append(SessionFailed(code=verdict.error["code"], message=verdict.error["message"]))
            return facts

        return await self.change(record.session_id, end)

    async def record(self, fact: Fact, subject: str) -> None:
        """Record a fact that is about no session."""
        event = Event(fact=fact, at=self.clock.now(), subject=subject)
        await self.database.write(lambda db: log.append(db, [event]))

    def _move(self, session: Session, after: SessionState, why: str) -> list[Fact]:
        if not may_move(session.state, after):
            return []
        fact = SessionStateMoved(before=session.state.value, after=after.value, why=why)
        session.state = after
        if after is not SessionState.FAILED:
            session.error = None
        session.updated_at = stamp(self.clock.now())
        return [fact]

    def _once(self, record: RunRecord, fact: Fact) -> Event:
        """Return the event of a fact that a run has once, whoever tells it and however often."""
        (event,) = self._events(record.session_id, [fact])
        return msgspec.structs.replace(event, source_key=f"{record.id}:{fact.kind}")

    def _events(self, session_id: SessionId, facts: Sequence[Fact]) -> list[Event]:
        now = self.clock.now()
        return [Event(fact=fact, at=now, session_id=session_id, subject=session_id) for fact in facts]


def _note(record: RunRecord, events: Sequence[Event], db: sqlite3.Connection) -> None:
    log.append(db, [_of(record.session_id, event) for event in events])
    store.put_progress(db, record)


def cancel_unread(db: sqlite3.Connection, session_id: SessionId) -> list[str]:
    """Give up the messages that nobody has read; return their ids."""
    unread = store.messages(db, session_id, UNREAD)
    for message in unread:
        store.move_message(db, message.id, MessageState.CANCELLED, only_from=UNREAD)
    return [message.id for message in unread]


def close_started(db: sqlite3.Connection, session_id: SessionId, state: MessageState) -> None:
    """Bring the messages that were begun to their end."""
    for message in store.messages(db, session_id, (MessageState.STARTED,)):
        store.move_message(db, message.id, state, only_from=(MessageState.STARTED,))


def take_back(db: sqlite3.Connection, session_id: SessionId) -> int:
    """Have the messages that a dead process never took up wait again; return how many wait."""
    unread = store.messages(db, session_id, UNREAD)
    for message in unread:
        store.move_message(db, message.id, MessageState.PENDING, only_from=(MessageState.SENT,))
    return len(unread)


def submitted(message: Message) -> MessageSubmitted:
    """Return the fact that tells of a new message."""
    return MessageSubmitted(
        message_id=message.id,
        text=message.text[:SHOWN_CHARS],
        size=len(message.text.encode("utf-8", "surrogatepass")),
        steering=message.steering,
    )


def _exited(record: RunRecord, death: Death) -> RunExited:
    return RunExited(
        run_id=record.id,
        outcome=death.outcome,
        code=death.code,
        signal=death.signal,
        reason=death.reason,
        stderr=death.stderr[-2000:],
    )


def _of(session_id: SessionId, event: Event) -> Event:
    if isinstance(event.fact, MessageSaid) and event.fact.echo:
        # A message that a killed daemon may have handed over is handed over again, and repeated again: one fact.
        event = msgspec.structs.replace(event, source_key=f"{session_id}:echo:{event.subject}")
    # Claude Code renames a conversation on /clear; for us it stays the same session.
    return event if event.session_id == session_id else msgspec.structs.replace(event, session_id=session_id)


def _known(session: Session | None, session_id: str) -> Session:
    if session is None:
        raise SessionNotFound(f"There is no session {session_id}.", remedy="session_list shows the known ones.")
    return session
