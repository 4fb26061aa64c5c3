"""The tasks extension (SEP-2663, `io.modelcontextprotocol/tasks`): long calls that a client polls.

A call becomes a task when the client declared the extension, the tool may run as one, and the call did not end
within a moment. The record is stored before the client learns the id, so `tasks/get` finds it after a restart of
ours as well: then what is left of the call (`Caller.left`) is run in its place.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from claude_code_mcp.kernel.caller import Invocation
from claude_code_mcp.kernel.clock import Clock, parse, stamp
from claude_code_mcp.surfaces.mcp.call import Abilities, Call, Client
from claude_code_mcp.surfaces.mcp.detached import Detached
from claude_code_mcp.surfaces.mcp.task_store import TaskRecord, TaskStore
from claude_code_mcp.surfaces.mcp.tools import Result, Tool
from claude_code_mcp.surfaces.mcp.updates import Updates
from claude_code_mcp.surfaces.mcp.workers import Workers

RunRest = Callable[[Invocation, Call], Awaitable[Result]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """When a call becomes a task, how often to ask for it, how long it is kept after its last change."""

    grace_s: float = 2.0
    poll_ms: int = 2000
    ttl_s: int = 24 * 3600


class _TaskExchange:
    """Where a task's call speaks to once its request is answered: progress becomes the status message."""

    wants_progress = True

    def __init__(self, abilities: Abilities, tell: Callable[[str], None]) -> None:
        self.abilities = abilities
        self._tell = tell

    async def progress(self, done: float, message: str) -> None:
        del done  # a task has a status message, but no number
        self._tell(message)

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        log.debug("dropped %s (%d fields): the request's stream is closed", method, len(params))

    async def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        raise MCPError(INTERNAL_ERROR, f"{method} with {len(params)} fields cannot be sent from a task")


@dataclass(slots=True)
class _Live:
    detached: Detached
    record: TaskRecord


class Tasks:
    """The tasks of all clients; an id is 192 random bits, so whoever has it may use it."""

    def __init__(self, store: TaskStore, updates: Updates, clock: Clock, options: TaskOptions) -> None:
        self._store = store
        self._updates = updates
        self._clock = clock
        self._options = options
        self._live: dict[str, _Live] = {}
        self._workers: Workers | None = None
        self._run_rest: RunRest | None = None

    def opened(self, workers: Workers, run_rest: RunRest) -> None:
        """Run among `workers` from now on; `run_rest` runs what is left of a call."""
        self._workers, self._run_rest = workers, run_rest

    def start(self, detached: Detached, run: Callable[[Call], Awaitable[Result]]) -> None:
        """Run a call on its own, beyond the request that began it."""
        detached.start(self._opened(), run)

    async def soon(self, detached: Detached) -> bool:
        """Wait a moment; tell whether the call ended or asked something within it."""
        try:
            async with asyncio.timeout(self._options.grace_s):
                await detached.news()
        except TimeoutError:
            return False
        return True

    async def adopt(self, detached: Detached, tool: Tool) -> Result:
        """Make a task of a running call: store it, and return the handle that answers the request."""
        call = detached.call
        if call.rest is None and tool.repeatable:
            call.rest = Invocation(tool.operation, call.arguments)
        now = stamp(self._clock.now())
        record = TaskRecord(
            id=secrets.token_urlsafe(24), tool=tool.name, created_at=now, updated_at=now, message=call.message
        )
        live = self._follow(detached, record)
        await self._save(live)
        await self._store.prune(stamp(self._clock.now() - timedelta(seconds=self._options.ttl_s)))
        return {"resultType": "task", **self._wire(live.record, {})}

    async def get(self, task_id: str, client: Client, abilities: Abilities) -> Result:
        """Return a task as it is now.

        Raises:
            MCPError: no such task (-32602).
        """
        live, record = await self._find(task_id)
        if live is None and record.status == "working":
            live = self._take_up(record, client, abilities, {})
        return self._wire(live.record, live.detached.open) if live is not None else self._wire(record, {})

    async def update(self, task_id: str, responses: Mapping[str, Any], client: Client, abilities: Abilities) -> None:
        """Take answers to a task's questions.

        Raises:
            MCPError: no such task (-32602).
        """
        live, record = await self._find(task_id)
        if live is not None:
            live.detached.answer(responses)
            self._updates.task_changed(task_id)
        elif record.status == "working":
            self._take_up(record, client, abilities, responses)

    async def cancel(self, task_id: str, client: Client, abilities: Abilities) -> None:
        """Call a task's work off, where its operation said how, and stop waiting for it.

        Raises:
            MCPError: no such task (-32602).
        """
        live, record = await self._find(task_id)
        if record.status != "working":
            return
        if live is not None:
            live.detached.cancel()
        else:
            await self._store.save(self._changed(record, status="cancelled"))
        if record.stop is not None and self._run_rest is not None:
            call = Call(client, _TaskExchange(abilities, log.debug), record.stop.arguments)
            await self._run_rest(record.stop, call)

    async def state(self, task_id: str) -> Result | None:
        """Return a task for a status notification; None when it is gone."""
        live = self._live.get(task_id)
        if live is not None:
            return self._wire(live.record, live.detached.open)
        record = await self._store.load(task_id)
        return self._wire(record, {}) if record is not None else None

    def _opened(self) -> Workers:
        if self._workers is None:
            raise RuntimeError("the MCP surface is not open")
        return self._workers

    async def _find(self, task_id: str) -> tuple[_Live | None, TaskRecord]:
        record = None if task_id in self._live else await self._store.load(task_id)
        live = self._live.get(task_id)
        if live is not None:
            return live, live.record
        if record is None:
            raise MCPError(INVALID_PARAMS, "Failed to retrieve task: Task not found")
        idle = self._clock.now() - parse(record.updated_at)
        if record.status != "working" and idle > timedelta(seconds=self._options.ttl_s):
            raise MCPError(INVALID_PARAMS, "Failed to retrieve task: Task has expired")
        return None, record

    def _take_up(self, record: TaskRecord, client: Client, abilities: Abilities, given: Mapping[str, Any]) -> _Live:
        """Go on with a task that an earlier process of ours left."""
        rest, run_rest = record.rest, self._run_rest
        call = Call(client, _TaskExchange(abilities, log.debug), rest.arguments if rest else {})
        call.rest, call.stop = rest, record.stop
        detached = Detached(call, given)

        async def go_on(begun: Call) -> Result:
            if rest is None or run_rest is None:
                raise MCPError(INTERNAL_ERROR, "The server was restarted before this call had begun; call again.")
            return await run_rest(rest, begun)

        live = self._follow(detached, record)
        self.start(detached, go_on)
        return live

    def _follow(self, detached: Detached, record: TaskRecord) -> _Live:
        live = self._live[record.id] = _Live(detached, record)

        def tell(message: str) -> None:
            live.record = self._changed(live.record, message=message)
            self._updates.task_changed(record.id)

        call = detached.call
        call.exchange = _TaskExchange(call.exchange.abilities, tell)
        call.tell_rest = lambda: self._save(live)
        self._opened().start(self._finish(live))
        return live

    async def _finish(self, live: _Live) -> None:
        """Wait for the task's end and store it; from then on the store is where it is found."""
        detached = live.detached
        while not detached.done:
            self._updates.task_changed(live.record.id)
            await detached.turn()
        live.record = self._changed(live.record, **_outcome(detached))
        try:
            await self._save(live)
        except Exception:
            # Without its record a client could not tell that the task ended: keep it in memory then.
            log.exception("the end of task %s could not be stored", live.record.id)
            return
        self._live.pop(live.record.id, None)
        self._updates.task_changed(live.record.id)

    async def _save(self, live: _Live) -> None:
        call = live.detached.call
        live.record = self._changed(live.record, rest=call.rest, stop=call.stop)
        await self._store.save(live.record)

    def _changed(self, record: TaskRecord, **changes: Any) -> TaskRecord:
        return msgspec.structs.replace(record, updated_at=stamp(self._clock.now()), **changes)

    def _wire(self, record: TaskRecord, asked: Mapping[str, Any]) -> Result:
        status = "input_required" if asked and record.status == "working" else record.status
        age = parse(record.updated_at) - parse(record.created_at)
        wire: Result = {
            "taskId": record.id,
            "status": status,
            "createdAt": record.created_at,
            "lastUpdatedAt": record.updated_at,
            # Counted from the task's birth, it grows while the task lives: an end is never too old to be read.
            "ttlMs": int((age.total_seconds() + self._options.ttl_s) * 1000),
            "pollIntervalMs": self._options.poll_ms,
        }
        if record.message:
            wire["statusMessage"] = record.message
        if status == "input_required":
            wire["inputRequests"] = dict(asked)
        elif status == "completed":
            wire["result"] = record.result
        elif status == "failed":
            wire["error"] = record.error
        return wire


def _outcome(detached: Detached) -> dict[str, Any]:
    if detached.error is not None:
        error = detached.error.error
        return {
            "status": "failed",
            "message": error.message,
            "error": {"code": error.code, "message": error.message},
        }
    try:
        return {"status": "completed", "result": detached.result()}
    except asyncio.CancelledError:
        return {"status": "cancelled"}
