"""The tree: nodes hung below each other, no deeper and no wider than is asked for."""

from collections.abc import Iterable

from claude_code_mcp.features.activity.models import ActivityNode, NodeStatus, NodeType
from claude_code_mcp.features.activity.rules.book import Book
from claude_code_mcp.features.activity.rules.moments import Stretch, clipped, length, merged, without
from claude_code_mcp.features.activity.rules.places import Group
from claude_code_mcp.features.activity.rules.records import NEVER, Call, Mark, Request, Task, one_of
from claude_code_mcp.features.activity.rules.spending import Spender, Weight, tokens_of
from claude_code_mcp.features.activity.rules.sprouting import Fields, Leaf, Sprout, Sprouter, Thing, session_name
from claude_code_mcp.features.activity.rules.standing import Stand, Standing
from claude_code_mcp.features.activity.rules.times import critical, told
from claude_code_mcp.features.activity.rules.view import OPEN, View, wanted


class Grower:
    """Grows nodes for one moment and one view."""

    def __init__(self, book: Book, standing: Standing, view: View, now: int, known: dict[str, Weight]) -> None:
        self.book = book
        self.standing = standing
        self.view = view
        self.now = now
        self.sprouter = Sprouter(book, standing, now, view.slow_ms)
        self.spender = Spender(book, standing, self.below, now, known)

    def root(self) -> ActivityNode:
        """Return the whole tree."""
        return self._filled(self.trunk(), [*self.standing.order, *self.loose()], 0)

    def trunk(self) -> Sprout:
        """Return the session's node without children."""
        book, order = self.book, self.standing.order
        life = book.life
        fields: Fields = {
            "id": book.session_id,
            "type": NodeType.SESSION,
            "name": session_name(book, self.standing),
            "description": life.cwd[1] if life.cwd else "",
            "waiting_for": min(self.standing.waiting.items(), default=("", ""))[1],
        }
        start = min([group.start for group in order] or [life.first])
        tokens, cost = self.spender.session()
        weights = [self.spender.weigh(group) for group in order]
        slowest = self.spender.slowest(*weights)
        fields["times"] = told([weight.share for weight in weights], self.spender.idle(), slowest)
        fields["tokens"], fields["cost_microusd"] = tokens_of(tokens), cost
        return self.sprouter.made(None, fields, self.session(start), self._bits())

    def grow(self, thing: Thing) -> ActivityNode:
        """Return the node of a record with what is in it."""
        return self._filled(self.shallow(thing), self.inside(thing), 0)

    def shallow(self, thing: Thing) -> Sprout:
        """Return the node of a record without what is in it."""
        sprout = self.sprouter.sprout(thing)
        if isinstance(thing, Group):
            weight = self.spender.weigh(thing)
            sprout.node.times = told([weight.share], (), self.spender.slowest(weight))
            sprout.node.tokens, sprout.node.cost_microusd = tokens_of(weight.tokens), weight.cost
        elif isinstance(thing, (Call, Task)) and sprout.node.type is NodeType.SUBAGENT:
            agent = thing if isinstance(thing, Task) else self.standing.agent_of(thing)
            tokens, sprout.node.cost_microusd = self.spender.agent(agent)
            sprout.node.tokens = tokens_of(tokens)
        return sprout

    def inside(self, thing: Thing) -> list[Leaf]:
        """Return what hangs below a record and is shown, in no order."""
        if isinstance(thing, Group):
            return self._in_turn(thing)
        if isinstance(thing, Task):
            return self._in_thread(thing, thing)
        if not isinstance(thing, Call):
            return []
        found: list[Leaf] = list(self.standing.requests_of(thing)[:1])
        agent = self.standing.agent_of(thing)
        if agent is not None:
            found += self._in_thread(agent, thing)
        found += self._here([self.book.tasks[name] for name in thing.tasks], thing)
        under = [self.book.calls[name] for name in self.book.under.get(thing.id, ())]
        found += self._here([call for call in under if not call.agent_id], thing)
        return found

    def loose(self) -> list[Leaf]:
        """Return what hangs below the session itself."""
        found = self._here([one for one in self.book.loose if isinstance(one, (Call, Task, Request))], None)
        return [*found, *(mark for mark in self.book.marks.values() if not mark.moved)]

    def session(self, start: int) -> Stand:
        """Return how the session stands: it goes on while something in it does."""
        stands = [self.standing.turn(group) for group in self.standing.order]
        if self.standing.waiting:
            return Stand(start, None, NodeStatus.WAITING)
        if any(stand.end is None for stand in stands) or self.standing.working:
            return Stand(start, None, NodeStatus.RUNNING)
        life = self.book.life
        ends = [stand.end for stand in stands if stand.end is not None] or [at for at, _ in life.closes]
        if not ends:
            return Stand(start if start < NEVER else None, None, NodeStatus.COMPLETED)
        last = stands[-1] if stands else Stand(None, None, NodeStatus.COMPLETED)
        if life.failed is not None and life.failed[0] >= max(ends):
            return Stand(start, max(ends), NodeStatus.FAILED, "", life.failed[1])
        return Stand(start, max(ends), last.status, last.closed_by, last.error)

    def _bits(self) -> int:
        bits = self.book.life.bits
        for turn in self.book.turns.values():
            bits |= turn.bits
        return bits

    def below(self, thing: Thing) -> Iterable[Leaf]:
        """Return everything below a record."""
        waiting: list[Leaf] = self.inside(thing)
        while waiting:
            leaf = waiting.pop()
            yield leaf
            waiting += self.inside(leaf)

    def _in_turn(self, group: Group) -> list[Leaf]:
        calls: dict[str, None] = {}
        tasks: dict[str, None] = {}
        requests: dict[str, None] = {}
        marks: dict[str, Mark] = {}
        for turn in group.records:
            calls.update(turn.calls)
            tasks.update(turn.tasks)
            requests.update(turn.requests)
            marks.update(turn.marks)
        book = self.book
        return [
            *self._here([book.calls[name] for name in calls], group),
            *self._here([book.tasks[name] for name in tasks], group),
            *self._here([book.requests[name] for name in requests], group),
            *self._joined(group, marks),
        ]

    def _joined(self, group: Group, marks: dict[str, Mark]) -> Iterable[Leaf]:
        if len(group.records) > 1:
            marks = {
                place: one_of([turn.marks[place] for turn in group.records if place in turn.marks]) for place in marks
            }
        return [mark for mark in marks.values() if not mark.moved]

    def _in_thread(self, agent: Task, above: Call | Task) -> list[Leaf]:
        calls = [self.book.calls[name] for name in agent.calls]
        others = [one for one in agent.others if isinstance(one, (Task, Request))]
        return [*self._here(calls, above), *self._here(others, above)]

    def _here(
        self, records: Iterable[Call | Task | Request], above: Group | Call | Task | None
    ) -> list[Call | Task | Request]:
        parent = self.standing.parent
        return [one for one in records if parent(one) == above and self.is_node(one)]

    def is_node(self, record: Call | Task | Request) -> bool:
        """Tell whether a record is a node of its own."""
        if isinstance(record, Request):
            return not record.call and bool(record.asked or record.opened)
        if isinstance(record, Call):
            return (
                record.opened is not None
                or record.ended is not None
                or any(self._began(self.book.tasks[name]) for name in record.tasks)
            )
        if record.call is not None and self.standing.agent_of(self.book.calls[record.call[1]]) is record:
            return False
        return self._began(record) and (record.subagent or record.background)

    def _began(self, task: Task) -> bool:
        return task.started or bool(task.calls) or (task.call is not None and task.background)

    def _filled(self, sprout: Sprout, things: Iterable[Thing], depth: int) -> ActivityNode:
        """Add the children that the view asks for, and count those that it does not."""
        node, view = sprout.node, self.view
        if view.max_depth is not None and depth >= view.max_depth:
            return self._closed(sprout, list(things))
        sprouts = [self.shallow(thing) for thing in things]
        sprouts.sort(key=lambda one: (one.span or (NEVER,), one.node.id))
        self._weigh(sprout, sprouts)
        for one in sprouts:
            child = one.node
            if wanted(child, view):
                self._filled(one, self.inside(one.thing) if one.thing is not None else (), depth + 1)
                if view.include_completed or child.status in OPEN or child.children:
                    node.children.append(child)
                    continue
            node.hidden += 1
        return node

    def _closed(self, sprout: Sprout, things: list[Thing]) -> ActivityNode:
        """Count what is in a node without making nodes of it."""
        sprout.node.hidden = len(things)
        if sprout.span is not None:
            stands = (self._stand(thing) for thing in things)
            spans = [(stand.start, stand.end or self.now) for stand in stands if stand and stand.start is not None]
            taken = clipped(merged(spans), *sprout.span)
            sprout.node.self_ms = length(without([sprout.span], taken)) // 1000
        return sprout.node

    def _stand(self, thing: Thing) -> Stand | None:
        if isinstance(thing, Group):
            return self.standing.turn(thing)
        if isinstance(thing, Call):
            agent = self.standing.agent_of(thing)
            return None if agent is not None and agent.background else self.standing.call(thing)
        if isinstance(thing, Task):
            return None if thing.background else self.standing.task(thing)
        return None

    def _weigh(self, sprout: Sprout, sprouts: list[Sprout]) -> None:
        """Say which children are on the critical path, and which time was in none of them."""
        if sprout.span is None:
            return
        spans = [one for one in sprouts if one.span is not None and not one.node.background]
        path = critical([(*one.span, one.node.id) for one in spans if one.span], sprout.span[1])
        for one in sprouts:
            one.node.on_critical_path = one.node.id in path
        taken: list[Stretch] = clipped(merged(one.span for one in spans if one.span), *sprout.span)
        sprout.node.self_ms = length(without([sprout.span], taken)) // 1000
