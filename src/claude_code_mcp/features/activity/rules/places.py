"""Where each thing is: which turns are one, and what hangs below what."""

from collections.abc import Iterable
from typing import NamedTuple

from claude_code_mcp.features.activity.rules.book import AGENT_TOOLS, Book
from claude_code_mcp.features.activity.rules.joining import began, joined
from claude_code_mcp.features.activity.rules.records import Call, Record, Request, Task, Turn

DEEPEST = 60
"""No real session nests deeper; what claims to is left out."""


class Group(NamedTuple):
    """A turn: what every source knows of it, under the one key that it is given out under."""

    key: str
    records: tuple[Turn, ...]
    start: int


Parent = Group | Call | Task | None
"""What something hangs below: None is the session."""


class Layout(NamedTuple):
    """Which turn of a stream is which of a prompt, all turns by key, and in the order in which they began."""

    joins: dict[str, str]
    groups: dict[str, Group]
    order: list[Group]


class Places:
    """Where things are, as far as is known; what was worked out once is remembered."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.joins, self.groups, self.order = self._laid_out()
        self._parents: dict[Record, Parent] = {}
        self._depths: dict[Record, int] = {}

    def _laid_out(self) -> Layout:
        """Return which turns are one, and their order: worked out anew only when something about a turn changed."""
        if not isinstance(self.book.layout, Layout):
            self.joins = joined(self.book)
            groups = self._grouped()
            order = sorted(groups.values(), key=lambda group: (group.start, group.key))
            self.book.layout = Layout(self.joins, groups, order)
        return self.book.layout

    def group(self, key: str) -> Group | None:
        """Return the turn that a source calls `key`."""
        return self.groups.get(self.joins.get(key, key))

    def parent(self, record: Call | Task | Request) -> Parent:
        """Return what a record hangs below. None where that is the session; also for what goes in a circle
        or deeper than anything real, which is left out."""
        chain: dict[Call | Task | Request, Parent] = {}
        one: Parent | Request = record
        while isinstance(one, (Call, Task, Request)) and one not in self._parents and one not in chain:
            above = chain[one] = self._raw_parent(one)
            one = above
        if isinstance(one, (Call, Task, Request)) and one in chain:
            start: Parent | Request = one
            while isinstance(one, (Call, Task, Request)):
                above, chain[one] = chain[one], None
                one = above if above is not start else None
        for link, above in reversed(chain.items()):
            depth = self._depths.get(above, 0) + 1 if isinstance(above, Record) else 1
            self._parents[link] = above if depth <= DEEPEST else None
            self._depths[link] = depth if depth <= DEEPEST else 1
        return self._parents[record]

    def agent_of(self, call: Call) -> Task | None:
        """Return the subagent that is one node with its call."""
        found = [task for name in call.tasks if (task := self.book.tasks[name]).subagent or call.name in AGENT_TOOLS]
        own = [task for task in found if task.call is not None and task.call[1] == call.id]
        return own[0] if len(own) == 1 else None

    def requests_of(self, call: Call) -> list[Request]:
        """Return the questions about a call."""
        return [request for name in call.requests if (request := self.book.requests[name]).call == call.id]

    def top(self, record: Call | Task | Request) -> str:
        """Return the key of the turn that a record is in, "" where it is in none."""
        above: Parent = self.parent(record)
        while isinstance(above, (Call, Task)):
            above = self.parent(above)
        return above.key if above is not None else ""

    def _grouped(self) -> dict[str, Group]:
        members: dict[str, list[Turn]] = {}
        for turn in self.book.turns.values():
            members.setdefault(self.joins.get(turn.key, turn.key), []).append(turn)
        groups: dict[str, Group] = {}
        for key, records in members.items():
            told = [turn.start for turn in records if turn.start]
            if told:
                leading = max(records, key=lambda turn: turn.start or (-1, 0))
                start = began(leading) if leading.run else -max(told)[1]
            else:
                start = min(turn.first for turn in records)
            groups[key] = Group(key, tuple(sorted(records, key=lambda turn: turn.key)), start)
        return groups

    def _raw_parent(self, record: Call | Task | Request) -> Parent:
        if isinstance(record, Call):
            return self._parent_of_call(record)
        if isinstance(record, Task):
            if record.call is not None:
                return self.book.calls[record.call[1]]
            return self._thread(record.parent_agent) or self._claimed(record.turns)
        if record.call:
            return self.book.calls[record.call]
        return self._thread(record.agent_id) or self._claimed(record.turns)

    def _parent_of_call(self, call: Call) -> Parent:
        if call.agent_id:
            return self._thread(call.agent_id)
        if call.parent and call.parent in self.book.calls:
            return self.book.calls[call.parent]
        found: Parent = self._claimed(call.turns)
        for name in call.tasks if found is None else ():
            task = self.book.tasks[name]
            found = found or self._thread(task.parent_agent) or self._claimed(task.turns)
        return found

    def _thread(self, agent_id: str) -> Call | Task | None:
        task = self.book.tasks.get(agent_id) if agent_id else None
        if task is None:
            return None
        if task.call is not None:
            call = self.book.calls[task.call[1]]
            if self.agent_of(call) is task:
                return call
        return task

    def _claimed(self, turns: Iterable[tuple[int, str]]) -> Group | None:
        for _, key in turns:
            return self.group(key)
        return None
