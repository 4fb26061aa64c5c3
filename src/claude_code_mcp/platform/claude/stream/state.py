"""What the reader remembers from line to line, and what one line gives."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.claude.facts import TRANSIENT, SessionIdChanged
from claude_code_mcp.platform.claude.fields import id_of, time_of
from claude_code_mcp.platform.claude.requests import ControlItem

OPEN_LIMIT = 400
"""How many unfinished tools, tasks and questions are remembered; older ones lose their duration, nothing else."""

_T = TypeVar("_T")


class OpenTool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool call without a result: its name, when it began (seconds since 1970), under what, why denied."""

    name: str
    started_s: float
    parent: str | None = None
    agent_id: str | None = None
    denial: str = ""
    denied_by: str = ""


class OpenTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task that has not ended: whether it is a subagent, and the call that launched it."""

    subagent: bool = False
    tool_use_id: str | None = None


class StreamState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that reading a run's output has to remember between two lines; small, and plain JSON when stored.

    `session_id`: under which the process writes now. `turn`: how many turns began in this run; `turn_open`: the
    last one has not ended. `tools`, `tasks`, `approvals`: what is open, by id (an approval with the call it is
    about). `permission_mode`: the current one. `total_cost_microusd`: the session's cost as told last. `told`: what
    it said last of its state. `muddled`: lines may have been lost (a disk was full, a file was cut), and it has not
    been asked since how it stands.
    """

    session_id: str | None = None
    turn: int = 0
    turn_open: bool = False
    tools: dict[str, OpenTool] = msgspec.field(default_factory=dict)
    tasks: dict[str, OpenTask] = msgspec.field(default_factory=dict)
    approvals: dict[str, str] = msgspec.field(default_factory=dict)
    permission_mode: str = ""
    total_cost_microusd: int = 0
    told: str = ""
    muddled: bool = False


class Reading(msgspec.Struct, frozen=True):
    """What a line gave.

    `state` is the very object that was passed in where nothing changed. `events` are to be kept, `live` ones
    only to be shown (pieces of an answer in the making), `control` is for whoever talks to the process.
    """

    state: StreamState
    events: tuple[Event, ...] = ()
    live: tuple[Event, ...] = ()
    control: tuple[ControlItem, ...] = ()


class Line:
    """One line being read: the object at hand, the state so far, and what came of it until now."""

    __slots__ = ("_at", "_count", "_read_at", "_run_id", "_stem", "control", "events", "live", "obj", "state")

    def __init__(self, state: StreamState, *, run_id: str, offset: int, at: datetime) -> None:
        self.state = state
        self.obj: dict[str, Any] = {}
        self.events: list[Event] = []
        self.live: list[Event] = []
        self.control: list[ControlItem] = []
        self._run_id = run_id
        self._stem = f"{run_id}:{offset}:"
        self._count = 0
        self._read_at = self._at = at

    def take(self, obj: dict[str, Any]) -> None:
        """Go on to the next object of the line."""
        self.obj = obj
        self._at = time_of(obj, "timestamp") or self._read_at
        session = obj.get("session_id")
        if session is None or session == self.state.session_id or not isinstance(session, str) or not is_uuid(session):
            return
        # Only a turn's beginning moves the run to another session; other lines may still speak of the old one.
        previous = self.state.session_id
        if previous is None or obj.get("subtype") == "init":
            self.change(session_id=session)
            if previous is not None:
                self.emit(SessionIdChanged(previous=previous), session)

    @property
    def at(self) -> datetime:
        """When the object at hand was written, or read where it does not say."""
        return self._at

    @property
    def run_id(self) -> str:
        """The run whose output this is."""
        return self._run_id

    @property
    def session(self) -> str:
        """The session that the object at hand belongs to, "" while none is known."""
        session = self.obj.get("session_id")
        if isinstance(session, str) and is_uuid(session):
            return session
        return self.state.session_id or ""

    def change(self, **fields: object) -> None:
        """Remember `fields` of the state from here on."""
        self.state = msgspec.structs.replace(self.state, **fields)

    def emit(
        self,
        fact: Fact,
        subject: str,
        *,
        tool_use_id: str | None = None,
        parent: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        """Add `fact` about `subject`; parent and agent are those of the object at hand unless given."""
        session = self.session
        event = Event(
            fact=fact,
            at=self._at,
            session_id=SessionId(session) if session else None,
            subject=subject,
            parent=parent or id_of(self.obj, "parent_tool_use_id"),
            tool_use_id=tool_use_id,
            agent_id=agent_id or id_of(self.obj, "agent_id"),
            source=Source.STREAM,
            source_key=self._stem + str(self._count),
        )
        self._count += 1
        (self.live if fact.kind in TRANSIENT else self.events).append(event)

    def reading(self) -> Reading:
        """Return what came of the line."""
        return Reading(self.state, tuple(self.events), tuple(self.live), tuple(self.control))


def added(entries: Mapping[str, _T], key: str, entry: _T) -> dict[str, _T]:
    """Return `entries` with one more, and without the oldest beyond the limit."""
    grown = {**entries, key: entry}
    while len(grown) > OPEN_LIMIT:
        del grown[next(iter(grown))]
    return grown


def without(entries: Mapping[str, _T], key: str) -> dict[str, _T]:
    """Return `entries` without `key`."""
    return {name: entry for name, entry in entries.items() if name != key}
