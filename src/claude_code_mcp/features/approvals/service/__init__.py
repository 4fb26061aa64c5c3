"""Questions kept, answered and delivered."""

from claude_code_mcp.features.approvals.service.approvals import Approvals
from claude_code_mcp.features.approvals.service.book import QuestionBook, Silence
from claude_code_mcp.features.approvals.service.trust_keeping import TrustKeeper

__all__ = ["Approvals", "QuestionBook", "Silence", "TrustKeeper"]
