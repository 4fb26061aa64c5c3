"""Rounds in which every contender runs once, each time in another order."""

from collections.abc import Callable, Mapping
from random import Random
from typing import TypeVar

T = TypeVar("T")


def interleaved(
    count: int, rng: Random, contenders: Mapping[str, Callable[[], T]], begin: Callable[[], object] | None = None
) -> dict[str, list[T]]:
    """Return what each contender gave in `count` rounds, after one round that does not count; `begin` begins each."""
    found: dict[str, list[T]] = {name: [] for name in contenders}
    for number in range(count + 1):
        if begin is not None:
            begin()
        order = list(contenders)
        rng.shuffle(order)
        for name in order:
            sample = contenders[name]()
            if number:
                found[name].append(sample)
    return found


def percentile(samples: list[float], part: float) -> float:
    """Return the sample below which `part` (0 to 1) of them lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
