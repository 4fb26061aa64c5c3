"""What is known of each thing that happened: registers that only ever take a better claim.

Times are whole microseconds since 1970. An empty register is None; a claim is a tuple that begins with a rank.
"""

from typing import Any

Claim = tuple[Any, ...]


def best(known: Claim | None, claim: Claim) -> Claim:
    """Return the better of two claims."""
    return claim if known is None or claim > known else known


def least(known: int | None, at: int) -> int:
    """Return the earlier of two times."""
    return at if known is None or at < known else known


def most(known: int | None, at: int) -> int:
    """Return the later of two times."""
    return at if known is None or at > known else known


NEVER = 1 << 62
"""Later than any time."""


class Record:
    """What all have: when it was first heard of, by whom (a bit for each source), and at which mark."""

    __slots__ = ("bits", "born", "first")

    def __init__(self) -> None:
        self.first = NEVER
        self.bits = 0
        self.born = 0


Spent = tuple[int, int, int, int, int]
"""Input, output, cache read and cache write tokens, and micro-dollars (-1 where not told)."""


class Spending:
    """Tokens and cost by source: of each answer, and of each sum, the greatest that was told, once."""

    __slots__ = ("_parts", "totals")

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], Spent] = {}
        self.totals: dict[str, Spent] = {}

    def take(self, source: str, name: str, spent: Spent) -> None:
        """Take what `source` says that `name` (an answer or a turn) used."""
        known = self._parts.get((source, name))
        if known is not None and spent <= known:
            return
        self._parts[source, name] = spent
        total = self.totals.get(source)
        if total is None:
            self.totals[source] = spent
            return
        old = known or (0, 0, 0, 0, -1)
        cost = total[4] + max(spent[4], 0) - max(old[4], 0) if total[4] >= 0 else spent[4]
        tokens = [have + new - was for have, new, was in zip(total[:4], spent[:4], old[:4], strict=True)]
        self.totals[source] = (*tokens, cost)  # type: ignore[assignment]  # four and one are five


class Call(Record):
    """A tool call. `opened`: (rank, name, input, what for, server, tool); `ended`: (rank, at, status, output, error,
    launched task); `ran`: (rank, ms); `turns`: claims (rank, turn); `blocked`: (waited in us, at)."""

    __slots__ = (
        "abandoned",
        "agent_id",
        "blocked",
        "counted",
        "ended",
        "id",
        "opened",
        "parent",
        "ran",
        "requests",
        "start",
        "task",
        "tasks",
        "turns",
    )

    def __init__(self, call_id: str) -> None:
        super().__init__()
        self.id = call_id
        self.opened: Claim | None = None
        self.start: Claim | None = None
        self.ended: Claim | None = None
        self.ran: Claim | None = None
        self.blocked: Claim | None = None
        self.abandoned: int | None = None
        self.agent_id = ""
        self.parent = ""
        self.task = ""
        self.turns: tuple[tuple[int, str], ...] = ()
        self.requests: tuple[str, ...] = ()
        self.tasks: tuple[str, ...] = ()
        self.counted = 0

    @property
    def name(self) -> str:
        """Its tool, "" while not known."""
        return self.opened[1] if self.opened else ""


class Task(Record):
    """A subagent or a background task. `about`: (rank, type, description, prompt); `ended`: (rank, at, status,
    report); `call`: (rank, call); `again`: its latest start."""

    __slots__ = (
        "abandoned",
        "about",
        "again",
        "answered",
        "background",
        "call",
        "calls",
        "doing",
        "ended",
        "id",
        "others",
        "parent_agent",
        "spent",
        "start",
        "started",
        "subagent",
        "turns",
    )

    def __init__(self, task_id: str) -> None:
        super().__init__()
        self.id = task_id
        self.about: Claim | None = None
        self.start: Claim | None = None
        self.again: int | None = None
        self.ended: Claim | None = None
        self.call: Claim | None = None
        self.doing: Claim | None = None
        self.abandoned: int | None = None
        self.answered: int | None = None
        self.background = False
        self.subagent = False
        self.started = False
        self.parent_agent = ""
        self.turns: tuple[tuple[int, str], ...] = ()
        self.calls: dict[str, None] = {}
        self.others: dict[Record, None] = {}
        self.spent: Spending | None = None


class Turn(Record):
    """A turn as one source names it. `ended`: (rank, at, status, error, duration in us); `floor`: when the result of
    the turn before it in its run was read; `heard`: the latest sign of its own thread, `resumed` the latest call of
    it; `votes`: turns of prompts that share calls with it."""

    __slots__ = (
        "calls",
        "ended",
        "floor",
        "heard",
        "key",
        "marks",
        "model",
        "number",
        "origin",
        "prompt",
        "requests",
        "resumed",
        "run",
        "spent",
        "start",
        "tasks",
        "uuids",
        "votes",
    )

    def __init__(self, key: str, run: str = "", number: int = 0) -> None:
        super().__init__()
        self.key = key
        self.run = run
        self.number = number
        self.start: Claim | None = None
        self.ended: Claim | None = None
        self.prompt: Claim | None = None
        self.origin: Claim | None = None
        self.model: Claim | None = None
        self.floor = 0
        self.heard: int | None = None
        self.resumed: int | None = None
        self.uuids: tuple[str, ...] = ()
        self.calls: dict[str, None] = {}
        self.tasks: dict[str, None] = {}
        self.requests: dict[str, None] = {}
        self.marks: dict[str, Mark] = {}
        self.votes: dict[str, int] = {}
        self.spent: Spending | None = None


class Request(Record):
    """A question to a person. `asked`, `done`: when; `about`: (rank, tool, question); `decision`: (at, word);
    `approval`: (at, id of ours)."""

    __slots__ = ("about", "agent_id", "approval", "asked", "call", "decision", "done", "id", "opened", "turns")

    def __init__(self, request_id: str) -> None:
        super().__init__()
        self.id = request_id
        self.asked: frozenset[int] = frozenset()
        self.opened: int | None = None
        self.done: frozenset[int] = frozenset()
        self.about: Claim | None = None
        self.decision: Claim | None = None
        self.approval: Claim | None = None
        self.call = ""
        self.agent_id = ""
        self.turns: tuple[tuple[int, str], ...] = ()


class Mark(Record):
    """A compaction, a series of retries or a notice: `about` is (rank, name, detail), `ended` (rank, at, status,
    error); `place`: its name within its turn; `turn`: the turn, "" for none; `moved`: it turned out to be part of
    another turn."""

    __slots__ = ("about", "ended", "moved", "place", "sort", "start", "turn")

    def __init__(self, turn: str, place: str, sort: str) -> None:
        super().__init__()
        self.turn = turn
        self.moved = False
        self.place = place
        self.sort = sort
        self.about: Claim | None = None
        self.start: Claim | None = None
        self.ended: Claim | None = None


class Life(Record):
    """The session itself. `up`, `down`: the latest signs that a process works on it and that none does; `closes`:
    (at, how) after which nothing that began before will tell its end; `ask`: (at, what, words) told to the person;
    `measured`: (at, bytes, percent)."""

    __slots__ = (
        "ask",
        "closes",
        "cwd",
        "down",
        "failed",
        "last",
        "measured",
        "model",
        "ours",
        "pid",
        "spent",
        "title",
        "total_cost",
        "up",
    )

    def __init__(self) -> None:
        super().__init__()
        self.up: int | None = None
        self.down: int | None = None
        self.last: int | None = None
        self.closes: set[tuple[int, str]] = set()
        self.title: Claim | None = None
        self.cwd: Claim | None = None
        self.model: Claim | None = None
        self.pid: Claim | None = None
        self.measured: Claim | None = None
        self.failed: Claim | None = None
        self.ask: Claim | None = None
        self.total_cost: int | None = None
        self.ours = False
        self.spent: Spending | None = None


def one_of(marks: list[Mark]) -> Mark:
    """Return what several sources tell of the same compaction, series or notice as one record."""
    if len(marks) == 1:
        return marks[0]
    one = Mark(marks[0].turn, marks[0].place, marks[0].sort)
    one.moved = True
    for mark in marks:
        one.about = best(one.about, mark.about) if mark.about else one.about
        one.start = best(one.start, mark.start) if mark.start else one.start
        one.ended = best(one.ended, mark.ended) if mark.ended else one.ended
        one.first = min(one.first, mark.first)
        one.moved = one.moved and mark.moved
        one.bits |= mark.bits
    return one
