"""How each thing stands, worked out from what is known: when it began and ended, and why it counts as ended.

The rule for what will never tell its end is written in docs/explanations/activity-tree.md.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from claude_code_mcp.features.activity.models import NodeStatus
from claude_code_mcp.features.activity.rules.book import PERSON_TOOLS, Book
from claude_code_mcp.features.activity.rules.joining import began
from claude_code_mcp.features.activity.rules.moments import Stretch, merged
from claude_code_mcp.features.activity.rules.places import Group, Places
from claude_code_mcp.features.activity.rules.records import Call, Claim, Mark, Record, Request, Task, Turn

TURN_END, NEXT_PROMPT = "turn_end", "next_prompt"
WAITS_FOR = {"AskUserQuestion": "an answer", "ExitPlanMode": "approval of a plan", "Elicitation": "an answer"}
"""What a person is waited for, where it is no permission."""
_STATUS = {status.value: status for status in NodeStatus}
_OPEN = (NodeStatus.RUNNING, NodeStatus.WAITING)


class Stand(NamedTuple):
    """How something stands: microseconds, `end` None while it goes on; `closed_by` where its end was not seen."""

    start: int | None
    end: int | None
    status: NodeStatus
    closed_by: str = ""
    error: str = ""


class Standing(Places):
    """How things stand; what was worked out once is remembered."""

    def __init__(self, book: Book) -> None:
        super().__init__(book)
        self._next = {one.key: other.start for one, other in zip(self.order, self.order[1:], strict=False)}
        self._closes = sorted(book.life.closes)
        self._stands: dict[Record | str, Stand] = {}
        self.working = False
        self.waiting: dict[str, str] = {}
        self._look()

    def _look(self) -> None:
        """Find what goes on and which turns wait for a person."""
        for record in self.book.unended:
            if isinstance(record, Request):
                stand = self.request(record) if not record.call else None
                name = record.about[1] if record.about else "a tool"
            else:
                stand = self.call(record) if isinstance(record, Call) else self.task(record)
                name = record.name if isinstance(record, Call) else ""
            if stand is None or stand.end is not None:
                continue
            if stand.status is NodeStatus.WAITING:
                words = WAITS_FOR.get(name, f"permission for {name}")
                top = self.top(record)
                self.waiting[top] = min(self.waiting.get(top, words), words)
            elif stand.status is NodeStatus.RUNNING:
                self.working = True

    def is_question(self, call: Call) -> bool:
        """Tell whether a call is nothing but a question to the person."""
        return call.name in PERSON_TOOLS

    def turn(self, group: Group) -> Stand:
        """Return how a turn stands."""
        known = self._stands.get(group.key)
        if known is None:
            known = self._stands[group.key] = self._turn(group)
        return known

    def call(self, call: Call) -> Stand:
        """Return how a call stands, with the subagent that it launched."""
        known = self._stands.get(call)
        if known is None:
            known = self._stands[call] = self._call(call)
        return known

    def task(self, task: Task) -> Stand:
        """Return how a subagent or background task stands by itself."""
        known = self._stands.get(task)
        if known is None:
            known = self._stands[task] = self._task(task)
        return known

    def waits(self, call: Call) -> list[Stretch]:
        """Return when a call waited for a person; an end of 0 is now."""
        stand = self.call(call)
        if call.name in PERSON_TOOLS and stand.start is not None:
            return [(stand.start, stand.end or 0)]
        if call.blocked is not None and not call.requests:
            waited, at = call.blocked
            return [(at - waited, at)]
        stretches: list[Stretch] = []
        for request in self.requests_of(call):
            stretches += self.asked(request, call, stand)
        return stretches

    def asked(self, request: Request, call: Call | None, stand: Stand) -> list[Stretch]:
        """Return when a question waited for its answer."""
        times = sorted(request.asked) or ([request.opened] if request.opened is not None else [])
        done = sorted(self._answers(request, call))
        out: list[Stretch] = []
        until = -1
        for at in times:
            if at < until:
                continue
            place = bisect_left(done, at)
            if place < len(done):
                until = done[place]
            else:
                until = self._unanswered(at, call, stand)
                out.append((at, until))
                break
            out.append((at, until))
        return out

    def request(self, request: Request) -> Stand:
        """Return how a question that is about no known call stands."""
        if not request.asked and request.opened is None:
            return Stand(None, None, NodeStatus.COMPLETED)
        start = min(request.asked) if request.asked else request.opened
        closed = self._closed(start or 0, None, self._of_parent(request, start or 0))
        open_ = Stand(start, closed.end if closed else None, NodeStatus.WAITING)
        stretches = self.asked(request, None, open_)
        if stretches and stretches[-1][1]:
            if closed and stretches[-1][1] == closed.end and not request.done:
                return closed._replace(start=start)
            denied = request.decision is not None and request.decision[1] == "deny"
            return Stand(start, stretches[-1][1], NodeStatus.DENIED if denied else NodeStatus.COMPLETED)
        return open_

    def mark(self, mark: Mark, group: Group | None) -> Stand:
        """Return how a compaction, retry or notice stands."""
        start = -mark.start[1] if mark.start else (mark.ended[1] if mark.ended else mark.first)
        if mark.ended:
            return Stand(start, max(start, mark.ended[1]), _STATUS[mark.ended[2]], "", mark.ended[3])
        closed = self._closed(start, None, self._of_turn(group, start))
        return closed._replace(start=start) if closed else Stand(start, None, NodeStatus.RUNNING)

    def _turn(self, group: Group) -> Stand:
        start = group.start
        ended = [(turn.ended, turn.key, turn) for turn in group.records if turn.ended is not None]
        resumed = max((turn.resumed for turn in group.records if turn.resumed is not None), default=0)
        if ended:
            claim, _, best = max(ended, key=lambda one: one[:2])
            if claim[1] >= resumed:
                return Stand(start, max(start, _end_of(best, claim)), _STATUS[claim[2]], "", claim[3])
        following = self._next.get(group.key)
        before = Stand(None, following, NodeStatus.ABANDONED, NEXT_PROMPT) if following is not None else None
        closed = self._closed(max(start, resumed), None, before)
        return closed._replace(start=start) if closed else Stand(start, None, NodeStatus.RUNNING)

    def _call(self, call: Call) -> Stand:
        start = -call.start[1] if call.start else None
        agent = self.agent_of(call)
        ended = call.ended
        if start is None and agent is not None and agent.start:
            start = -agent.start[1]
        lasts = agent is not None and ended is not None and (agent.background or ended[5]) and ended[2] == "completed"
        if ended is not None and not lasts:
            if start is None and call.ran is not None:
                start = ended[1] - call.ran[1] * 1000
            return Stand(start, max(start or 0, ended[1]), _STATUS[ended[2]], "", ended[4])
        if agent is not None:
            own = self._task(agent, call, start)
            if own.end is not None or ended is not None:
                return own._replace(start=start if start is not None else own.start)
        at = start if start is not None else call.first
        closed = self._closed(at, call.abandoned, self._of_parent(call, at))
        if closed:
            refused = closed.closed_by == TURN_END and closed.status is NodeStatus.ABANDONED and self._refused(call)
            return closed._replace(start=start, status=NodeStatus.DENIED if refused else closed.status)
        waiting = call.name in PERSON_TOOLS or any(
            stretches and not stretches[-1][1]
            for request in self.requests_of(call)
            if (stretches := self.asked(request, call, Stand(start, None, NodeStatus.RUNNING)))
        )
        return Stand(start, None, NodeStatus.WAITING if waiting else NodeStatus.RUNNING)

    def _refused(self, call: Call) -> bool:
        """Tell whether a call whose end nobody told was refused: it was asked about, and its turn went on to its end
        without it. Of hooks none tells what a person or a rule refused."""
        asked = [one for one in self.requests_of(call) if one.about is not None and one.about[1] == call.name]
        return bool(asked) and all(one.decision is None or one.decision[1] == "deny" for one in asked)

    def _task(self, task: Task, launched_by: Call | None = None, begun: int | None = None) -> Stand:
        start = -task.start[1] if task.start else begun
        if task.ended and not (task.again is not None and task.again > task.ended[1]):
            wrong = task.ended[3] if task.ended[2] == "failed" else ""
            return Stand(start, max(start or 0, task.ended[1]), _STATUS[task.ended[2]], "", wrong)
        at = max(start or 0, task.again or 0) or task.first
        parent = None if task.background else self._of_parent(launched_by or task, at)
        closed = self._closed(at, task.abandoned, parent)
        return closed._replace(start=start) if closed else Stand(start, None, NodeStatus.RUNNING)

    def _of_parent(self, record: Call | Task | Request, at: int) -> Stand | None:
        """Return the end that its parent's end means for it."""
        above = self.parent(record)
        if isinstance(above, Group):
            return self._of_turn(above, at)
        if isinstance(above, Call):
            stand = self.call(above)
        elif isinstance(above, Task):
            stand = self.task(above)
        else:
            return None
        return _as_end(stand, at)

    def _of_turn(self, group: Group | None, at: int) -> Stand | None:
        return _as_end(self.turn(group), at) if group is not None else None

    def _closed(self, at: int, abandoned: int | None, parent: Stand | None) -> Stand | None:
        """Return the first of what ends a thing that began `at` and did not tell its end."""
        found: list[tuple[int, int, Stand]] = []
        if parent is not None and parent.end is not None:
            found.append((parent.end, 0, parent))
        place = bisect_left(self._closes, (at, ""))
        if place < len(self._closes):
            end, how = self._closes[place]
            found.append((end, 1, Stand(None, end, NodeStatus.ABANDONED, how)))
        if abandoned is not None:
            found.append(
                (max(at, abandoned), 2, Stand(None, max(at, abandoned), NodeStatus.ABANDONED, "process_death"))
            )
        return min(found)[2] if found else None

    def _answers(self, request: Request, call: Call | None) -> frozenset[int]:
        """Return when a question was answered, as told for it or for the same question as seen by another source."""
        done = request.done
        if call is not None and len(call.requests) > 1:
            for other in self.requests_of(call):
                done |= other.done
        return done

    def _unanswered(self, at: int, call: Call | None, stand: Stand) -> int:
        """Return when a question without an answer ceased to wait: when the tool began to run, or with the call."""
        if stand.end is None:
            return 0
        if call is not None and call.ended is not None and call.ran is not None:
            return max(at, stand.end - int(call.ran[1]) * 1000)
        return max(at, stand.end)


def _as_end(stand: Stand, at: int) -> Stand | None:
    if stand.end is None or stand.end < at:
        return None
    broken = stand.status is NodeStatus.INTERRUPTED
    status = NodeStatus.INTERRUPTED if broken else NodeStatus.ABANDONED
    return Stand(None, stand.end, status, stand.closed_by or TURN_END)


def _end_of(turn: Turn, claim: Claim) -> int:
    """Return when a turn ended. A result line carries no time: one read late ended when its duration was over."""
    at, took = int(claim[1]), int(claim[4])
    return min(at, max(began(turn) + took, turn.heard or 0)) if took else at


def together(stretches: Iterable[Stretch], now: int) -> list[Stretch]:
    """Return stretches with those that go on ended now, merged."""
    return merged((start, end or now) for start, end in stretches)
