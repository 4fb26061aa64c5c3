"""Follows Claude Code's own registry of live sessions: who opened, what it waits for, and who is gone."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from claude_code_mcp.features.captures import store
from claude_code_mcp.features.captures.models import ProcessRow
from claude_code_mcp.features.captures.service.homes import Homes
from claude_code_mcp.features.captures.service.recorder import Recorder
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.facts import PersonNeeded, ProcessGone, SessionOpened, SessionStateChanged
from claude_code_mcp.platform.claude.live import LiveEntry, registered_sessions
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.files.offload import off_loop
from claude_code_mcp.platform.procs.exits import Exits
from claude_code_mcp.platform.procs.identity import Identity, identity_of

LOOK_S = 60.0
"""How often the registry is looked at although nothing was told."""
POLL_S = 2.0
"""How often where the system cannot tell."""
STATES: Mapping[str, str] = {"busy": "running", "waiting": "requires_action", "idle": "idle"}
logger = logging.getLogger(__name__)


class Ours(Protocol):
    """What the sessions feature says of our own sessions."""

    def own_id(self, conversation_id: str, /) -> SessionId | None:
        """Return the session of ours that a conversation is, if it is one."""
        ...

    def serves(self, session_id: SessionId, /) -> bool:
        """Tell whether it has a process of ours, or is about to."""
        ...


class Registry:
    """Who runs now, from the registries of all known homes; told to the log as it changes."""

    def __init__(self, recorder: Recorder, database: Database, homes: Homes, ours: Ours, *, watch: bool) -> None:
        self._recorder = recorder
        self._database = database
        self._homes = homes
        self._ours = ours
        self._watching = watch
        self._rows = {row.key: row for row in database.read(store.processes)}
        self._live: dict[str, LiveEntry] = {}
        self._owned: dict[int, SessionId] = {}
        self._owners: dict[str, SessionId | None] = {}
        database.on_commit(self._owners.clear)
        self._exits = Exits()
        self._look = asyncio.Event()
        homes.on_new(self.look_again)

    def live(self) -> list[LiveEntry]:
        """Return the sessions that run now, everybody's."""
        return list(self._live.values())

    def is_live(self, session_id: str) -> bool:
        """Tell whether a process works on a session now."""
        return any(entry.session_id == session_id for entry in self._live.values())

    def in_other_hands(self, session_id: str) -> bool:
        """Tell whether somebody works on a session now with a process that is none of ours."""
        return any(entry.session_id == session_id and entry.pid not in self._owned for entry in self._live.values())

    def owner(self, session_id: str) -> SessionId | None:
        """Return the session of ours that a conversation is, if it is one.

        After `/clear` a process of ours works on a conversation that nobody has told us of yet: it is ours as well.
        """
        # Asked for each hook, and what is so changes with a commit only, or with a look at the registries.
        if session_id in self._owners:
            return self._owners[session_id]
        found = self._owners[session_id] = self._owner(session_id)
        return found

    def _owner(self, session_id: str) -> SessionId | None:
        known = self._ours.own_id(session_id)
        if known is not None:
            return known
        pids = [entry.pid for entry in self._live.values() if entry.session_id == session_id]
        return next((self._owned[pid] for pid in pids if pid in self._owned), None)

    def look_again(self) -> None:
        """Look at all registries again soon."""
        self._look.set()

    async def run(self) -> None:
        """Tell what changes, for ever."""
        try:
            while True:
                self._look.clear()
                try:
                    await self.look()
                except StoreUnavailable as exc:
                    logger.warning("the registry waits for the disk: %s", exc)
                    await asyncio.sleep(POLL_S)
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S if self._watching else POLL_S):
                        await self._look.wait()
        finally:
            self._exits.close()

    async def look(self) -> None:
        """Compare the registries with what was told, and tell the difference."""
        now: dict[str, tuple[Path, LiveEntry]] = {}
        for home in self._homes.all():
            for entry in await off_loop(registered_sessions, home):
                if entry.alive:
                    now[_key(entry)] = (home, entry)
        events: list[Event] = []
        rows: dict[str, ProcessRow] = {}
        for key, (home, entry) in now.items():
            if self._is_ours(entry):
                # Its own output says all of this, and says it better.
                continue
            rows[key] = ProcessRow(
                key=key, config_dir=str(home), pid=entry.pid, session_id=entry.session_id, status=_status(entry)
            )
            events += self._changes(key, entry)
        gone = [row for key, row in self._rows.items() if key not in now]
        for row in gone:
            events += self._departure(row, still_there={entry.pid for _, entry in now.values()})
        self._live = {key: entry for key, (_, entry) in now.items()}
        if events or gone or rows != self._rows:
            await self._keep(events, rows, gone)
        self._rows = rows
        pids = {entry.pid for entry in self._live.values()}
        self._owned = {pid: owner for pid, owner in self._owned.items() if pid in pids}
        self._owners.clear()
        for entry in self._live.values():
            await self._follow(entry)

    def _is_ours(self, entry: LiveEntry) -> bool:
        owner = self._ours.own_id(entry.session_id)
        if owner is not None and self._ours.serves(owner):
            self._owned[entry.pid] = owner
        return entry.pid in self._owned

    def _changes(self, key: str, entry: LiveEntry) -> list[Event]:
        before = self._rows.get(key)
        facts: list[tuple[str, Fact]] = []
        if before is None:
            opened = SessionOpened(cwd=entry.cwd, cli_version=entry.version, entrypoint=entry.entrypoint, pid=entry.pid)
            facts.append(("opened", opened))
        if (before is None or before.status != _status(entry)) and entry.status in STATES:
            since = stamp(entry.status_at) if entry.status_at else _status(entry)
            facts.append((f"state:{since}", SessionStateChanged(state=STATES[entry.status])))
            if entry.status == "waiting":
                what = entry.waiting_for.replace(" ", "_")
                facts.append((f"needed:{since}", PersonNeeded(what=what, text=entry.waiting_for)))
        return [self._event(key, name, entry, fact) for name, fact in facts]

    def _event(self, key: str, name: str, entry: LiveEntry, fact: Fact) -> Event:
        since = entry.started_at if name == "opened" else entry.status_at or self._recorder.clock.now()
        return Event(
            fact=fact,
            at=since,
            session_id=self._known_as(entry.session_id),
            subject=self._known_as(entry.session_id),
            source_key=f"r:{key}:{name}",
        )

    def _departure(self, row: ProcessRow, still_there: set[int]) -> list[Event]:
        # A process that goes on with another session (`/clear`) has not gone.
        if row.pid in still_there:
            return []
        return [
            Event(
                fact=ProcessGone(pid=row.pid),
                at=self._recorder.clock.now(),
                session_id=self._known_as(row.session_id),
                subject=self._known_as(row.session_id),
                source_key=f"r:{row.key}:gone",
            )
        ]

    def _known_as(self, session_id: SessionId) -> SessionId:
        return self._ours.own_id(session_id) or session_id

    async def _keep(self, events: list[Event], rows: Mapping[str, ProcessRow], gone: list[ProcessRow]) -> None:
        changed = [row for key, row in rows.items() if self._rows.get(key) != row]

        def write(db: sqlite3.Connection) -> None:
            for row in gone:
                store.drop_process(db, row.key)
            for row in changed:
                store.put_process(db, row)

        await self._recorder.record(events, write)

    async def _follow(self, entry: LiveEntry) -> None:
        """Have the end of a process told at once; a crash changes no file."""
        who: Identity | None = identity_of(entry.pid)
        if who is None:
            self._look.set()
        else:
            self._exits.follow(who, self._look.set)


def _key(entry: LiveEntry) -> str:
    return f"{entry.session_id}:{entry.pid}:{int(entry.started_at.timestamp() * 1000)}"


def _status(entry: LiveEntry) -> str:
    return f"{entry.status}:{entry.waiting_for}" if entry.waiting_for else entry.status
