"""What can go wrong with an answer."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound


class ApprovalNotFound(NotFound):
    """There is no question of this id."""

    code = "approval_not_found"


class ApprovalSettled(Conflict):
    """It was answered, withdrawn or has expired before."""

    code = "approval_settled"


class BadAnswer(Invalid):
    """The answer does not fit the question."""

    code = "bad_answer"
