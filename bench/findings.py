"""What one row of the table says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound: of the ratio to the peer, or of our own figure where there is no peer."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Tell whether `value` keeps to it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def text(self, unit: str) -> str:
        """Return it for the table; `unit` is "x" for a ratio."""
        space = "" if unit == "x" else " "
        return f"{'>=' if self.at_least else '<='} {self.limit:g}{space}{unit}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured comparison: the samples of ours and of the peer's, round by round.

    With a peer the ratio is the median of the rounds' own ratios: what disturbs one round disturbs both sides.
    """

    row: str
    what: str
    unit: str
    ours: Sequence[float]
    against: str = ""
    theirs: Sequence[float] = ()
    goal: Goal | None = None
    note: str = ""
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """Ours: the median."""
        return median(self.ours)

    @property
    def peer(self) -> float | None:
        """The peer's median, None without a peer."""
        return median(self.theirs) if self.theirs else None

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's, None without a peer."""
        if not self.theirs:
            return None
        return median(ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        ratio = self.ratio
        return self.goal.met(self.value if ratio is None else ratio)

    def cells(self) -> tuple[str, ...]:
        """Return row, what, ours, against, ratio, goal and whether it is met, as text."""
        ratio, peer = self.ratio, self.peer
        against = "" if peer is None else f"{self.against} {figure(peer)} {self.unit}"
        goal = "" if self.goal is None else self.goal.text(self.unit if ratio is None else "x")
        met = {None: "", True: "yes", False: "NO"}[self.met]
        shown = "" if ratio is None else f"{figure(ratio)}x"
        return (self.row, self.what, f"{figure(self.value)} {self.unit}", against, shown, goal, met)

    def as_json(self) -> dict[str, Any]:
        """Return everything, samples included."""
        return {
            "row": self.row,
            "what": self.what,
            "unit": self.unit,
            "ours": self.value,
            "against": self.against or None,
            "theirs": self.peer,
            "ratio": self.ratio,
            "goal": None if self.goal is None else {"limit": self.goal.limit, "at_least": self.goal.at_least},
            "met": self.met,
            "note": self.note or None,
            "samples": {"ours": list(self.ours), "theirs": list(self.theirs)},
            **({"extra": self.extra} if self.extra else {}),
        }


def figure(number: float) -> str:
    """Return a number with three significant digits, thousands separated."""
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) < 100 else f"{number:.0f}"
