"""What a turn and a session took: time with the model, in tools and waiting for a person, tokens, cost."""

import heapq
from collections.abc import Callable, Iterable
from typing import NamedTuple

from claude_code_mcp.features.activity.models import SlowCall, Tokens
from claude_code_mcp.features.activity.rules.book import Book
from claude_code_mcp.features.activity.rules.merging import RULES
from claude_code_mcp.features.activity.rules.moments import Stretch, length
from claude_code_mcp.features.activity.rules.places import Group
from claude_code_mcp.features.activity.rules.records import Call, Request, Spending, Spent, Task
from claude_code_mcp.features.activity.rules.sprouting import Leaf, Thing
from claude_code_mcp.features.activity.rules.standing import Standing, together
from claude_code_mcp.features.activity.rules.times import Share, shared

_LONGEST = 3


class Weight(NamedTuple):
    """What one turn took. `slowest`: (microseconds, call) of its longest calls. `settled`: its end was seen and nothing
    in it goes on, so only news of it can change it."""

    share: Share
    tokens: Spent | None
    cost: int | None
    slowest: list[tuple[int, str]]
    settled: bool


class Spender:
    """Weighs turns for one moment; what is settled is remembered in `known` for the next."""

    def __init__(
        self,
        book: Book,
        standing: Standing,
        below: Callable[[Thing], Iterable[Leaf]],
        now: int,
        known: dict[str, Weight],
    ) -> None:
        self.book = book
        self.standing = standing
        self.now = now
        self._below = below
        self._known = known
        self._open: dict[str, Weight] = {}

    def weigh(self, group: Group) -> Weight:
        """Return what a turn took."""
        found = self._known.get(group.key) or self._open.get(group.key)
        if found is None:
            found = self._weigh(group)
            (self._known if found.settled else self._open)[group.key] = found
        return found

    def agent(self, task: Task | None) -> tuple[Spent | None, int | None]:
        """Return tokens and cost of a subagent by itself."""
        return _best([task.spent]) if task is not None else (None, None)

    def session(self) -> tuple[Spent, int | None]:
        """Return tokens and cost of the session."""
        weights = [self.weigh(group) for group in self.standing.order]
        outside, outside_cost = _best([self.book.life.spent])
        parts = [weight.tokens for weight in weights if weight.tokens] + ([outside] if outside else [])
        costs = [weight.cost for weight in weights if weight.cost is not None]
        costs += [outside_cost] if outside_cost is not None else []
        total = self.book.life.total_cost
        cost = max(total or 0, sum(costs)) if costs or total is not None else None
        sums = [sum(part[place] for part in parts) for place in range(4)]
        return (sums[0], sums[1], sums[2], sums[3], -1), cost

    def slowest(self, *weights: Weight) -> list[SlowCall]:
        """Return the calls that took longest in some turns."""
        found = heapq.nsmallest(_LONGEST, (one for weight in weights for one in weight.slowest), key=_by_length)
        names = (self.book.calls[call_id].opened or (0, "", "", "", "", "") for _, call_id in found)
        return [
            SlowCall.model_construct(id=call_id, name=opened[5] or opened[1], ms=took // 1000)
            for (took, call_id), opened in zip(found, names, strict=True)
        ]

    def idle(self) -> list[Stretch]:
        """Return when the session waited for its next prompt, as far as the person was told."""
        ask = self.book.life.ask
        if ask is None or ask[1] != "idle_prompt":
            return []
        turns = [(group.start, self.standing.turn(group).end) for group in self.standing.order]
        since = max((end for _, end in turns if end is not None and end <= ask[0]), default=ask[0])
        ends = [start for start, _ in turns if start > ask[0]]
        ends += [at for at, _ in self.book.life.closes if at > ask[0]]
        return [(since, min(ends, default=max(self.now, ask[0])))]

    def _weigh(self, group: Group) -> Weight:
        stand = self.standing.turn(group)
        end = stand.end if stand.end is not None else max(self.now, group.start)
        person: list[Stretch] = []
        tools: list[Stretch] = []
        spent: list[Spending | None] = [turn.spent for turn in group.records]
        longest: list[tuple[int, str]] = []
        settled = any(turn.ended for turn in group.records) and stand.end is not None
        for leaf in self._below(group):
            settled = self._take(leaf, person, tools, spent) and settled
            if isinstance(leaf, Call) and (took := self._ran(leaf)):
                longest.append((took, leaf.id))
        heard = max((turn.heard or 0 for turn in group.records), default=0)
        heard = end if stand.end is None else max(heard, group.start)
        share = shared((group.start, end), heard, together(person, self.now), together(tools, self.now))
        tokens, cost = _best(spent)
        return Weight(share, tokens, cost, heapq.nsmallest(_LONGEST, longest, key=_by_length), settled)

    def _ran(self, call: Call) -> int:
        """Return how long a call ran, 0 for one that is a question, a subagent, or without a beginning."""
        stand = self.standing.call(call)
        if stand.start is None or self.standing.is_question(call) or self.standing.agent_of(call) is not None:
            return 0
        waited = length(together(self.standing.waits(call), self.now))
        return max(0, (stand.end or self.now) - stand.start - waited)

    def _take(self, leaf: Leaf, person: list[Stretch], tools: list[Stretch], spent: list[Spending | None]) -> bool:
        """Add what one node took; tell whether it has ended."""
        if isinstance(leaf, Call):
            stand = self.standing.call(leaf)
            person += self.standing.waits(leaf)
            agent = self.standing.agent_of(leaf)
            if agent is not None:
                spent.append(agent.spent)
            elif stand.start is not None and not self.standing.is_question(leaf):
                tools.append((stand.start, stand.end or 0))
            return stand.end is not None
        if isinstance(leaf, Request):
            if leaf.call:
                return True  # its call has told
            stand = self.standing.request(leaf)
            person += self.standing.asked(leaf, None, stand)
            return stand.end is not None
        if isinstance(leaf, Task):
            if leaf.subagent:
                spent.append(leaf.spent)
            return self.standing.task(leaf).end is not None
        return True


def _by_length(one: tuple[int, str]) -> tuple[int, str]:
    return -one[0], one[1]


def tokens_of(spent: Spent | None) -> Tokens | None:
    """Return counted tokens as they are given out."""
    if spent is None:
        return None
    return Tokens.model_construct(
        input_tokens=spent[0], output_tokens=spent[1], cache_read_tokens=spent[2], cache_write_tokens=spent[3]
    )


def _best(parts: Iterable[Spending | None]) -> tuple[Spent | None, int | None]:
    """Return tokens and cost, each as the source tells it that is believed most about it."""
    totals: dict[str, list[int]] = {}
    for part in parts:
        for source, told in part.totals.items() if part is not None else ():
            sums = totals.setdefault(source, [0, 0, 0, 0, -1])
            for place in range(4):
                sums[place] += told[place]
            if told[4] >= 0:
                sums[4] = max(sums[4], 0) + told[4]
    tokens = next((totals[source] for source in RULES["tokens"].order if source in totals), None)
    costs = (totals[source][4] for source in RULES["cost"].order if source in totals)
    cost = next((value for value in costs if value >= 0), None)
    return ((tokens[0], tokens[1], tokens[2], tokens[3], -1) if tokens is not None else None), cost
