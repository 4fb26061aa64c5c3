"""Answers are kept first and delivered after, and denied by the clock where a policy says so."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Mapping, Sequence

from claude_code_mcp.features.approvals import rules, store
from claude_code_mcp.features.approvals.errors import ApprovalNotFound, ApprovalSettled, BadAnswer
from claude_code_mcp.features.approvals.events import ApprovalAnswered
from claude_code_mcp.features.approvals.models import (
    AnswerApproval,
    Answered,
    Approval,
    ApprovalInfo,
    ApprovalList,
    ApprovalState,
    Decision,
    Kind,
    ListApprovals,
)
from claude_code_mcp.features.approvals.service.book import QuestionBook
from claude_code_mcp.features.approvals.service.trust_keeping import TrustKeeper
from claude_code_mcp.features.sessions.models import Need
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import parse, stamp
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude import control
from claude_code_mcp.platform.claude.requests import ToolQuestion
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.eventlog import log
from claude_code_mcp.platform.procs.errors import StdinClosed, StdinStalled

POLICY = "policy"
LOOK_S = 30.0
"""How often the clock is looked at all the same: it may have been set, or the machine may have slept."""
AGAIN_S = 1.0
logger = logging.getLogger(__name__)


class Approvals:
    """Answers to the questions of all sessions."""

    def __init__(self, book: QuestionBook) -> None:
        self.book = book
        self._database = book.database
        self._clock = book.clock
        self._sessions: Sessions | None = None
        self._trust: TrustKeeper | None = None
        self._asked = asyncio.Event()

    def deliver_through(self, sessions: Sessions, trust: TrustKeeper) -> None:
        """Say who hands answers to the processes; sessions are built after those who observe them."""
        self._sessions = sessions
        self._trust = trust

    async def settle(self, session_id: SessionId) -> None:
        """Deliver again what was answered but perhaps never arrived; Claude Code ignores what it has already."""
        answered = self._database.read(
            lambda db: store.find(db, states=(ApprovalState.ANSWERED,), session_id=session_id)
        )
        for approval in answered:
            await self._deliver(approval)

    # What the world asks.

    def find(self, wish: ListApprovals) -> ApprovalList:
        """Return the questions that fit, oldest first."""
        states = () if wish.all else (ApprovalState.WAITING,)
        found = self._database.read(lambda db: store.find(db, states=states, session_id=wish.session_id))
        return ApprovalList(items=[info(approval) for approval in found[: wish.limit]])

    async def answer(self, wish: AnswerApproval, by: str, env: Mapping[str, str] | None = None) -> Answered:
        """Answer one question, or all that fit a filter; `env` is that of who answers, where somebody does.

        Raises:
            ApprovalNotFound: there is no such question.
            ApprovalSettled: it needs no answer any more.
            BadAnswer: the answer does not fit; nothing was answered.
        """
        chosen = self._chosen(wish)
        for approval in chosen:
            rules.check(approval, wish)
        answered = [await self._answer(approval, wish, by, env) for approval in chosen]
        return Answered(items=[info(approval) for approval in answered])

    def _chosen(self, wish: AnswerApproval) -> Sequence[Approval]:
        if wish.approval_id is not None:
            found = self._database.read(lambda db: store.get(db, wish.approval_id or ""))
            if found is None:
                raise ApprovalNotFound(f"There is no question {wish.approval_id}.", remedy="approval_list shows them.")
            return [found]
        if wish.session_id is None and wish.tool is None and not wish.everything:
            raise BadAnswer("Which question?", remedy="Give approval_id, or session_id, tool or everything.")
        waiting = self._database.read(
            lambda db: store.find(db, states=(ApprovalState.WAITING,), session_id=wish.session_id)
        )
        # Questions for a person cannot be answered in bulk: each has its own answer.
        return [a for a in waiting if (wish.tool is None or a.tool == wish.tool) and a.kind is not Kind.QUESTION]

    async def _answer(self, chosen: Approval, wish: AnswerApproval, by: str, env: Mapping[str, str] | None) -> Approval:
        def write(db: sqlite3.Connection) -> Approval:
            approval = store.get(db, chosen.id)
            if approval is None or approval.state is not ApprovalState.WAITING:
                state = approval.state.value if approval else "gone"
                raise ApprovalSettled(f"Question {chosen.id} is {state}: it needs no answer any more.")
            approval.line = answer_line(approval, wish).decode()
            approval.state, approval.expires_at = ApprovalState.ANSWERED, None
            approval.decision, approval.by = wish.decision.value, by
            approval.answered_at = stamp(self._clock.now())
            store.put(db, approval)
            fact = ApprovalAnswered(
                approval_id=approval.id,
                decision=wish.decision.value,
                by=by,
                tool=approval.tool,
                changed=wish.input is not None,
                message=(wish.message or "")[:1000],
            )
            log.append(db, [self.book.event(approval.session_id, fact)])
            return approval

        lasting = wish.decision is Decision.ALWAYS and env is not None and self._trust is not None
        before = await self._trust.before(chosen.session_id, env or {}) if lasting and self._trust else None
        approval = await self._deliver(await self._database.write(write))
        if before is not None and self._trust is not None:
            self._trust.after(before, approval)
        return approval

    async def _deliver(self, approval: Approval) -> Approval:
        if self._sessions is None or approval.line is None:
            return approval
        try:
            arrived = await self._sessions.answer(approval.session_id, approval.line.encode())
        except (StdinClosed, StdinStalled) as exc:
            # It stays `answered`: it is delivered when the process is reached again, or expires with it.
            logger.warning("answer %s did not arrive: %s", approval.id, exc)
            return approval
        if not arrived:
            return approval

        def write(db: sqlite3.Connection) -> Approval:
            found = store.get(db, approval.id)
            if found is not None and found.state is ApprovalState.ANSWERED:
                found.state = ApprovalState.DELIVERED
                store.put(db, found)
            return found or approval

        try:
            return await self._database.write(write)
        except StoreUnavailable:
            logger.warning("answer %s is delivered and could not be noted as such", approval.id)
            return approval

    # What waits, for those who wait for a session.

    def open_for(self, session_id: SessionId) -> list[Need]:
        """Return the questions of a session that wait for an answer, oldest first."""
        return self.book.open_for(session_id)

    def body(self, approval_id: str) -> str | None:
        """Return the plan that a question is about."""
        return self.book.body(approval_id)

    async def ask_in_place(self, session_id: SessionId, caller: Caller) -> bool:
        """Ask the person behind `caller` the oldest question; a declined form leaves it waiting."""
        if caller.elicit is None:
            return False
        waiting = self._database.read(lambda db: store.find(db, states=(ApprovalState.WAITING,), session_id=session_id))
        if not waiting:
            return False
        message, schema = rules.form(waiting[0])
        filled = await caller.elicit(message, schema)
        if filled is None:
            return False
        try:
            by = caller.client or caller.surface.value
            await self.answer(rules.from_form(waiting[0], filled), by, caller.env)
        except (ApprovalSettled, BadAnswer) as exc:
            logger.info("an answer in place came to nothing: %s", exc)
        return True

    async def keep_time(self) -> None:
        """Deny what was not answered in time, for as long as the daemon lives."""
        while True:
            self._asked.clear()
            due = self._database.read(store.next_expiry)
            left_s = LOOK_S if due is None else (parse(due) - self._clock.now()).total_seconds()
            if left_s <= 0:
                try:
                    await self._expire()
                except ClaudeCodeMcpError as exc:  # the store refuses, or somebody answered just now
                    logger.warning("a question cannot be denied yet: %s", exc)
                    await asyncio.sleep(AGAIN_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, LOOK_S)):
                    await self._asked.wait()

    def look_again(self) -> None:
        """A commit happened: there may be a new question with a time limit."""
        if self.book.silence.deny_after_s is not None:
            self._asked.set()

    async def _expire(self) -> None:
        now = stamp(self._clock.now())
        waiting = self._database.read(lambda db: store.find(db, states=(ApprovalState.WAITING,)))
        for approval in waiting:
            if approval.expires_at is not None and approval.expires_at <= now:
                wish = AnswerApproval(
                    approval_id=approval.id, decision=Decision.DENY, message="Nobody answered in time."
                )
                await self.answer(wish, POLICY)


def answer_line(approval: Approval, wish: AnswerApproval) -> bytes:
    """Return the answer as Claude Code takes it."""
    if wish.decision is Decision.DENY:
        message = wish.message or "The user denied this."
        return control.deny(approval.request_id, message, stop_turn=wish.interrupt)
    if approval.kind is Kind.QUESTION:
        asked = ToolQuestion(request_id=approval.request_id, tool_name=approval.tool, input=approval.input)
        return control.answer_questions(asked, wish.answers or {})
    updates = rules.lasting(approval.suggestions) if wish.decision is Decision.ALWAYS else None
    # Without another input the tool runs with its own, which we may hold without its secrets only.
    return control.allow(approval.request_id, updated_input=wish.input, updated_permissions=updates)


def info(approval: Approval) -> ApprovalInfo:
    """Return a question as the world sees it."""
    return ApprovalInfo(
        approval_id=approval.id,
        session_id=approval.session_id,
        kind=approval.kind.value,
        tool=approval.tool,
        summary=approval.summary,
        input=approval.input,
        rules=rules.rules_of(rules.lasting(approval.suggestions)),
        state=approval.state.value,
        created_at=approval.created_at,
        expires_at=approval.expires_at,
        decision=approval.decision,
        by=approval.by,
    )
