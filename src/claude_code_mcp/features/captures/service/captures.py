"""All that is taken in from outside, in one place: what runs, what is read on, and what is known of the past."""

import asyncio
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from claude_code_mcp.features.captures import store
from claude_code_mcp.features.captures.models import PastTranscript
from claude_code_mcp.features.captures.models.sources import Sources
from claude_code_mcp.features.captures.service.homes import Homes
from claude_code_mcp.features.captures.service.measuring import Measuring
from claude_code_mcp.features.captures.service.recorder import Recorder
from claude_code_mcp.features.captures.service.registry import POLL_S, Registry
from claude_code_mcp.features.captures.service.tailing import Policy, Tailer
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.events import Event, Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.live import LiveEntry
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.claude.transcript.history import events_of
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.files.tree_watch import TreeWatch
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.tasks import Tasks

REGISTRY = "sessions"
"""The directory in a home where Claude Code says who lives."""
OWN_REST_S = 0.25
"""How long nothing is looked at after what changed was but the transcripts of sessions whose output we follow."""
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(dict).decode


class Captures:
    """What Claude Codes that we did not start tell of themselves."""

    def __init__(
        self, recorder: Recorder, database: Database, sessions: Sessions, settings: Settings, env: Mapping[str, str]
    ) -> None:
        self._database = database
        self._scrubber = Scrubber(env)
        self.recorder = recorder
        self.homes = Homes(database, settings.claude_config_dirs)
        self._watch = settings.activity_watch
        self.registry = Registry(self.recorder, database, self.homes, sessions, watch=settings.activity_watch == "auto")
        policy = Policy(
            keep_s=settings.activity_keep_h * 3600,
            live=self.registry.is_live,
            owner=self.registry.owner,
            in_other_hands=self.registry.in_other_hands,
            serves=sessions.serves,
            scrubber=self._scrubber,
            watch=settings.activity_watch == "auto",
        )
        self.transcripts = Tailer(self.recorder, database, self.homes, policy)
        self.measuring = Measuring(self.recorder, self.registry, self.registry.owner)
        self._changes = TreeWatch(lambda: [home / name for home in self.homes.all() for name in ("projects", REGISTRY)])
        self.homes.on_new(self._changes.look_again)
        if self._watch != "off":
            self.homes.add_of(env)

    def start(self, tasks: Tasks) -> None:
        """Begin to look; does nothing where that was switched off."""
        if self._watch == "off":
            return
        tasks.start("homes", self.homes.keep())
        tasks.start("registry", self.registry.run())
        tasks.start("transcripts", self.transcripts.read())
        tasks.start("transcripts look", self.transcripts.look())
        if self._watch == "auto":
            tasks.start("watch", self._follow())
        tasks.start("measuring", self.measuring.run())

    async def _follow(self) -> None:
        """Hand on what is told to have changed, for ever."""
        async for paths in self._changes.changes(POLL_S):
            if not paths:
                self.registry.look_again()
                self.transcripts.look_around()
            entries = {path for path in paths if path.parent.name == REGISTRY}
            if entries:
                self.registry.look_again()
                # A session of ours may be at rest now, or its process gone.
                self.transcripts.take_up_own()
            if not await self.transcripts.changed(paths - entries) and paths and not entries:
                await asyncio.sleep(OWN_REST_S)

    def saw(self, env: Mapping[str, str]) -> None:
        """Look from now on where a Claude Code of whoever called would keep its files."""
        if self._watch != "off":
            self.homes.add_of(env)

    def live(self) -> list[LiveEntry]:
        """Return the sessions that run now, everybody's, as their registries say."""
        return self.registry.live()

    def sources(self) -> Sources:
        """Return where is looked, and how far that is."""
        known, followed = self._database.read(store.counts)
        return Sources(
            watch=self._watch,
            config_dirs=[str(home) for home in self.homes.all()],
            live=len(self.live()),
            transcripts=known,
            followed=followed,
            waiting=self.transcripts.waiting,
            queued=self.recorder.queued,
        )

    @contextmanager
    def watched(self) -> Generator[None]:
        """Have what processes use measured and told, as long as this is held."""
        with self.measuring.watched():
            yield

    def past(self, limit: int, after: str | None = None) -> list[PastTranscript]:
        """Return sessions by their transcripts, the last active first; `after`: the path of the last one of the page
        before."""

        def read(db: sqlite3.Connection) -> list[PastTranscript]:
            row = store.transcript(db, after) if after else None
            return store.past(db, limit, (row.tally.last_active_at, row.path) if row else None)

        return self._database.read(read)

    def history(self, session_id: str) -> Iterator[Recorded] | None:
        """Return what the files of a session tell, in the order of time, read as it is asked for; None where it has no
        transcript. Nothing of it is kept. Blocks: to be used on a thread of its own.

        `seq` counts from 1 and is no place in the log.
        """
        path = self._database.read(lambda db: store.main_path(db, session_id))
        if path is None:
            return None
        owner = self.registry.owner(session_id)
        return _recorded(events_of(Path(path), known_as=owner or "", scrubber=self._scrubber))


def _recorded(events: Iterator[Event]) -> Iterator[Recorded]:
    for seq, event in enumerate(events, 1):
        yield Recorded(
            seq=seq,
            id=event.id,
            at=stamp(event.at),
            kind=event.fact.kind,
            version=event.fact.version,
            session_id=SessionId(event.session_id) if event.session_id else None,
            subject=event.subject,
            parent=event.parent,
            tool_use_id=event.tool_use_id,
            agent_id=event.agent_id,
            source=event.source.value,
            source_key=event.source_key,
            payload=_DECODE(_ENCODE(event.fact)),
        )
