"""Sessions as the world sees them: built from rows, events and the process table, changing nothing."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.models import (
    Answer,
    EventDetail,
    EventPage,
    ListSessions,
    Need,
    Outcome,
    Session,
    SessionHandle,
    SessionInfo,
    SessionList,
    SessionState,
    Waited,
    WaitSession,
)
from claude_code_mcp.features.sessions.rules.lines import line
from claude_code_mcp.features.sessions.service.foreign import Foreign
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.observers import Questions
from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.features.sessions.service.waiting import OWN, Waiting
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.eventlog import log

AtRest = Callable[[Session], bool]


class Views:
    """Replies about sessions."""

    def __init__(
        self,
        ledger: Ledger,
        supervisor: Supervisor,
        waiting: Waiting,
        questions: Questions,
        foreign: Foreign,
    ) -> None:
        self._ledger = ledger
        self._supervisor = supervisor
        self._waiting = waiting
        self._questions = questions
        self._foreign = foreign

    def cursor(self, session_id: SessionId) -> int:
        """Return the newest event of a session."""
        return self._ledger.database.read(lambda db: log.last_seq(db, session_id))

    def page(
        self, session_id: SessionId, cursor: int, limit: int, detail: EventDetail, kinds: Sequence[str] = ()
    ) -> EventPage:
        """Return events after a cursor."""

        def read(db: sqlite3.Connection) -> tuple[log.Page, int]:
            # The end first: what comes in between is of the next page.
            end = log.last_seq(db, session_id)
            return log.page(db, cursor, session_id=session_id, kinds=kinds, sources=OWN, limit=limit), end

        found, end = self._ledger.database.read(read)
        full = detail is EventDetail.FULL
        return EventPage(
            session_id=session_id,
            cursor=found.cursor if found.more else max(found.cursor, end),
            more=found.more,
            events=[_event(event) for event in found.events] if full else [],
            lines=[said for event in found.events if (said := line(event)) is not None],
        )

    def waited(self, session_id: SessionId, wish: WaitSession, *, reached: bool, at_rest: AtRest) -> Waited:
        """Return what a wait brought: events and status of one moment, or who waits for what comes after these events
        would wait for ever where the status is that of a moment before."""
        with self._ledger.database.snapshot():
            session = self._ledger.session(session_id)
            page = self.page(session_id, wish.cursor, wish.limit, wish.detail)
            return Waited(
                **page.model_dump(),
                status=session.state.value,
                reached=reached,
                needs=self._questions.open_for(session_id),
                outcome=outcome(session) if at_rest(session) else None,
            )

    def answer(self, handle: SessionHandle, *, at_rest: AtRest) -> Answer:
        """Return a session's answer if it has one by now; its parts are of one moment."""
        with self._ledger.database.snapshot():
            session = self._ledger.session(handle.session_id)
            resting = at_rest(session)
            error = session.error
            return Answer(
                session_id=session.id,
                status=session.state.value,
                cursor=self.cursor(session.id),
                outcome=outcome(session) if resting else None,
                needs=self._questions.open_for(session.id),
                last=None if resting and error is None else self._waiting.last(session.id),
                notes=handle.notes,
            )

    def plan(self, session_id: str, needs: Sequence[Need]) -> str | None:
        """Return the plan that a planning session came to: what it wants approved, or what it said last."""
        for need in needs:
            if need.kind == "plan":
                return self._questions.body(need.approval_id)
        session = self._ledger.session(session_id)
        return str(session.result["answer"]) if session.result and session.state is SessionState.IDLE else None

    async def show(self, session_id: str, caller: Caller) -> SessionInfo:
        """Return all about one session.

        Raises:
            SessionNotFound: nobody knows it.
        """
        found = self._ledger.database.read(lambda db: store.session(db, session_id))
        if found is None:
            return await self._foreign.show(session_id, caller)
        info = self._info(found)
        live = self._supervisor.live(found.id)
        usage = await live.run.usage() if live is not None else None
        return info.model_copy(
            update={
                "rss_bytes": usage.rss_bytes if usage else None,
                "last": self._waiting.last(found.id),
                "cursor": self.cursor(found.id),
                "outcome": outcome(found) if self._waiting.at_rest(found) else None,
            }
        )

    async def list(self, wish: ListSessions, caller: Caller) -> SessionList:
        """Return the sessions that fit, last changed first."""
        read = self._ledger.database.read
        project = wish.project_path.rstrip("/") if wish.project_path is not None else None
        ours = [one for one in read(lambda db: store.sessions(db, wish.state, project)) if self._fits(one, wish)]
        others: list[SessionInfo] = []
        if wish.scope != "ours":
            found = await self._foreign.list(wish.scope, read(store.known_ids), caller)
            others = [info for info in found if _fits(info, wish)]
        both: list[Session | SessionInfo] = [*ours, *others]
        newest = sorted(both, key=lambda one: one.updated_at or "", reverse=True)
        # All there is to know is looked up for those alone that are shown: there may be thousands.
        items = [one if isinstance(one, SessionInfo) else self._info(one) for one in newest[: wish.limit]]
        return SessionList(items=items, total=len(newest))

    def _fits(self, session: Session, wish: ListSessions) -> bool:
        """Tell whether a session, of the wished state and project, fits the rest of the wish."""
        if wish.scope == "live" and self._supervisor.live(session.id) is None:
            return False
        if not _labelled(session.labels, wish):
            return False
        if not wish.text:
            return True
        prompt = self._ledger.database.read(lambda db: store.first_prompt(db, session.id))
        return _says(wish.text, session.id, session.project_path, session.title, prompt)

    def _info(self, session: Session) -> SessionInfo:
        live = self._supervisor.live(session.id)
        members = live.run.members if live is not None else None
        return SessionInfo(
            session_id=session.id,
            project_path=session.project_path,
            status=session.state.value,
            live=live is not None,
            pid=members.child.pid if members is not None else None,
            title=session.title,
            model=session.model,
            permission_mode=session.permission_mode,
            trusted=session.trusted,
            labels=session.labels,
            prompt=self._ledger.database.read(lambda db: store.first_prompt(db, session.id)),
            turns=session.turns,
            cost_microusd=session.cost_microusd,
            background=session.background,
            created_at=session.created_at,
            updated_at=session.updated_at,
            queue_place=self._supervisor.admission.place(session.id),
            needs=self._questions.open_for(session.id),
            error=session.error,
            notes=session.left_out,
        )


def outcome(session: Session) -> Outcome | None:
    """Return how a session's last turn ended; an error of ours counts too."""
    if session.error is not None:
        message = f"{session.error.get('code')}: {session.error.get('message')}"
        return Outcome(ok=False, subtype=str(session.error.get("code")), errors=[message])
    if session.result is None:
        return None
    return Outcome(**session.result, cost_microusd=session.cost_microusd)


def _event(event: Recorded) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(event).items() if value not in (None, "")}


def _fits(info: SessionInfo, wish: ListSessions) -> bool:
    if wish.state and info.status not in wish.state:
        return False
    if wish.project_path is not None and info.project_path != wish.project_path.rstrip("/"):
        return False
    if not _labelled(info.labels, wish):
        return False
    return not wish.text or _says(wish.text, info.session_id, info.project_path, info.title, info.prompt)


def _labelled(labels: Mapping[str, str], wish: ListSessions) -> bool:
    return all(labels.get(name) == value for name, value in wish.labels.items())


def _says(text: str, *words: str | None) -> bool:
    return text.lower() in " ".join(word or "" for word in words).lower()
