"""The book of questions: opened and closed in the transactions that record a session's stream."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from claude_code_mcp.features.approvals import rules, store
from claude_code_mcp.features.approvals.events import ApprovalClosed, ApprovalOpened
from claude_code_mcp.features.approvals.models import Approval, ApprovalState
from claude_code_mcp.features.sessions.models import Need
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import ApprovalId, RunId, SessionId, uuid7
from claude_code_mcp.platform.claude.requests import Answer, ControlItem, ToolQuestion, Withdrawal
from claude_code_mcp.platform.claude.summaries import summary
from claude_code_mcp.platform.db.database import Database


@dataclass(frozen=True, slots=True)
class Silence:
    """What becomes of a question that nobody answers: None waits for ever, else it is denied after so many seconds."""

    deny_after_s: float | None = None


class QuestionBook:
    """All questions of all sessions. As an observer of sessions it takes part in their transactions."""

    def __init__(self, database: Database, clock: Clock, silence: Silence) -> None:
        self.database = database
        self.clock = clock
        self.silence = silence

    def saw(
        self, db: sqlite3.Connection, session_id: SessionId, run_id: RunId, control: Sequence[ControlItem]
    ) -> list[Event]:
        """Keep new questions, close withdrawn ones, and after a re-attach match ours with what Claude Code has."""
        facts: list[Fact] = []
        for item in control:
            if isinstance(item, ToolQuestion):
                facts += self._open(db, session_id, run_id, item)
            elif isinstance(item, Withdrawal):
                facts += self._close(db, store.of_request(db, run_id, item.request_id), ApprovalState.WITHDRAWN)
            elif isinstance(item, Answer) and "session_state" in item.response:
                facts += self._match(db, session_id, run_id, item)
        return [self.event(session_id, fact) for fact in facts]

    def ended(self, db: sqlite3.Connection, session_id: SessionId, run_id: RunId) -> list[Event]:
        """The process is gone: what it asked can no longer be answered."""
        facts: list[Fact] = []
        for approval in store.find(db, states=(ApprovalState.WAITING, ApprovalState.ANSWERED), run_id=run_id):
            facts += self._close(db, approval, ApprovalState.EXPIRED)
        return [self.event(session_id, fact) for fact in facts]

    def open_for(self, session_id: SessionId) -> list[Need]:
        """Return the questions of a session that wait for an answer, oldest first."""
        waiting = self.database.read(lambda db: store.waiting_in(db, session_id))
        return [Need(approval_id=a.id, kind=a.kind.value, tool=a.tool, summary=a.summary) for a in waiting]

    def body(self, approval_id: str) -> str | None:
        """Return the plan that a question is about."""
        approval = self.database.read(lambda db: store.get(db, approval_id))
        plan = approval.input.get("plan") if approval is not None else None
        return plan if isinstance(plan, str) else None

    def _open(self, db: sqlite3.Connection, session_id: SessionId, run_id: RunId, question: ToolQuestion) -> list[Fact]:
        if store.of_request(db, run_id, question.request_id) is not None:
            return []
        now = self.clock.now()
        after_s = self.silence.deny_after_s
        approval = Approval(
            id=ApprovalId(uuid7()),
            session_id=session_id,
            run_id=run_id,
            request_id=question.request_id,
            kind=rules.kind_of(question.tool_name),
            tool=question.tool_name,
            summary=summary(question.tool_name, question.input),
            state=ApprovalState.WAITING,
            created_at=stamp(now),
            input=question.input,
            suggestions=question.suggestions,
            tool_use_id=question.tool_use_id,
            agent_id=question.agent_id,
            expires_at=None if after_s is None else stamp(now + timedelta(seconds=after_s)),
        )
        store.put(db, approval)
        return [
            ApprovalOpened(
                approval_id=approval.id,
                request_id=approval.request_id,
                tool=approval.tool,
                question=approval.kind.value,
                expires_at=approval.expires_at or "",
            )
        ]

    def _match(self, db: sqlite3.Connection, session_id: SessionId, run_id: RunId, answer: Answer) -> list[Fact]:
        facts: list[Fact] = []
        for question in answer.pending:
            if isinstance(question, ToolQuestion):
                facts += self._open(db, session_id, run_id, question)
        pending = {question.request_id for question in answer.pending}
        for approval in store.find(db, states=(ApprovalState.WAITING,), run_id=run_id):
            if approval.request_id not in pending:
                facts += self._close(db, approval, ApprovalState.WITHDRAWN)
        return facts

    def _close(self, db: sqlite3.Connection, approval: Approval | None, how: ApprovalState) -> list[Fact]:
        if approval is None or approval.state not in {ApprovalState.WAITING, ApprovalState.ANSWERED}:
            return []
        approval.state, approval.expires_at = how, None
        store.put(db, approval)
        return [ApprovalClosed(approval_id=approval.id, how=how.value)]

    def event(self, session_id: SessionId, fact: Fact) -> Event:
        """Return a fact about a question as an event of its session, now."""
        subject = getattr(fact, "approval_id", session_id)
        return Event(fact=fact, at=self.clock.now(), session_id=session_id, subject=subject)
