"""Which sessions there are, and which one is meant."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from claude_code_mcp.features.activity.errors import ActivityNotFound, SessionAmbiguous
from claude_code_mcp.features.activity.models import Scope, SessionActivity
from claude_code_mcp.features.activity.service.captured import Captured
from claude_code_mcp.features.activity.service.reader import LogReader
from claude_code_mcp.features.activity.service.shelf import Shelf
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.ids import SessionId, is_uuid

RECENT = timedelta(hours=24)
LOOKED_AT = 5000
"""Transcripts of the past that are looked through, the last active first."""
NAMED = 5
"""Candidates that an error names."""


class Overview:
    """All sessions: those of the log, and those that are only known by their transcripts."""

    def __init__(self, shelf: Shelf, reader: LogReader, captured: Captured, clock: Clock) -> None:
        self._shelf = shelf
        self._reader = reader
        self._captured = captured
        self._clock = clock

    async def sessions(self, scope: Scope, project: str | None, limit: int) -> list[SessionActivity]:
        """Return the sessions that fit: live ones first, then the last active."""
        found = [await self._shelf.summary(session_id) for session_id in self._recent()]
        if scope is Scope.LIVE:
            found = [one for one in found if one.live]
        if scope is Scope.ALL:
            found += await self._older({one.id for one in found}, project, limit)
        wanted = _folder(project) if project is not None else None
        fitting = [one for one in found if wanted is None or one.project_path == wanted]
        fitting.sort(key=lambda one: one.last_event_at or one.start_time or "", reverse=True)
        return sorted(fitting, key=lambda one: not one.live)[:limit]

    async def find(self, ref: str | None, cwd: str) -> SessionId:
        """Return the session that `ref` names or begins; without it, the one that is obvious in `cwd`.

        Raises:
            ActivityNotFound: there is none.
            SessionAmbiguous: there are several.
        """
        if ref is None:
            return await self._obvious(cwd)
        wanted = ref.lower()
        if is_uuid(wanted):
            return SessionId(wanted)
        found = {one for one in self._reader.known if one.startswith(wanted)}
        if not found:
            found = {SessionId(one.id) for one in self._captured.past(LOOKED_AT) if one.id.startswith(wanted)}
        if not found:
            raise ActivityNotFound(f"No session begins with {ref}.", remedy=_SHOWN)
        if len(found) > 1:
            raise SessionAmbiguous(f"{ref} is the beginning of {_named(sorted(found))}.", remedy="Give more of the id.")
        return found.pop()

    async def _obvious(self, cwd: str) -> SessionId:
        live = await self.sessions(Scope.LIVE, None, 1000)
        here = [one for one in live if one.project_path == _folder(cwd)]
        if here or len(live) == 1:
            return SessionId((here or live)[0].id)
        if live:
            names = [f"{one.id} ({one.project_path})" for one in live]
            raise SessionAmbiguous(
                f"No live session works in {cwd or 'this directory'}, and elsewhere {len(live)} do: {_named(names)}.",
                remedy="Name one by session_id.",
            )
        recent = await self.sessions(Scope.RECENT, cwd, 1) if cwd else []
        if recent:
            return SessionId(recent[0].id)
        raise ActivityNotFound("No session is live, and none was lately in this directory.", remedy=_SHOWN)

    def _recent(self) -> list[SessionId]:
        """Return the sessions of the log with a sign of life within the last day, and those that have a process."""
        since = stamp(self._clock.now() - RECENT)
        live = self._captured.live()
        return [one for one, known in self._reader.known.items() if known.at >= since or one in live]

    async def _older(self, but: set[str], project: str | None, limit: int) -> list[SessionActivity]:
        """Return what is not recent: from the index what is in it, else unfolded from the log, the newest first."""
        wanted = _folder(project) if project is not None else None
        # Without a filter no more are needed than are shown.
        looked_at = LOOKED_AT if wanted is not None else min(LOOKED_AT, limit + len(but))
        past = [one for one in self._captured.past(looked_at) if one.id not in but]
        found = [one for one in past if wanted is None or one.project_path == wanted]
        indexed = {one.id for one in past}
        left = [(known.at, one) for one, known in self._reader.known.items() if one not in but and one not in indexed]
        for _, session_id in sorted(left, reverse=True)[:limit]:
            found.append(await self._shelf.summary(session_id))
        return found


_SHOWN = 'activity_sessions(scope="all") shows the known ones.'


def _folder(path: str) -> str:
    """Return a directory as Claude Code names it: absolute, links resolved."""
    return str(Path(path).resolve()) if path else ""


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
