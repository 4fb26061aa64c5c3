"""Who else has a part in what a session does, declared here so that sessions need not know them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from claude_code_mcp.features.sessions.models import Message, Need, Session
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import RunId, SessionId
from claude_code_mcp.platform.claude.requests import ControlItem


class Observer(Protocol):
    """Sees what a session's stream said, inside the transaction that records it, and may add events of its own."""

    def saw(
        self, db: sqlite3.Connection, session_id: SessionId, run_id: RunId, control: Sequence[ControlItem]
    ) -> Sequence[Event]:
        """Take in what a run asks of its host; an `initialize` answer also carries what still waits."""
        ...

    def ended(self, db: sqlite3.Connection, session_id: SessionId, run_id: RunId) -> Sequence[Event]:
        """The run is over: nothing of it can be answered any more."""
        ...


class Settler(Protocol):
    """Has something to bring to a process that is followed again."""

    async def settle(self, session_id: SessionId) -> None:
        """Hand over answers that were given but may not have arrived."""
        ...


class Questions(Protocol):
    """What waits for a person, and how to ask them."""

    def open_for(self, session_id: SessionId) -> list[Need]:
        """Return the questions of a session that wait for an answer, oldest first."""
        ...

    def body(self, approval_id: str) -> str | None:
        """Return the whole text that a question is about (a plan), where it has one."""
        ...

    async def ask_in_place(self, session_id: SessionId, caller: Caller) -> bool:
        """Ask the person behind `caller` the oldest question, if they can be asked; tell whether one was answered."""
        ...


class Gate(Protocol):
    """Wants to see a project before a turn changes it."""

    async def before(self, session: Session, messages: Sequence[Message]) -> None:
        """Return when `messages` may be handed to the process; a session at rest begins a turn with them.

        Never takes longer than two seconds, and never raises: what holds up the gate holds up the person.
        """
        ...


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """Where a session goes on from: a folder, and a conversation up to a message of it.

    `session_id` is None where no conversation had begun.
    """

    project_path: str
    session_id: str | None = None
    message_uuid: str | None = None


class Rewinder(Protocol):
    """Knows the points that a session may go back to."""

    async def go_back(self, checkpoint_id: str, project_path: str | None, caller: Caller) -> StartingPoint:
        """Bring the files of a project back to where they were, and return what the session goes on from.

        `project_path`: where the caller believes the project to be, None where it does not say.

        Raises:
            ClaudeCodeMcpError: it cannot be done; nothing was changed.
        """
        ...
