"""Facts about questions beyond those that Claude Code tells itself (`approval.asked`, `approval.withdrawn`)."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class ApprovalOpened(Fact, frozen=True, kw_only=True):
    """A question was kept. Subject: our id for it."""

    kind: ClassVar[str] = "approval.opened"

    approval_id: str
    request_id: str
    tool: str
    question: str
    expires_at: str = ""


class ApprovalAnswered(Fact, frozen=True, kw_only=True):
    """A question was decided. `by` is who decided: a client, or `policy`. `changed`: the input was changed."""

    kind: ClassVar[str] = "approval.answered"

    approval_id: str
    decision: str
    by: str
    tool: str
    changed: bool = False
    message: str = ""


class ApprovalClosed(Fact, frozen=True, kw_only=True):
    """A question needs no answer any more: `withdrawn` by Claude Code, or `expired` with its process."""

    kind: ClassVar[str] = "approval.closed"

    approval_id: str
    how: str
