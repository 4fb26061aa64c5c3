"""The tree of checkpoints: what came from what, and where the project stands."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from claude_code_mcp.features.checkpoints.models import Checkpoint


class Twig(NamedTuple):
    """A checkpoint in its place: `depth` counts the branches to it, `fork` whether it begins one of several."""

    checkpoint: Checkpoint
    depth: int
    fork: bool


def grown(checkpoints: Sequence[Checkpoint]) -> Iterator[Twig]:
    """Yield all checkpoints, each after the one that it came from; a branch goes on to its end before the next begins.

    The branch that was taken up last comes last, and is not indented, so that the present line reads straight down.
    """
    known = {one.id for one in checkpoints}
    below: dict[str | None, list[Checkpoint]] = {}
    for one in sorted(checkpoints, key=lambda found: found.id):
        below.setdefault(one.parent if one.parent in known else None, []).append(one)
    newest = _newest(below)
    stack = [Twig(one, 0, fork=False) for one in sorted(below.get(None, ()), key=lambda found: newest[found.id])[::-1]]
    while stack:
        twig = stack.pop()
        yield twig
        children = sorted(below.get(twig.checkpoint.id, ()), key=lambda found: newest[found.id])
        many = len(children) > 1
        for number, child in enumerate(reversed(children)):
            stack.append(Twig(child, twig.depth + (number > 0), fork=many))


def _newest(below: dict[str | None, list[Checkpoint]]) -> dict[str, str]:
    """Return for each checkpoint the newest id at or below it; ids sort by time, so children come after parents."""
    newest: dict[str, str] = {}
    todo: list[Checkpoint] = list(below.get(None, ()))
    order: list[Checkpoint] = []
    while todo:
        one = todo.pop()
        order.append(one)
        todo += below.get(one.id, ())
    for one in reversed(order):
        newest[one.id] = max([one.id, *(newest[child.id] for child in below.get(one.id, ()))])
    return newest
