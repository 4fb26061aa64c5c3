"""What the world may ask about questions."""

from typing import Protocol

from claude_code_mcp.features.approvals.errors import ApprovalNotFound, ApprovalSettled, BadAnswer
from claude_code_mcp.features.approvals.models import AnswerApproval, Answered, ApprovalList, ListApprovals
from claude_code_mcp.features.approvals.service import Approvals
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, operation


class Context(Protocol):
    """What these operations need."""

    @property
    def approvals(self) -> Approvals:
        """Approvals."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "approvals.list",
    tool="approval_list",
    effect=Effect.READ,
    hints=Hints(core=True, search="permission question waiting"),
)
async def list_(ctx: Context, wish: ListApprovals) -> ApprovalList:
    """List the permission questions that wait: tool, input, suggested rule."""
    return ctx.approvals.find(wish)


@operation(
    "approvals.answer",
    tool="approval_answer",
    effect=Effect.WRITE,
    raises=(ApprovalNotFound, ApprovalSettled, BadAnswer),
    hints=Hints(
        core=True,
        shown=("approval_id", "decision", "message", "answers"),
        positional=("approval_id", "decision"),
        search="permission allow deny",
        examples=(
            "claude-code-mcp approvals answer 0197… allow",
            "claude-code-mcp approvals answer 0197… deny --message 'Use the staging database.'",
            "claude-code-mcp approvals answer --session-id 0197… --decision allow",
        ),
    ),
)
async def answer(ctx: Context, wish: AnswerApproval) -> Answered:
    """Answer a permission question: allow, deny or always; or all that fit a filter."""
    return await ctx.approvals.answer(wish, ctx.caller.client or ctx.caller.surface.value, ctx.caller.env)


OPERATIONS = (list_, answer)
