"""A question, its answer, and what may be asked about them."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from pydantic import Field, JsonValue

from claude_code_mcp.kernel.ids import ApprovalId, RunId, SessionId
from claude_code_mcp.kernel.operation import Reply, Request


class ApprovalState(StrEnum):
    """Where a question stands: `answered` was decided here, `delivered` has reached Claude Code as well."""

    WAITING = "waiting"
    ANSWERED = "answered"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Kind(StrEnum):
    """What is asked: leave to use a tool, an answer of the user, or consent to a plan."""

    PERMISSION = "permission"
    QUESTION = "question"
    PLAN = "plan"


class Decision(StrEnum):
    """The answer. `always` allows this and, by Claude Code's own suggested rule, what is like it from now on."""

    ALLOW = "allow"
    DENY = "deny"
    ALWAYS = "always"


class Approval(msgspec.Struct, kw_only=True):
    """One question. `request_id` is Claude Code's, `id` ours; `line` is the answer as it goes to the process."""

    id: ApprovalId
    session_id: SessionId
    run_id: RunId
    request_id: str
    kind: Kind
    tool: str
    summary: str
    state: ApprovalState
    created_at: str
    input: dict[str, Any] = msgspec.field(default_factory=dict)
    suggestions: list[Any] = msgspec.field(default_factory=list)
    tool_use_id: str | None = None
    agent_id: str | None = None
    expires_at: str | None = None
    answered_at: str | None = None
    decision: str | None = None
    by: str | None = None
    line: str | None = None


class ListApprovals(Request):
    """Find questions."""

    session_id: str | None = Field(default=None, max_length=64)
    """Only of this session."""
    all: bool = False
    """Answered, withdrawn and expired ones too."""
    limit: int = Field(default=50, ge=1, le=500)
    """Most questions in the reply."""


class AnswerApproval(Request):
    """Answer one question, or all that fit a filter."""

    approval_id: str | None = Field(default=None, max_length=64)
    """The question; without it, the filter below."""
    decision: Decision
    """allow, deny, or always (allow, with the suggested rule)."""
    message: str | None = Field(default=None, max_length=10_000)
    """With deny: what Claude Code is told."""
    input: dict[str, JsonValue] | None = None
    """With allow: run the tool with this input instead."""
    answers: dict[str, Annotated[str, Field(max_length=10_000)]] | None = None
    """For a question of AskUserQuestion: question text to answer."""
    interrupt: bool = False
    """With deny: end the turn as well."""
    session_id: str | None = Field(default=None, max_length=64)
    """Filter: all waiting questions of this session."""
    tool: str | None = Field(default=None, max_length=200)
    """Filter: all waiting questions about this tool."""
    everything: bool = False
    """Filter: all waiting questions."""


class ApprovalInfo(Reply):
    """One question."""

    approval_id: str
    """Id for approval_answer."""
    session_id: str
    """Who asks."""
    kind: str
    """permission, question or plan."""
    tool: str
    """The tool it is about."""
    summary: str
    """The call in one line."""
    input: dict[str, Any]
    """The tool's whole input."""
    rules: list[str] = Field(default_factory=list)
    """What `always` would allow from now on."""
    state: str
    """waiting, answered, delivered, withdrawn or expired."""
    created_at: str
    """When it was asked, UTC."""
    expires_at: str | None = None
    """When it is denied by itself, UTC."""
    decision: str | None = None
    """The answer."""
    by: str | None = None
    """Who answered."""

    def text(self) -> str:
        """Return the question, its input and how to answer it."""
        head = f"{self.approval_id} {self.state} {self.kind} {self.tool}: {self.summary}\n  session {self.session_id}"
        if self.state != "waiting":
            return f"{head}\n  {self.decision or ''} {self.by or ''}".rstrip()
        rules = f"\n  always means: {'; '.join(self.rules)}" if self.rules else ""
        return f"{head}\n  input: {self.input}{rules}"


class ApprovalList(Reply):
    """Questions, oldest first."""

    items: list[ApprovalInfo]
    """The questions."""

    def text(self) -> str:
        """Return one block each."""
        if not self.items:
            return "Nothing waits for an answer."
        how = 'Answer with approval_answer(approval_id, decision="allow"|"deny"|"always").'
        return "\n".join([item.text() for item in self.items] + [how])


class Answered(Reply):
    """What was answered."""

    items: list[ApprovalInfo]
    """The questions, as they are now."""

    def text(self) -> str:
        """Return one line each."""
        if not self.items:
            return "No waiting question fits; nothing was answered."
        return "\n".join(f"{item.approval_id} {item.tool}: {item.decision}" for item in self.items)
