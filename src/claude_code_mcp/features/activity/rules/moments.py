"""Time as whole microseconds since 1970, and stretches of it: merged, cut and taken from each other."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

Stretch = tuple[int, int]
"""From, to: to is after from."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us_of(text: str) -> int:
    """Return the time that the log's text form names, as `kernel.clock.stamp` writes it or any ISO 8601.

    Raises:
        ValueError: it names no time.
    """
    if len(text) == 27 and text[-1] == "Z":
        moment = datetime.fromisoformat(text)
        delta = moment - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    moment = datetime.fromisoformat(text)
    return us_at(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def us_at(moment: datetime) -> int:
    """Return a moment as microseconds."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def text_of(us: int) -> str:
    """Return microseconds in the text form of the log."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds")[:26] + "Z"


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return the same time as stretches that do not touch, in order."""
    out: list[Stretch] = []
    for start, end in sorted(stretches):
        if end <= start:
            continue
        if out and start <= out[-1][1]:
            if end > out[-1][1]:
                out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def clipped(stretches: Iterable[Stretch], start: int, end: int) -> list[Stretch]:
    """Return the part of merged stretches between two times."""
    return [(max(a, start), min(b, end)) for a, b in stretches if a < end and b > start]


def without(stretches: list[Stretch], taken: list[Stretch]) -> list[Stretch]:
    """Return merged stretches less others that are merged too."""
    out: list[Stretch] = []
    place = 0
    for start, end in stretches:
        while place < len(taken) and taken[place][1] <= start:
            place += 1
        at, free = place, start
        while at < len(taken) and taken[at][0] < end:
            if taken[at][0] > free:
                out.append((free, taken[at][0]))
            free = max(free, taken[at][1])
            at += 1
        if free < end:
            out.append((free, end))
    return out


def length(stretches: Iterable[Stretch]) -> int:
    """Return how long merged stretches are together, in microseconds."""
    return sum(end - start for start, end in stretches)
