"""What records of one process say about each other: which span is which call, which turn a span belongs to.

Spans come when they end, children before their parents, in batches; so what a child says waits here for its parent.
Everything is bounded: whoever sends spans without end loses the oldest.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from claude_code_mcp.platform.claude.otlp.record import Record

T = TypeVar("T")
MOST = 4096


class Recent(Generic[T]):
    """The newest values by span."""

    def __init__(self) -> None:
        self._found: dict[str, T] = {}

    def put(self, span: str, value: T) -> None:
        """Keep it; the oldest goes where there are too many."""
        if not span:
            return
        self._found.pop(span, None)
        self._found[span] = value
        if len(self._found) > MOST:
            del self._found[next(iter(self._found))]

    def get(self, span: str) -> T | None:
        """Return what is known of the span."""
        return self._found.get(span)

    def pop(self, span: str) -> T | None:
        """Return what is known of the span, and forget it."""
        return self._found.pop(span, None)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(slots=True)
class Within:
    """What the children of a call's span said: the decision and how long it took, how it ended and how long it ran."""

    decision: str = ""
    decided_by: str = ""
    waited_ms: int = 0
    asked_at: datetime | None = None
    ok: bool | None = None
    error: str = ""
    ran_ms: int | None = None


@dataclass(slots=True)
class Links:
    """The state between batches.

    `calls`: the tool call that runs in a span. `within`: what was said of a call whose own span is still to come.
    `agents`: the subagents seen below a span whose call is not known yet; `linked`: those that were told. `prompts`,
    `errors`: the prompt and the last error of the API of an interaction. `held`: interactions that ended, whose prompt
    is still to be told.
    """

    calls: Recent[str] = field(default_factory=Recent)
    within: Recent[Within] = field(default_factory=Recent)
    agents: Recent[dict[str, Record]] = field(default_factory=Recent)
    linked: Recent[bool] = field(default_factory=Recent)
    prompts: Recent[str] = field(default_factory=Recent)
    errors: Recent[str] = field(default_factory=Recent)
    held: dict[str, Record] = field(default_factory=dict)

    def of_call(self, span: str) -> Within:
        """Return what is said of the call of a span, to be added to."""
        found = self.within.get(span)
        if found is None:
            found = Within()
            self.within.put(span, found)
        return found
