"""MCP in the daemon: what the surface needs from the application, and what it is told of changes."""

import asyncio
import contextlib
import os
import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from claude_code_mcp import __version__
from claude_code_mcp.app import App
from claude_code_mcp.daemon.deferred import absent, built_late, defer
from claude_code_mcp.daemon.heap import growing
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog, Surface
from claude_code_mcp.platform.db.records import Record, Records
from claude_code_mcp.platform.eventlog.log import sessions_after
from claude_code_mcp.platform.ipc.listener import Peer

if TYPE_CHECKING:  # half of the daemon's start, and no use until an MCP client comes
    from claude_code_mcp.surfaces.mcp.surface import McpSurface
    from claude_code_mcp.surfaces.mcp.task_store import TaskRecord
    from claude_code_mcp.surfaces.mcp.updates import Updates

KEY_BYTES = 32
CHANGES_S = 0.25
"""How often clients hear at most that a session changed; each client's own limit comes on top."""

INSTRUCTIONS = """\
Runs Claude Code sessions for you in the background and keeps them through crashes and restarts.

Start: claude_ask(prompt) waits up to 45 s for the answer; execute_claude(prompt) returns a session_id at once. \
Both take project_path, model, permission_mode and more.
Follow: session_wait(session_id, cursor) returns new events and waits; call it again with the new cursor until the \
status is idle.
Questions: when a reply says WAITS, the session needs a decision: approval_answer(approval_id, decision). \
Ask your user before you allow what they have not asked for.
Steer: session_send while it runs; claude_abort to stop; claude_resume to go on later.
More tools: tool_search(query), then tool_call(name, arguments).
"""


class McpHost:
    """The MCP surface of one daemon, built when the first MCP client comes."""

    def __init__(self, catalog: Catalog, app: App, state_dir: Path) -> None:
        self._catalog = catalog
        self._app = app
        self._key_file = state_dir / "mcp.key"
        self._stack = contextlib.AsyncExitStack()
        self._surface: McpSurface | None = None
        self._telling: asyncio.Task[None] | None = None
        self._building = asyncio.Lock()  # one surface, however many clients come at once

    async def serve(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one MCP client until it leaves."""
        from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions  # noqa: PLC0415 - see the module

        surface = await self.surface()
        session = str(peer.options.get("session") or "")
        caller = Caller(
            cwd=peer.cwd, surface=Surface.MCP, client=f"mcp client {peer.pid}", env=peer.env, session=session
        )
        await surface.serve(reader, writer, caller, ConnectionOptions.of(peer.options))

    async def close(self) -> None:
        """End what the surface still does."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait({self._telling})
        await self._stack.aclose()

    async def surface(self) -> "McpSurface":
        """Return the surface, built by the first who asks."""
        async with self._building:
            if self._surface is None:
                defer("mcp", "mcp.server")
                with growing(), built_late(), absent("uvicorn.main"):  # which one part of the SDK would only patch
                    from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts  # noqa: PLC0415 - see the module
                    from claude_code_mcp.surfaces.mcp.updates import Updates  # noqa: PLC0415 - see the module

                updates = Updates()
                parts = Parts(
                    catalog=self._catalog,
                    context=self._app.context,
                    version=__version__,
                    instructions=INSTRUCTIONS,
                    resources=self._app.resources,
                    updates=updates,
                    tasks=KeptTasks(Records(self._app.database, "mcp task")),
                    state_key=key(self._key_file),
                )
                self._surface = await self._stack.enter_async_context(McpSurface(parts))
                self._telling = asyncio.get_running_loop().create_task(self._tell(updates))
        return self._surface

    async def _tell(self, updates: "Updates") -> None:
        """Tell clients which sessions changed, as cues; they read what it was."""
        database, followers = self._app.database, self._app.followers
        seen = followers.newest
        while True:
            newest = await followers.grown(seen)
            changed = database.read(partial(sessions_after, after=seen))
            seen = newest
            if changed:
                for provider in self._app.resources:
                    for uri in provider.changed(changed):
                        updates.resource_changed(uri)
            await asyncio.sleep(CHANGES_S)


class KeptTasks:
    """Keeps MCP tasks in the daemon's database (a `TaskStore`), so that they survive a restart."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def save(self, record: "TaskRecord") -> None:
        """Insert or replace a record; it is durable when this returns."""
        closed = record.status != "working"
        await self._records.put(Record(record.id, record.updated_at, closed, msgspec.json.encode(record)))

    async def load(self, task_id: str) -> "TaskRecord | None":
        """Return a record, or None."""
        from claude_code_mcp.surfaces.mcp.task_store import TaskRecord  # noqa: PLC0415 - see the module

        found = self._records.get(task_id)
        return msgspec.json.decode(found.body, type=TaskRecord) if found is not None else None

    async def prune(self, before: str) -> None:
        """Forget what was created before that time and is no longer `working`."""
        await self._records.prune(before)


def key(path: Path) -> bytes:
    """Return the key that seals the state of questions, made on the first call; it outlives a restart."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        made = secrets.token_bytes(KEY_BYTES)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(made)
        return made
