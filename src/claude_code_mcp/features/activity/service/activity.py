"""What is asked about activity, answered from the sessions in memory; a wait costs nobody anything."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from claude_code_mcp.features.activity.models import (
    ActivityList,
    ActivityTree,
    Configured,
    ConfigureDisplay,
    Exported,
    ExportSession,
    ListActivity,
    NodeDetail,
    ShowNode,
    ShowTree,
    StreamActivity,
    StreamReply,
    TreeReply,
)
from claude_code_mcp.features.activity.rules.lines import tree_lines
from claude_code_mcp.features.activity.rules.rows import session_row
from claude_code_mcp.features.activity.service.captured import Captured
from claude_code_mcp.features.activity.service.changes import Changes
from claude_code_mcp.features.activity.service.details import Details
from claude_code_mcp.features.activity.service.exporting import Exporting
from claude_code_mcp.features.activity.service.overview import Overview
from claude_code_mcp.features.activity.service.reader import LogReader
from claude_code_mcp.features.activity.service.shelf import FRESH_S, Kept, Shelf
from claude_code_mcp.features.activity.service.showing import Showing, style_of, view_of
from claude_code_mcp.features.activity.service.updates import Look, stream_reply
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import Clock
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.db.database import Database

Made = TypeVar("Made")
RESTS = 4.0
"""How many times as long as it took to build, a tree that is followed rests: at most a fifth of the time goes there."""
LONGEST_REST_S = 2.0
REPORT_S = 5.0
"""How often a waiting client hears that we are still here; some give up on silence."""


class Activity:
    """The operations of activity."""

    def __init__(self, database: Database, clock: Clock, captured: Captured, archive_after: timedelta) -> None:
        self._clock = clock
        self._captured = captured
        self._changes = Changes()
        self._reader = LogReader(database, self._changes)
        self.shelf = Shelf(self._reader, self._changes, captured, clock, archive_after)
        self._overview = Overview(self.shelf, self._reader, captured, clock)
        self._showing = Showing(database, clock)
        self._exporting = Exporting(self.shelf, clock)
        self._details = Details(database, self.shelf, clock)

    def followed(self, session_id: SessionId | None) -> bool:
        """Tell whether somebody waits now for a change of a session, or (None) of any."""
        return self._changes.waited_for(session_id)

    async def sessions(self, wish: ListActivity, caller: Caller) -> ActivityList:
        """Return the sessions that fit, once something changed after the cursor or the time is up."""
        if wish.cursor is not None and wish.wait_s:
            await self._until(lambda: _now(self._reader.cursor != wish.cursor), None, wish.wait_s, caller)
        cursor = self._reader.cursor
        items = await self._overview.sessions(wish.scope, wish.project_path, wish.limit)
        return ActivityList(items=items, cursor=cursor, lines=[session_row(item) for item in items])

    async def tree(self, wish: ShowTree, caller: Caller) -> TreeReply:
        """Return a session's tree, once something changed after the cursor or the time is up.

        Raises:
            ActivityNotFound: there is no such session, or none that is obvious.
            SessionAmbiguous: several could be meant.
        """
        session_id = await self._overview.find(wish.session_id, caller.cwd)

        async def changed() -> bool:
            return (await self.shelf.kept(session_id)).fold.mark != wish.cursor

        if wish.cursor is not None and wish.wait_s:
            await self._until(changed, session_id, wish.wait_s, caller)
            await self._rested(await self.shelf.kept(session_id))
        kept = await self.shelf.kept(session_id)
        moment = int(asyncio.get_running_loop().time() / FRESH_S)
        key = ("tree", wish.max_depth, wish.include_completed, self._showing.version, moment)
        return self._made(kept, key, lambda: self._tree(session_id, kept, wish))

    async def stream(self, wish: StreamActivity, caller: Caller) -> StreamReply:
        """Return what changed in a session after the cursor, once there is something or the time is up.

        Raises:
            ActivityNotFound: there is no such session, or none that is obvious.
            SessionAmbiguous: several could be meant.
        """
        session_id = await self._overview.find(wish.session_id, caller.cwd)
        look = Look.of(wish)
        # A cursor that lies after all there is was not ours: begin anew rather than wait for ever.
        since = wish.cursor if wish.cursor <= (await self.shelf.kept(session_id)).fold.mark else 0
        reply: StreamReply | None = None

        async def something() -> bool:
            nonlocal reply, since
            kept = await self.shelf.kept(session_id)
            reply = self._streamed(session_id, kept, since, look)
            since = reply.cursor
            if not wish.follow or caller.push is None:
                return bool(reply.updates)
            while reply.updates:
                await caller.push(reply)
                reply = self._streamed(session_id, kept, since, look)
                since = reply.cursor
            return False

        await self._until(something, session_id, wish.wait_s, caller)
        return reply or self._streamed(session_id, await self.shelf.kept(session_id), since, look)

    async def configure(self, wish: ConfigureDisplay, caller: Caller) -> Configured:
        """Change how activity is shown, and return how it is.

        Raises:
            ActivityNotFound, SessionAmbiguous: the session that is named cannot be told.
        """
        session_id = await self._overview.find(wish.session_id, caller.cwd) if wish.session_id else None
        if session_id is not None:
            await self.shelf.kept(session_id)
        return Configured(session_id=session_id, settings=await self._showing.configure(session_id, wish))

    async def export(self, wish: ExportSession, caller: Caller) -> Exported:
        """Return a session as a document, or write it to a new file.

        Raises:
            ActivityNotFound, SessionAmbiguous: the session cannot be told.
            ExportTooBig: it does not fit into a reply, and no file was named.
            ExportRefused: the file cannot be written.
        """
        session_id = await self._overview.find(wish.session_id, caller.cwd)
        kept = await self.shelf.kept(session_id)
        return await self._exporting.export(session_id, kept, wish, self._showing.settings(session_id))

    async def log(self, session_id: SessionId) -> str:
        """Return a session as a console would show it.

        Raises:
            ActivityNotFound: there is no such session.
        """
        return await self._exporting.text(session_id, self._showing.settings(session_id))

    async def show(self, wish: ShowNode, caller: Caller) -> NodeDetail:
        """Return one node whole.

        Raises:
            ActivityNotFound, SessionAmbiguous: the session cannot be told.
            NodeNotFound: it has no such node.
        """
        session_id = await self._overview.find(wish.session_id, caller.cwd) if wish.session_id else None
        return await self._details.show(session_id, wish, caller)

    async def _rested(self, kept: Kept) -> None:
        """Wait until a big tree may be built again: followers of one must not keep the daemon from all else."""
        rest_s = kept.grown_at + RESTS * kept.growing_s - asyncio.get_running_loop().time()
        if rest_s > 0:
            await asyncio.sleep(min(rest_s, LONGEST_REST_S))

    def _tree(self, session_id: SessionId, kept: Kept, wish: ShowTree) -> TreeReply:
        settings = self._showing.settings(session_id)
        view = view_of(settings, max_depth=wish.max_depth, include_completed=wish.include_completed)
        now, began = self._clock.now(), asyncio.get_running_loop().time()
        root, session = kept.fold.root(now, view), kept.fold.summary(now)
        kept.grown_at = asyncio.get_running_loop().time()
        kept.growing_s = kept.grown_at - began
        lines = [session_row(session), *(line.text for line in tree_lines(root, style_of(settings)))]
        return TreeReply(
            activity_tree=ActivityTree(root_task=root), session=session, cursor=kept.fold.mark, lines=lines
        )

    def _streamed(self, session_id: SessionId, kept: Kept, since: int, look: Look) -> StreamReply:
        def make() -> StreamReply:
            settings = self._showing.settings(session_id)
            return stream_reply(session_id, kept.fold, since, self._clock.now(), look, settings)

        return self._made(kept, ("stream", since, look, self._showing.version), make)

    def _made(self, kept: Kept, key: object, make: Callable[[], Made]) -> Made:
        """Return what was made for the first follower who asked for the same."""
        if key not in kept.made:
            kept.made[key] = make()
        found: Made = kept.made[key]
        return found

    async def _until(
        self, reached: Callable[[], Awaitable[bool]], session_id: SessionId | None, wait_s: float, caller: Caller
    ) -> None:
        """Return when `reached` says so, looked at whenever the session changed, or after `wait_s` seconds."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if wait_s:
            self._captured.looked()
        while not await reached():
            passed = loop.time() - began
            if passed >= wait_s:
                return
            if not await self._changes.changed(session_id, min(REPORT_S, wait_s - passed)):
                await caller.report(loop.time() - began, "nothing new")


async def _now(fact: bool) -> bool:
    return fact
