"""The book of one session: all records, found by their keys, and which of them changed when."""

from claude_code_mcp.features.activity.rules.merging import Ranks, ranks_of
from claude_code_mcp.features.activity.rules.records import Call, Life, Mark, Record, Request, Task, Turn

AGENT_TOOLS = frozenset(("Agent", "Task"))
"""Tools that launch a subagent; the call and the subagent are one node."""
PERSON_TOOLS = frozenset(("AskUserQuestion", "ExitPlanMode"))
"""Tools that are a question to the person from their start to their end."""
FAILED, DENIED, INTERRUPTED, COMPLETED = "failed", "denied", "interrupted", "completed"
EVERYWHERE = "*"
"""In the list of turns in which something changed: it cannot be told which."""


class Lane:
    """What one source said last: its turn, the series that it is in, the open calls of each of its threads."""

    __slots__ = ("compaction", "going", "open", "over", "ranks", "series", "source", "turn")

    def __init__(self, source: str) -> None:
        self.source = source
        self.ranks: Ranks = ranks_of(source)
        self.turn = ""
        self.series: dict[tuple[str, str], tuple[int, int]] = {}
        self.going: dict[str, Mark] = {}
        self.compaction: Mark | None = None
        self.over = 0
        self.open: dict[str, dict[str, tuple[str, str]]] = {}


class Book:
    """All that is known of a session, and the order in which it changed."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.life = Life()
        self.calls: dict[str, Call] = {}
        self.tasks: dict[str, Task] = {}
        self.turns: dict[str, Turn] = {}
        self.requests: dict[str, Request] = {}
        self.marks: dict[str, Mark] = {}
        self.prompts: dict[str, str] = {}
        self.approvals: dict[str, str] = {}
        self.by_uuid: dict[str, str] = {}
        self.lanes: dict[str, Lane] = {}
        self.loose: dict[Record, None] = {}
        self.under: dict[str, dict[str, None]] = {}
        self.unended: dict[Call | Task | Request, None] = {}
        self.counts = [0, 0, 0, 0, 0]
        self.revs: dict[Record, int] = {}
        self.mark = 0
        self.stale: set[str] = set()
        self.layout: object = None

    def lane(self, source: str, run: str = "") -> Lane:
        """Return what a source (of one run, for a stream) said last."""
        key = f"{source} {run}" if run else source
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = Lane(source)
        return lane

    def call(self, call_id: str) -> Call:
        """Return the record of a call, a new one where it is not known."""
        call = self.calls.get(call_id)
        if call is None:
            call = self.calls[call_id] = Call(call_id)
            self.unended[call] = self.loose[call] = None
        return call

    def task(self, task_id: str) -> Task:
        """Return the record of a subagent or background task, a new one where it is not known."""
        task = self.tasks.get(task_id)
        if task is None:
            task = self.tasks[task_id] = Task(task_id)
            self.unended[task] = self.loose[task] = None
        return task

    def turn(self, key: str, run: str = "", number: int = 0) -> Turn:
        """Return the record of a turn, a new one where it is not known."""
        turn = self.turns.get(key)
        if turn is None:
            turn = self.turns[key] = Turn(key, run, number)
            self.layout = None
        return turn

    def request(self, request_id: str) -> Request:
        """Return the record of a question, a new one where it is not known."""
        request = self.requests.get(request_id)
        if request is None:
            request = self.requests[request_id] = Request(request_id)
            self.unended[request] = self.loose[request] = None
        return request

    def mark_in(self, turn: str, place: str, sort: str) -> Mark:
        """Return the record of what happened at a `place` of a turn, a new one where it is not known."""
        marks = self.turns[turn].marks if turn in self.turns else self.marks
        mark = marks.get(place)
        if mark is None:
            mark = marks[place] = Mark(turn, place, sort)
        return mark

    def touch(self, record: Record, at: int, bit: int) -> None:
        """Note that a record changed now, on the word of a source, by something that happened `at`."""
        revs = self.revs
        if isinstance(record, Turn):
            self.layout = None
        if not record.born:
            record.born = self.mark or 1
        elif record in revs:
            del revs[record]
        revs[record] = self.mark
        record.bits |= bit
        record.first = min(record.first, at)

    def changed(self, record: Record) -> None:
        """Note that a record stands differently now, by something that is told of another one."""
        if record.born:
            self.revs.pop(record, None)
            self.revs[record] = self.mark

    def touch_open(self, at: int) -> None:
        """Note that whatever has not ended may stand differently now."""
        for record in self.unended:
            if record.first <= at:
                self.revs.pop(record, None)
                self.revs[record] = self.mark

    def into_turn(self, record: Call | Task | Request, rank: int, key: str) -> None:
        """Claim that something began in a turn; two turns that share a call may be one."""
        claim = (rank, key)
        if claim in record.turns:
            return
        if isinstance(record, Call) and rank >= 0:
            self._vote(record, key)
        self._moves(record)
        record.turns = tuple(sorted((*record.turns, claim), reverse=True))
        turn = self.turn(key)
        self.loose.pop(record, None)
        if isinstance(record, Call):
            turn.calls[record.id] = None
        elif isinstance(record, Task):
            turn.tasks[record.id] = None
        else:
            turn.requests[record.id] = None

    def launch(self, task: Task, call: Call, rank: int) -> None:
        """Note that a call launched a subagent or task."""
        claim = (rank, call.id)
        if task.call is None or claim > task.call:
            self._moves(task)
            task.call = claim
        self.loose.pop(task, None)
        if task.id not in call.tasks:
            call.tasks = tuple(sorted((*call.tasks, task.id)))

    def thread(self, call: Call, agent_id: str) -> None:
        """Note that a call was made by a subagent."""
        call.agent_id = max(call.agent_id, agent_id)
        self.loose.pop(call, None)
        self.task(agent_id).calls[call.id] = None

    def aside(self, record: Task | Request, agent_id: str) -> None:
        """Note that a task or a question without a call belongs to a subagent."""
        self.loose.pop(record, None)
        others = self.task(agent_id).others
        if record not in others:
            self._moves(record)
            others[record] = None

    def below(self, call: Call, parent: str) -> None:
        """Note that a call was made inside of another call."""
        if parent != call.id:
            if parent > call.parent:
                self._moves(call)
            call.parent = max(call.parent, parent)
            self.loose.pop(call, None)
            self.under.setdefault(parent, {})[call.id] = None

    def count(self, call: Call) -> None:
        """Keep the counts of the session: what a call counted for until now, and what for from now on."""
        sort = 0
        if call.opened or call.ended:
            sort = 1
            if call.opened and call.opened[4]:
                sort |= 2
            elif call.name in AGENT_TOOLS:
                sort |= 4
            status = call.ended[2] if call.ended else ""
            if status == FAILED:
                sort |= 8
            elif status == DENIED:
                sort |= 16
        if sort != call.counted:
            for place in range(5):
                self.counts[place] += (sort >> place & 1) - (call.counted >> place & 1)
            call.counted = sort

    def _moves(self, record: Call | Task | Request) -> None:
        """Note that a record that was somewhere already is somewhere else from now on, with all that is in it."""
        if record.born:
            self.stale.add(EVERYWHERE)

    def _vote(self, call: Call, key: str) -> None:
        of_run = bool(self.turn(key).run)
        for rank, other in call.turns:
            if rank < 0:
                continue
            theirs = self.turns[other]
            if bool(theirs.run) != of_run:
                stream, prompt = (key, other) if of_run else (other, key)
                votes = self.turns[stream].votes
                votes[prompt] = votes.get(prompt, 0) + 1
                self.layout = None
