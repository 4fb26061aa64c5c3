"""Who is at work in a tree: sessions and jobs of ours, and everybody's Claude Code."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from claude_code_mcp.features.checkpoints.errors import TreeInUse
from claude_code_mcp.features.checkpoints.rules.paths import overlap
from claude_code_mcp.features.sessions.models import AbortMode, AbortSession, ListSessions, SessionState
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.platform.claude.live import live_sessions

AT_WORK = (SessionState.STARTING.value, SessionState.RUNNING.value, SessionState.WAITING.value)
RESTS = "idle"


@dataclass(frozen=True, slots=True)
class Occupant:
    """Somebody at work in a tree. `kind`: session, job, or foreign (a Claude Code that is none of ours)."""

    kind: str
    id: str
    folder: str
    what: str

    def text(self) -> str:
        """Return it in words."""
        name = {"session": "session", "job": "job"}.get(self.kind, "another Claude Code's session")
        return f"{name} {self.id} in {self.folder} ({self.what})"


class JobAtWork(Protocol):
    """A job that runs."""

    @property
    def job_id(self) -> str:
        """Its id."""
        ...

    @property
    def folder(self) -> str:
        """Where it runs."""
        ...

    @property
    def what(self) -> str:
        """What it does."""
        ...


class WorkingJobs(Protocol):
    """The jobs that run."""

    def working(self) -> Sequence[JobAtWork]:
        """Return every job that has a process."""
        ...

    async def stop(self, job_id: str, by: str) -> None:
        """End one with its whole tree, and return when it is gone."""
        ...


class Occupants:
    """Finds who is at work in a tree, and ends what is ours."""

    def __init__(self, sessions: Sessions, jobs: WorkingJobs, homes: Callable[[], Iterable[Path]]) -> None:
        self._sessions = sessions
        self._jobs = jobs
        self._homes = homes

    async def within(self, root: Path, caller: Caller) -> list[Occupant]:
        """Return who is at work in the tree, below it, or in a folder that holds it; the caller itself aside."""
        wish = ListSessions(scope="ours", state=list(AT_WORK), limit=500)
        own = self._sessions.own_id(caller.session) if caller.session else None
        found = [
            Occupant("session", one.session_id, one.project_path, one.status)
            for one in (await self._sessions.list(wish, caller)).items
            if one.session_id != own
        ]
        found += [Occupant("job", one.job_id, one.folder, one.what) for one in self._jobs.working()]
        found += await self._foreign(caller)
        return [one for one in found if overlap(one.folder, str(root))]

    async def stop(self, occupants: Sequence[Occupant], caller: Caller) -> list[Occupant]:
        """End those that are ours, and return them; others are left alone."""
        ours = [one for one in occupants if one.kind != "foreign"]
        for one in ours:
            if one.kind == "session":
                wish = AbortSession(session_id=one.id, mode=AbortMode.STOP, reason="its tree is restored")
                await self._sessions.abort(wish)
            else:
                await self._jobs.stop(one.id, by=caller.client)
        return ours

    async def _foreign(self, caller: Caller) -> list[Occupant]:
        homes = list(self._homes())
        entries = await asyncio.to_thread(lambda: [entry for home in homes for entry in live_sessions(home)])
        ours = {process.pid for process in self._sessions.processes()}
        return [
            Occupant("foreign", entry.session_id, entry.cwd, entry.status or "running")
            for entry in entries
            if entry.pid not in ours
            and entry.status != RESTS
            and entry.session_id != caller.session
            and self._sessions.own_id(entry.session_id) is None
        ]


def refuse(root: Path, occupants: Sequence[Occupant]) -> TreeInUse:
    """Return the error that says who is at work in a tree."""
    return TreeInUse(
        f"{len(occupants)} at work in {root}: {'; '.join(one.text() for one in occupants[:5])}.",
        remedy="Nothing was changed. Wait for their end, or ask again with force: ours are stopped first then.",
        project_path=str(root),
        occupants=[{"kind": one.kind, "id": one.id, "folder": one.folder} for one in occupants],
    )
