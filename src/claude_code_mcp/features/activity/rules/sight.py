"""One event as those who take it in need it: what it says, when, and who says so."""

from typing import Any

from claude_code_mcp.features.activity.rules.book import Book, Lane
from claude_code_mcp.features.activity.rules.merging import Ranks
from claude_code_mcp.features.activity.rules.records import Call, Record, Request, Task, most
from claude_code_mcp.kernel.events import Recorded


class Sight:
    """An event being taken in."""

    __slots__ = ("at", "book", "event", "lane", "payload", "ranks")

    def __init__(self, book: Book, lane: Lane, event: Recorded, at: int) -> None:
        self.book = book
        self.lane = lane
        self.ranks: Ranks = lane.ranks
        self.event = event
        self.payload: dict[str, Any] = event.payload
        self.at = at

    def text(self, field: str) -> str:
        """Return a field that is text, "" where it is left out."""
        value = self.payload.get(field)
        return value if isinstance(value, str) else ""

    def number(self, field: str) -> int:
        """Return a field that is a whole number, 0 where it is left out."""
        value = self.payload.get(field)
        return value if isinstance(value, int) else 0

    def touch(self, record: Record) -> None:
        """Note that a record changed by this event."""
        self.book.touch(record, self.at, self.ranks.bit)

    def place(self, record: Call | Task | Request, agent_id: str | None, *, prompt_id: str = "") -> None:
        """Claim where something began: in the thread of a subagent, else in the turn that this source is in."""
        if agent_id:
            if isinstance(record, Call):
                self.book.thread(record, agent_id)
            elif isinstance(record, Request):
                record.agent_id = max(record.agent_id, agent_id)
                self.book.aside(record, agent_id)
            elif agent_id != record.id:
                record.parent_agent = max(record.parent_agent, agent_id)
                self.book.aside(record, agent_id)
            return
        key = prompt_id or self.lane.turn
        if key:
            self.into(record, self.ranks.call_start, key)

    def into(self, record: Call | Task | Request, rank: int, key: str) -> None:
        """Claim that something began in a turn."""
        self.book.into_turn(record, rank, key)
        turn = self.book.turns[key]
        if self.at < turn.first or not turn.bits & self.ranks.bit:
            self.touch(turn)

    def heard(self, *, resumed: bool = False) -> None:
        """Note a sign of the thread that the event is of: it goes on until here."""
        agent = self.event.agent_id
        if agent:
            task = self.book.task(agent)
            task.answered = most(task.answered, self.at)
            return
        turn = self.book.turns.get(self.lane.turn)
        if turn is not None and not self.event.parent:
            turn.heard = most(turn.heard, self.at)
            self.book.stale.add(turn.key)
            if self.at < turn.first:
                turn.first = self.at
                self.book.layout = None
            if resumed:
                turn.resumed = most(turn.resumed, self.at)
