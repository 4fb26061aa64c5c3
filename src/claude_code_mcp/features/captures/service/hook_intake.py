"""Takes in what Claude Code's hooks post, and what they left in the spool while nobody listened."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from claude_code_mcp.features.captures.rules.occurrences import Occurrences, Way
from claude_code_mcp.features.captures.service.recorder import Recorder
from claude_code_mcp.kernel.events import Event, Source
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.facts import TRANSIENT, NoticeShown
from claude_code_mcp.platform.claude.hooks import AgentMeta, Payload, Process, agent_meta, events_of, read_payload
from claude_code_mcp.platform.claude.hooks.spool import Mark, Slice, Spool
from claude_code_mcp.platform.claude.redaction import PLAIN, Scrubber

AGENTS = 4096
"""Subagents of which it is remembered that their description was read."""
AHEAD = 4
"""Slices of the spool that a posted hook lets pass at most; a spool that is full is read by and by."""
_REPEATED = frozenset(("ConfigChange", "FileChanged"))
"""Events that Claude Code is known to tell twice."""


def _nobody(_: str) -> None:
    return None


class HookIntake:
    """One payload in, its events in the log: the same hook once, by whatever ways and however often it comes.

    `owner` tells which session of ours a conversation of Claude Code is, None where it is somebody else's.
    """

    def __init__(
        self, recorder: Recorder, scrubber: Scrubber = PLAIN, owner: Callable[[str], SessionId | None] = _nobody
    ) -> None:
        self._recorder = recorder
        self._scrubber = scrubber
        self._owner = owner
        self._occurrences = Occurrences()
        self._agents: dict[str, None] = {}
        self._spool: Spool | None = None
        self._mark: Mark | None = None

    def beside(self, spool: Spool) -> None:
        """Keep the order of what is posted and what is left in `spool`."""
        self._spool = spool

    def recall(self, keys: Sequence[str]) -> None:
        """Take over the `source_key`s of hooks that are in the log already, the oldest first."""
        self._occurrences.recall(key.removeprefix("hook:").rpartition(":")[0] for key in keys)

    def take(self, body: bytes, at: datetime) -> None:
        """Take a payload that was posted: it is in the log soon, after all that came before it.

        Nothing in `body` raises. Who can hold back its sender awaits `room` first.
        """
        self._take_ahead()
        self._recorder.record_soon(self._events(body, at, Way.HTTP))

    async def room(self) -> None:
        """Wait while too much is on its way to the disk."""
        await self._recorder.room()

    def take_left(self, slice_: Slice) -> Awaitable[int]:
        """Take a slice of the spool; await how many events were new, once they are on disk.

        Raises:
            StoreUnavailable, StoreClosed: when awaited; nothing of it was kept, the spool keeps it.
        """
        return self._recorder.record(self._left(slice_))

    async def take_lost(self, count: int, name: str) -> None:
        """Say in the log that `count` hooks found no room in the spool; `name` tells this from other times.

        Raises:
            StoreUnavailable, StoreClosed: it was not said.
        """
        text = f"{count} hooks were not kept: the spool was full."
        fact = NoticeShown(text=text, level="warning", tag="spool_overflow")
        at = self._recorder.clock.now()
        await self._recorder.record([Event(fact=fact, at=at, source=Source.HOOK, source_key=f"spool:lost:{name}")])

    def _take_ahead(self) -> None:
        """Take what is new in the spool first: Claude Code waits for its hooks, so it was there before what comes now.

        It comes again when the spool is read, and then adds nothing.
        """
        if self._spool is None or (mark := self._spool.mark()) == self._mark:
            return
        self._mark = mark
        for slice_ in islice(self._spool.slices(), AHEAD):
            self._recorder.record_soon(self._left(slice_))

    def _left(self, slice_: Slice) -> list[Event]:
        clean = not self._scrubber.hits(slice_.raw)
        events: list[Event] = []
        for record in slice_.records:
            events += self._events(record.body, record.at, Way.SPOOL, Process(record.pid), clean=clean)
        return events

    def _events(
        self, body: bytes, at: datetime, way: Way, process: Process | None = None, *, clean: bool = False
    ) -> list[Event]:
        payload = read_payload(body, self._scrubber, clean=clean)
        stem = payload.identity or self._occurrences.name(
            payload.digest, way, at, repeats_itself=payload.event in _REPEATED
        )
        meta = self._new_agent(payload)
        events = events_of(payload, stem=stem, at=at, meta=meta, process=process)
        owner = self._owner(payload.session_id) if payload.session_id else None
        if owner is not None and owner != payload.session_id:
            events = [msgspec.structs.replace(event, session_id=owner) for event in events]
        return [event for event in events if event.fact.kind not in TRANSIENT]

    def _new_agent(self, payload: Payload) -> AgentMeta | None:
        """Return the description of a subagent that was not told yet: it is written a moment after its start."""
        agent = payload.obj.get("agent_id")
        if not isinstance(agent, str) or agent in self._agents:
            return None
        meta = agent_meta(payload)
        if meta is not None and meta.call and payload.event != "SubagentStart":
            self._agents[agent] = None
            if len(self._agents) > AGENTS:
                del self._agents[next(iter(self._agents))]
        return meta
