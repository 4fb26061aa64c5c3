"""The fold: events of one session in, its tree and its summary out."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from claude_code_mcp.features.activity.models import ActivityNode, SessionActivity
from claude_code_mcp.features.activity.rules import seeing_sessions, seeing_tasks, seeing_tools, seeing_turns
from claude_code_mcp.features.activity.rules.book import EVERYWHERE, Book
from claude_code_mcp.features.activity.rules.growing import Grower
from claude_code_mcp.features.activity.rules.moments import us_at, us_of
from claude_code_mcp.features.activity.rules.places import Group
from claude_code_mcp.features.activity.rules.records import Call, Life, Mark, Record, Request, Task, Turn, most
from claude_code_mcp.features.activity.rules.sight import Sight
from claude_code_mcp.features.activity.rules.spending import Weight
from claude_code_mcp.features.activity.rules.sprouting import Leaf, Thing, turn_id
from claude_code_mcp.features.activity.rules.standing import Standing
from claude_code_mcp.features.activity.rules.summing import summed
from claude_code_mcp.features.activity.rules.view import WHOLE, View
from claude_code_mcp.kernel.events import Recorded, Source

_SEEN = {**seeing_turns.SEEN, **seeing_tools.SEEN, **seeing_tasks.SEEN, **seeing_sessions.SEEN}
KINDS: Mapping[str, object] = _SEEN
"""Kinds of events that say something about the tree; others only say that the session lives."""
_STREAM, _HOOK = Source.STREAM.value, Source.HOOK.value


class SessionFold:
    """What is known of one session. Order between sources, repetition and cuts make no difference to the outcome."""

    def __init__(self, session_id: str) -> None:
        self._book = Book(session_id)
        self._known: set[int] = set()
        self._weights: dict[str, Weight] = {}
        self._weighed = 0
        self._joins: dict[str, str] = {}
        self._standing: Standing | None = None

    @property
    def session_id(self) -> str:
        """The session."""
        return self._book.session_id

    @property
    def mark(self) -> int:
        """The highest `seq` taken; give it to `changed_since` later."""
        return self._book.mark

    def add(self, event: Recorded) -> bool:
        """Take one event of this session and return whether it was new; one that was taken before changes nothing."""
        name = hash(event.source_key or event.id)
        if name in self._known:
            return False
        self._known.add(name)
        book = self._book
        book.mark = max(book.mark + (event.seq <= 0), event.seq)
        at = us_of(event.at)
        life = book.life
        if life.last is None or at > life.last:
            life.last = at
        life.first = min(life.first, at)
        if event.source == _HOOK:
            life.up = most(life.up, at)
        take = _SEEN.get(event.kind)
        if take is not None:
            source = event.source
            run = (event.source_key or "").partition(":")[0] if source == _STREAM else ""
            take(Sight(book, book.lane(source, run), event, at))
            self._standing = None
        return True

    def extend(self, events: Iterable[Recorded]) -> None:
        """Take events in order."""
        for event in events:
            self.add(event)

    def close(self, at: datetime, how: str = seeing_sessions.PROCESS_DEATH) -> None:
        """Take it that no process works on the session since `at`; `how` is `process_death` or `session_end`."""
        book, us = self._book, us_at(at)
        book.mark += 1
        book.life.closes.add((us, how))
        book.life.down = max(book.life.down or 0, us)
        book.touch_open(us)
        self._standing = None

    def changed_since(self, mark: int) -> list[str]:
        """Return the ids of the nodes that events after `mark` changed, the longest unchanged first; O(changed)."""
        found: dict[str, None] = {}
        standing = self._stands()
        for record, at in reversed(self._book.revs.items()):
            if at <= mark:
                break
            found[self._id(record, standing)] = None
        return list(reversed(found))

    def born_after(self, node_id: str, mark: int) -> bool:
        """Tell whether nothing was known of a node at `mark`."""
        thing = self._find(node_id)
        if isinstance(thing, Group):
            return all(turn.born > mark for turn in thing.records)
        if isinstance(thing, Call):
            return all(
                record.born > mark
                for record in (thing, *(self._book.tasks[name] for name in thing.tasks))
                if record.born
            )
        return isinstance(thing, Record) and thing.born > mark

    def root(self, now: datetime, view: View = WHOLE) -> ActivityNode:
        """Return the tree as it stands at `now`."""
        return self._grower(now, view).root()

    def node(self, node_id: str, now: datetime, view: View = WHOLE) -> ActivityNode | None:
        """Return one node with what is in it, or None where there is none; any id that it ever had will do."""
        if node_id == self.session_id:
            return self.root(now, view)
        thing = self._find(node_id)
        return self._grower(now, view).grow(thing) if thing is not None else None

    def glance(self, node_id: str, now: datetime, view: View = WHOLE) -> ActivityNode | None:
        """Return one node without what is in it, which is counted in `hidden` once it has ended; None for none.

        It costs the same however much is in it while it goes on, and says nothing of tokens and of where time went.
        """
        grower = self._grower(now, view)
        if node_id == self.session_id:
            return grower.trunk().node
        thing = self._find(node_id)
        if thing is None:
            return None
        node = grower.sprouter.sprout(thing).node
        if node.ended_at is not None:
            node.hidden = len(grower.inside(thing))
        return node

    def turn_at(self, moment: datetime) -> str:
        """Return the id of the turn that began last before a moment, "" where none had."""
        at = us_at(moment)
        order = self._stands().order
        return next((turn_id(group.key) for group in reversed(order) if group.start <= at), "")

    def question(self, name: str) -> str:
        """Return the id of the node of a question that is called `name` by us or by Claude Code, "" for none."""
        request = self._book.requests.get(self._book.approvals.get(name, name))
        return f"ask-{request.call or request.id}" if request is not None else ""

    def measured(self) -> tuple[int, float] | None:
        """Return bytes in memory and percent of a core as measured last, None where they never were."""
        found = self._book.life.measured
        return (found[1], found[2]) if found is not None else None

    def path(self, node_id: str) -> tuple[str, ...]:
        """Return the ids from the session down to the node, both included; empty where there is no such node."""
        if node_id == self.session_id:
            return (node_id,)
        thing, standing = self._find(node_id), self._stands()
        if thing is None:
            return ()
        ids = [self._id_of(thing, standing)]
        above: Group | Call | Task | None
        if isinstance(thing, Mark):
            above = standing.group(thing.turn)
        else:
            above = standing.parent(thing) if isinstance(thing, Record) else None
        while above is not None:
            ids.append(self._id_of(above, standing))
            above = standing.parent(above) if isinstance(above, (Call, Task)) else None
        return (self.session_id, *reversed(ids))

    def summary(self, now: datetime) -> SessionActivity:
        """Return the session in one row as it stands at `now`."""
        return summed(self._grower(now, View(max_depth=0)), us_at(now))

    def _stands(self) -> Standing:
        if self._standing is None:
            self._standing = Standing(self._book)
            self._forget_weights(self._standing)
        return self._standing

    def _forget_weights(self, standing: Standing) -> None:
        """Forget what was worked out of turns in which something changed since."""
        book, weights = self._book, self._weights
        for stream, prompt in self._joins.items() ^ standing.joins.items():
            weights.pop(stream, None)
            weights.pop(prompt, None)
        self._joins = standing.joins
        if EVERYWHERE in book.stale:
            weights.clear()
        for key in book.stale:
            weights.pop(standing.joins.get(key, key), None)
        book.stale.clear()
        for record, at in reversed(book.revs.items()):
            if at < self._weighed:
                break
            if isinstance(record, Turn):
                weights.pop(standing.joins.get(record.key, record.key), None)
            elif isinstance(record, (Call, Task, Request)):
                weights.pop(standing.top(record), None)
        self._weighed = book.mark

    def _grower(self, now: datetime, view: View) -> Grower:
        return Grower(self._book, self._stands(), view, us_at(now), self._weights)

    def _find(self, node_id: str) -> Thing | None:
        book, standing = self._book, self._stands()
        if node_id in book.calls:
            return book.calls[node_id]
        if node_id in book.tasks:
            task = book.tasks[node_id]
            call = book.calls[task.call[1]] if task.call is not None else None
            return call if call is not None and standing.agent_of(call) is task else task
        if node_id.startswith("ask-"):
            return self._asked(node_id.removeprefix("ask-"))
        turn, _, place = node_id.removeprefix("turn-").partition("/")
        group = standing.group(turn) if node_id.startswith("turn-") else None
        if not place:
            return group
        marks = [one.marks[place] for one in group.records if place in one.marks] if group else []
        return marks[0] if marks else book.marks.get(place)

    def _asked(self, name: str) -> Leaf | None:
        if name in self._book.calls:
            requests = self._stands().requests_of(self._book.calls[name])
            return requests[0] if requests else None
        return self._book.requests.get(name)

    def _id(self, record: Record, standing: Standing) -> str:
        if isinstance(record, Life):
            return self.session_id
        if isinstance(record, Turn):
            return turn_id(standing.joins.get(record.key, record.key))
        if isinstance(record, Mark):
            group = standing.group(record.turn)
            return f"{turn_id(group.key) if group else self.session_id}/{record.place}"
        if isinstance(record, Task) and record.call is not None:
            call = self._book.calls[record.call[1]]
            return call.id if standing.agent_of(call) is record else record.id
        if isinstance(record, Request):
            return f"ask-{record.call or record.id}"
        return record.id if isinstance(record, (Call, Task)) else ""

    def _id_of(self, thing: Thing, standing: Standing) -> str:
        return turn_id(thing.key) if isinstance(thing, Group) else self._id(thing, standing)
