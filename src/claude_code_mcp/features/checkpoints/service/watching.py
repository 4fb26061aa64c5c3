"""Reading the event log for the moments at which checkpoints are wanted: each once, across daemons that die."""

import asyncio
import contextlib
import logging
import os
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from pathlib import Path

from claude_code_mcp.features.checkpoints import store
from claude_code_mcp.features.checkpoints.errors import CheckpointsClosing
from claude_code_mcp.features.checkpoints.models import Project, Strategy, Trigger
from claude_code_mcp.features.checkpoints.rules.strategies import KINDS, PLACES, SETTINGS, Wanted, occasion, wanted
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.strategies import Asked, Automatic
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.clock import parse
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Recorded, Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.transcript.cutting import Moment
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.eventlog.log import Followers, last_seq, latest, page
from claude_code_mcp.platform.tasks import Tasks

NAME = "automatic"
PAGE = 500
APART = 1000
"""So many events further, the cursor is written down although none of them mattered."""
TRIES, AGAIN_S = 3, 1.0
REMEMBERED = 2000
LONGEST_S = 3600.0
log = logging.getLogger(__name__)


class Watching:
    """Follows what sessions do, ours and everybody's, and has taken what their projects' strategies want.

    The cursor never passes a moment whose checkpoint is not durable: what a killed daemon left is taken by the next.
    """

    def __init__(self, book: Book, automatic: Automatic, sessions: Sessions, followers: Followers) -> None:
        self._book = book
        self._automatic = automatic
        self._sessions = sessions
        self._followers = followers
        self._folders: OrderedDict[str, str] = OrderedDict()
        self._waiting: dict[str, list[Asked]] = {}
        self._taking: dict[str, int] = {}
        self._read = self._kept = 0
        self._changed = asyncio.Event()
        self._looked: dict[str, float] = {}

    def start(self, tasks: Tasks) -> None:
        """Begin to follow."""
        tasks.start("automatic checkpoints", self._follow(tasks))
        tasks.start("checkpoints by time", self._keep_time())

    async def _follow(self, tasks: Tasks) -> None:
        kept = self._book.database.read(lambda db: store.cursor(db, NAME))
        self._read = self._kept = self._book.database.read(last_seq) if kept is None else kept
        if kept is None:
            await self._keep(self._read)
        while True:
            after, newest = self._read, self._followers.newest
            find = partial(page, after=after, kinds=KINDS, limit=PAGE)
            # Nearly always some events: another thread costs ten times as much as looking through them.
            near = newest - after <= PAGE
            found = self._book.database.read(find) if near else await self._book.database.scan(find)
            for event in found.events:
                self._take_in(event, tasks)
            self._read = found.cursor if found.more else max(found.cursor, newest)
            await self._move_on()
            if not found.more:
                await self._followers.grown(self._read)

    def _take_in(self, event: Recorded, tasks: Tasks) -> None:
        if event.kind == SETTINGS:
            self._changed.set()
        if event.kind in PLACES and (event.session_id in self._folders or self._automatic.projects()):
            self._learn(event)  # where nobody asks, it is found in the log by whoever does
        one = occasion(event)
        if one is None or not self._automatic.projects() or self._told_better(event):
            return
        project = self._automatic.project_of(self._folder(one.session_id))
        wish = wanted(project.settings.strategy, one) if project is not None else None
        if project is None or wish is None or self._automatic.known(wish):
            return
        self._waiting.setdefault(project.path, []).append(Asked(Path(project.path), wish, event.seq, parse(event.at)))
        if project.path not in self._taking:
            self._taking[project.path] = event.seq
            tasks.start(f"checkpoints of {project.path}", self._work_off(project.path))

    def _told_better(self, event: Recorded) -> bool:
        """Tell whether a session's own output says this as well: hooks and transcripts of our own runs."""
        session = SessionId(str(event.session_id))
        return event.source != Source.STREAM and self._sessions.serves(self._sessions.own_id(session) or session)

    def _learn(self, event: Recorded) -> None:
        folder = event.payload.get("cwd")
        if event.session_id is not None and isinstance(folder, str) and folder:
            self._folders[event.session_id] = os.path.realpath(folder)
            while len(self._folders) > REMEMBERED:
                self._folders.popitem(last=False)

    def _folder(self, session_id: str) -> str:
        """Return where a session works, empty where nobody told."""
        found = self._folders.get(session_id)
        if found is None:
            session = SessionId(session_id)
            told = self._book.database.read(lambda db: [latest(db, session, kind) for kind in sorted(PLACES)])
            for event in sorted((one for one in told if one is not None), key=lambda one: one.seq):
                self._learn(event)
            ours = self._sessions.conversation(session_id)
            found = self._folders.setdefault(session_id, ours.project_path if ours is not None else "")
        return found

    async def _work_off(self, path: str) -> None:
        """Take what is wanted of one project; moments that came meanwhile share one checkpoint."""
        try:
            while asked := self._waiting.get(path):
                self._taking[path] = asked[0].seq
                self._waiting[path] = []
                await self._take(replace(asked[-1], moments=len(asked)))
        except CheckpointsClosing:
            return  # the cursor stays before it: the next daemon takes it
        except BaseException:
            del self._taking[path]  # a bug of ours in one take must not end all others
            raise
        del self._taking[path]
        self._waiting.pop(path, None)
        await self._move_on(least=1)

    async def _take(self, asked: Asked) -> None:
        for left in reversed(range(TRIES)):
            try:
                await self._automatic.take(asked)
            except CheckpointsClosing:
                raise
            except ClaudeCodeMcpError as exc:
                log.warning("no checkpoint was taken of %s (%s): %s", asked.root, asked.wish.cause, exc)
                if left:
                    await asyncio.sleep(AGAIN_S)
            else:
                return

    async def _move_on(self, least: int = APART) -> None:
        """Write down how far all is seen to, where that is at least so many events further."""
        reached = min([self._read, *(seq - 1 for seq in self._taking.values())])
        if reached - self._kept >= least:
            await self._keep(reached)

    async def _keep(self, seq: int) -> None:
        with contextlib.suppress(StoreUnavailable):  # read again from the old place, which adds nothing
            await self._book.database.write(lambda db: store.put_cursor(db, NAME, seq))
            self._kept = seq

    async def _keep_time(self) -> None:
        """Take projects by the clock, where that is their strategy."""
        while True:
            self._changed.clear()
            now = asyncio.get_running_loop().time()
            timed = [one for one in self._automatic.projects() if one.settings.strategy is Strategy.INTERVAL]
            for project in timed:
                if self._due_s(project, now) <= 0:
                    self._looked[project.path] = now
                    await self._take(await self._by_time(project))
            due_s = min((self._due_s(project, now) for project in timed), default=LONGEST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, due_s)):
                    await self._changed.wait()

    def _due_s(self, project: Project, now: float) -> float:
        """Return in how many seconds a project is due; the first time a whole interval after we began."""
        return self._looked.setdefault(project.path, now) + project.settings.interval_s - now

    async def _by_time(self, project: Project) -> Asked:
        now = self._book.now()
        point = await self._automatic.conversations.current(Path(project.path))
        cause = f"interval:{now.isoformat()}"
        wish = Wanted(Trigger.INTERVAL, Moment(), point.session_id or "", cause, "By the clock")
        return Asked(Path(project.path), wish, self._book.database.read(last_seq), now)
