"""Sessions that others run or ran on this machine."""

from collections.abc import Set as AbstractSet

from claude_code_mcp.features.sessions.errors import SessionNotFound
from claude_code_mcp.features.sessions.models import SessionInfo
from claude_code_mcp.kernel.caller import Caller


class Foreign:
    async def show(self, session_id: str) -> SessionInfo:
        raise SessionNotFound(f"There is no session {session_id}.", remedy="session_list shows the known ones.")

    async def list(self, scope: str, known: AbstractSet[str], caller: Caller) -> list[SessionInfo]:
        return []

    def newest(self, project, caller):
        return None

    def refuse_when_busy(self, conversation_id, caller):
        return None

    def past(self, session_id, caller):
        return None
