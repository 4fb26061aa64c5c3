"""Where the time went: with the model, in tools, waiting for a person; what decided how long it took."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from claude_code_mcp.features.activity.models import SlowCall, Times
from claude_code_mcp.features.activity.rules.moments import Stretch, clipped, length, merged, without


class Share(NamedTuple):
    """Merged stretches of one turn: of a person, of tools, and of the model; they do not overlap. `sums`: how long each
    is together, in microseconds."""

    whole: Stretch
    person: list[Stretch]
    tools: list[Stretch]
    model: list[Stretch]
    sums: tuple[int, int, int]


def shared(whole: Stretch, heard: int, person: Iterable[Stretch], tools: Iterable[Stretch]) -> Share:
    """Divide the time of a turn. An instant belongs to the first of: a person, a tool, the model.

    The model has what is left until `heard`, the last sign of an answer; what comes after is Claude Code's own.
    """
    start, end = whole
    waits = clipped(merged(person), start, end)
    busy = without(clipped(merged(tools), start, end), waits)
    left = clipped([(start, end)], start, min(end, heard))
    model = without(without(left, waits), busy)
    return Share(whole, waits, busy, model, (length(waits), length(busy), length(model)))


def told(shares: Sequence[Share], idle: Sequence[Stretch] = (), slowest: Sequence[SlowCall] = ()) -> Times:
    """Return the sums of some turns, overlapping ones counted once; `idle` is waiting between them."""
    if not shares:
        return Times()
    sums = [_sums(together) for together in _overlapping(shares)]
    waited = without(merged(idle), merged(share.whole for share in shares)) if idle else []
    start = min(share.whole[0] for share in shares)
    end = max(share.whole[1] for share in shares)
    return Times.model_construct(
        total_ms=(end - start) // 1000,
        model_ms=sum(one[2] for one in sums) // 1000,
        tools_ms=sum(one[1] for one in sums) // 1000,
        person_ms=(sum(one[0] for one in sums) + length(waited)) // 1000,
        slowest=list(slowest),
    )


def _overlapping(shares: Sequence[Share]) -> Iterator[list[Share]]:
    """Yield turns that are under way at the same time, as of two processes on one session, together."""
    group: list[Share] = []
    until = 0
    for share in sorted(shares, key=lambda one: one.whole):
        if group and share.whole[0] >= until:
            yield group
            group = []
        group.append(share)
        until = max(until, share.whole[1])
    if group:
        yield group


def _sums(shares: list[Share]) -> tuple[int, int, int]:
    if len(shares) == 1:
        return shares[0].sums
    person = merged(piece for share in shares for piece in share.person)
    tools = without(merged(piece for share in shares for piece in share.tools), person)
    model = without(without(merged(piece for share in shares for piece in share.model), person), tools)
    return length(person), length(tools), length(model)


def critical(spans: Sequence[tuple[int, int, str]], end: int) -> set[str]:
    """Return the ids of those (start, end, id) without which their parent could not have ended earlier.

    Going back from the parent's end: what ended last is on the path, then what ended last before that one began.
    """
    path: set[str] = set()
    at = end
    for start, stop, name in sorted(spans, key=lambda span: (-span[1], span[0], span[2])):
        if stop <= at and (start < at or stop < at or not path):
            path.add(name)
            at = start
    return path
