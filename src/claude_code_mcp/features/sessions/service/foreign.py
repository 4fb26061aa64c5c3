"""Sessions that others run or ran on this machine: read from Claude Code's own files, never changed."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

from claude_code_mcp.features.sessions.errors import SessionBusyElsewhere, SessionNotFound
from claude_code_mcp.features.sessions.models import SessionInfo, SessionState
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.live import LiveEntry
from claude_code_mcp.platform.claude.transcripts import PastSession, peek

LOOKED_AT = 500
"""Transcripts that a listing looks into, the last used first; each costs a look at its two ends."""
STATUS: Mapping[str, SessionState] = {
    "busy": SessionState.RUNNING,
    "waiting": SessionState.WAITING,
    "idle": SessionState.IDLE,
}


class Foreign:
    """What Claude Code itself knows about sessions, in the home of whoever asks."""

    def past(self, session_id: str, caller: Caller) -> PastSession | None:
        """Return what the transcript of a session says, or None where it has none."""
        path = ClaudeHome.of(caller.env).find_transcript(session_id)
        return peek(path) if path is not None else None

    def newest(self, project: Path, caller: Caller) -> str | None:
        """Return the id of the session that was last used in a folder, as `claude --continue` would."""
        found = ClaudeHome.of(caller.env).newest_session(project)
        return found.session_id if found is not None else None

    async def show(self, session_id: str, caller: Caller) -> SessionInfo:
        """Return what is known about a session of somebody else's.

        Raises:
            SessionNotFound: nobody knows it.
        """
        home = ClaudeHome.of(caller.env)
        for entry in await asyncio.to_thread(home.live_sessions):
            if entry.session_id == session_id:
                return _live(entry)
        past = await asyncio.to_thread(self.past, session_id, caller)
        if past is None:
            raise SessionNotFound(f"There is no session {session_id}.", remedy="session_list shows the known ones.")
        return _past(past)

    async def list(self, scope: str, known: Collection[str], caller: Caller) -> list[SessionInfo]:
        """Return the sessions of others: the live ones, and with `scope` all those with a transcript too."""
        home = ClaudeHome.of(caller.env)
        live = await asyncio.to_thread(home.live_sessions)
        found = {entry.session_id: _live(entry) for entry in live if entry.session_id not in known}
        if scope == "all":
            past = await asyncio.to_thread(home.past_sessions, None, limit=LOOKED_AT)
            for session in past:
                if session.session_id not in known:
                    found.setdefault(session.session_id, _past(session))
        return list(found.values())


def refuse_when_busy(conversation_id: str, env: Mapping[str, str]) -> None:
    """Return when no process runs this conversation.

    Two processes on one conversation do not notice each other, and the turns of one are lost (measured).

    Raises:
        SessionBusyElsewhere: one does.
    """
    for entry in ClaudeHome.of(env).live_sessions():
        if entry.session_id == conversation_id:
            raise SessionBusyElsewhere(
                f"Session {conversation_id} is open in another Claude Code (pid {entry.pid}).",
                remedy="Close it there first, or fork the session.",
                pid=entry.pid,
            )


def _live(entry: LiveEntry) -> SessionInfo:
    return SessionInfo(
        session_id=entry.session_id,
        project_path=entry.cwd,
        status=STATUS.get(entry.status, SessionState.RUNNING).value,
        ours=False,
        live=True,
        pid=entry.pid,
        title=entry.name or None,
        created_at=stamp(entry.started_at),
        updated_at=stamp(entry.started_at),
        last=f"waits for: {entry.waiting_for}" if entry.waiting_for else None,
    )


def _past(session: PastSession) -> SessionInfo:
    return SessionInfo(
        session_id=session.session_id,
        project_path=session.cwd,
        status=SessionState.IDLE.value,
        ours=False,
        title=session.title or None,
        prompt=session.first_prompt or None,
        cost_microusd=session.total_cost_microusd or 0,
        created_at=stamp(session.started_at) if session.started_at else None,
        updated_at=stamp(session.last_active_at),
    )
