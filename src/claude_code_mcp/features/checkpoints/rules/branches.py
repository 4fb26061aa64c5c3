"""Branches: where checkpoints parted, and what a branch came to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from claude_code_mcp.features.checkpoints.models import Checkpoint
from claude_code_mcp.kernel.events import Recorded

TURN = "turn.finished"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a branch came to: turns, micro-dollars, seconds of turns."""

    turns: int = 0
    cost_microusd: int = 0
    worked_s: float = 0.0


def parted(branches: Sequence[Checkpoint], get: Callable[[str | None], Checkpoint | None]) -> Checkpoint | None:
    """Return the newest checkpoint that all of these came from (one of them may be it), None where there is none."""
    lines = [list(_line(one, get)) for one in branches]
    shared = set.intersection(*({one.id for one in line} for line in lines))
    return next((one for one in lines[0] if one.id in shared), None)


def _line(one: Checkpoint, get: Callable[[str | None], Checkpoint | None]) -> Iterable[Checkpoint]:
    seen: set[str] = set()
    found: Checkpoint | None = one
    while found is not None and found.id not in seen:
        seen.add(found.id)
        yield found
        found = get(found.parent)


def spent(turns: Iterable[Recorded]) -> Spent:
    """Sum up what turns that ended came to."""
    count, cost, worked_ms = 0, 0, 0
    for event in turns:
        if event.kind == TURN:
            count += 1
            cost += int(event.payload.get("cost_microusd") or 0)
            worked_ms += int(event.payload.get("duration_ms") or 0)
    return Spent(count, cost, worked_ms / 1000)
