"""An activity of a test's own: a real store, a clock that stands where it is put, and transcripts as data."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from claude_code_mcp.app import migrations
from claude_code_mcp.features.activity.models import SessionActivity
from claude_code_mcp.features.activity.service import Activity
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.events import Event, Fact, Recorded, Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.claude.facts import (
    ProcessGone,
    PromptTaken,
    SessionClosed,
    SessionOpened,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnStopped,
)
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


class StandingClock:
    """Tells the hour that it was set to."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return it."""
        return self.moment


@dataclass(slots=True)
class Transcripts:
    """What is captured (a `Captured`): here it is simply said. `read` counts how often a history was."""

    rows: list[SessionActivity] = field(default_factory=list)
    working: set[SessionId] = field(default_factory=set)
    events: dict[SessionId, list[Recorded]] = field(default_factory=dict)
    read: int = 0
    looks: int = 0

    def past(self, limit: int) -> Sequence[SessionActivity]:
        """Return the rows."""
        return self.rows[:limit]

    def looked(self) -> None:
        """Count who looks."""
        self.looks += 1

    def live(self) -> Collection[SessionId]:
        """Return who works."""
        return self.working

    async def history(self, session_id: SessionId) -> AsyncIterator[Sequence[Recorded]]:
        """Yield all events of a session at once."""
        self.read += 1
        if session_id in self.events:
            yield self.events[session_id]


class Story:
    """Writes a session as its transcript and hooks would tell it, one second for each word."""

    def __init__(self, session_id: str, cwd: str = "/code/app", began: datetime = NOON - timedelta(hours=1)) -> None:
        self.id = SessionId(session_id)
        self.events: list[Event] = []
        self._cwd = cwd
        self._at = began

    def _say(self, fact: Fact, tool_use_id: str | None = None, subject: str = "") -> "Story":
        self._at += timedelta(seconds=1)
        event = Event(
            fact=fact,
            at=self._at,
            session_id=self.id,
            subject=subject or tool_use_id or self.id,
            tool_use_id=tool_use_id,
            source=Source.TRANSCRIPT,
            source_key=f"{self.id}/{len(self.events)}",
        )
        self.events.append(event)
        return self

    def opened(self, pid: int = 4711) -> "Story":
        """A process began to work on it."""
        return self._say(SessionOpened(how="startup", cwd=self._cwd, model="claude-opus-5-5", pid=pid))

    def asked(self, text: str, number: int = 1) -> "Story":
        """A person asked for something."""
        prompt = PromptTaken(prompt_id=f"prompt-{number}", message_uuid=f"message-{number}", text=text)
        return self._say(prompt, subject=f"prompt-{number}")

    def called(self, call: str, name: str = "Read", **given: object) -> "Story":
        """The model called a tool."""
        return self._say(ToolStarted(name=name, summary=f"{name} it", input=given or {"file_path": "/a"}), call)

    def finished(self, call: str, output: str = "done", name: str = "Read", cut: int = 0) -> "Story":
        """A tool gave a result."""
        return self._say(ToolFinished(name=name, output=output, output_bytes=cut, duration_ms=1000), call)

    def failed(self, call: str, output: str = "No such file", name: str = "Read") -> "Story":
        """A tool failed."""
        return self._say(ToolFailed(name=name, output=output, duration_ms=1000), call)

    def stopped(self, number: int = 1) -> "Story":
        """The turn came to its end."""
        return self._say(TurnStopped(prompt_id=f"prompt-{number}"), subject=f"prompt-{number}")

    def closed(self) -> "Story":
        """The process ended in good order."""
        return self._say(SessionClosed(reason="other"))

    def gone(self, pid: int = 4711) -> "Story":
        """The process is not there any more."""
        return self._say(ProcessGone(pid=pid))

    def recorded(self) -> list[Recorded]:
        """Return the events as a transcript's history gives them."""
        return [
            Recorded(
                seq=number,
                id=event.id,
                at=event.at.isoformat(),
                kind=event.fact.kind,
                version=event.fact.version,
                session_id=event.session_id,
                subject=event.subject,
                parent=event.parent,
                tool_use_id=event.tool_use_id,
                agent_id=event.agent_id,
                source=event.source.value,
                source_key=event.source_key,
                payload=_payload(event.fact),
            )
            for number, event in enumerate(self.events, start=1)
        ]


def _payload(fact: Fact) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(fact)
    return built


@dataclass(slots=True)
class Place:
    """One activity with all that it stands on."""

    activity: Activity
    database: Database
    captured: Transcripts
    clock: StandingClock

    async def tell(self, *stories: Story, after: int = 0, until: int | None = None) -> None:
        """Append what stories tell, from a place in each up to another; events that are known add nothing."""
        events = [event for story in stories for event in story.events[after:until]]
        await self.database.write(lambda db: log.append(db, events))


CALLER = Caller(cwd="/code/app", surface=Surface.CLI)


@contextlib.asynccontextmanager
async def place(
    directory: Path, captured: Transcripts | None = None, archive_after: timedelta = DAY
) -> AsyncGenerator[Place]:
    """Open an activity on the store in `directory`."""
    directory.mkdir(exist_ok=True)
    database = await Database.open(directory / "state.db", migrations())
    try:
        captured = captured or Transcripts()
        clock = StandingClock()
        yield Place(Activity(database, clock, captured, archive_after), database, captured, clock)
    finally:
        await database.close()
