"""Which hook is which: the same one may come over http and from the spool, equal ones may really happen twice."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_WITHIN_US = 5_000_000
"""How far apart the two ways of one hook may tell it, in microseconds: more than the timeout of the slower one."""
_KNOWN = 4096
_EQUAL = 64
_NAME = re.compile(r"[hs]\d{1,18}")
_US = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Way(StrEnum):
    """How a hook came."""

    HTTP = "h"
    SPOOL = "s"


@dataclass(slots=True)
class _Told:
    """One thing that happened: how and when it was told first, and how else until now."""

    way: Way
    at_us: int
    posted: bool = False
    left: tuple[int, ...] = ()
    """The times that stand beside it in the spool."""


class Occurrences:
    """Gives each thing that happened one name, however often it is told.

    Equal payloads count as the same thing where they come by different ways shortly after each other, or where
    Claude Code is known to repeat itself. From the spool, the time that stands beside a payload names it: read again
    after a crash it has the same name.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, list[_Told]] = OrderedDict()

    def name(self, digest: str, way: Way, at: datetime, *, repeats_itself: bool = False) -> str:
        """Return the name of what a payload with this digest, told at `at`, is about."""
        at_us = told_us = (at - _EPOCH) // _US
        known = self._of(digest)
        found = _same(known, way, at_us, repeats_itself=repeats_itself) if known else None
        if found is None:
            while any(one.way is way and one.at_us == at_us for one in known):
                at_us += 1
            found = _Told(way, at_us)
            known.append(found)
            del known[:-_EQUAL]
        if way is Way.HTTP:
            found.posted = True
        else:
            found.left = (*found.left, told_us)
        # The time first: keys that grow are next to each other in the log's index.
        return f"{found.way}{found.at_us}:{digest}"

    def recall(self, names: Iterable[str]) -> None:
        """Take over the names that were given before a restart, the oldest first; what is none is passed over."""
        for name in names:
            told, _, digest = name.partition(":")
            if digest and _NAME.fullmatch(told):
                way, at_us = Way(told[0]), int(told[1:])
                again = _Told(way, at_us, way is Way.HTTP, (at_us,) if way is Way.SPOOL else ())
                self._of(digest).append(again)

    def _of(self, digest: str) -> list[_Told]:
        known = self._known.setdefault(digest, [])
        self._known.move_to_end(digest)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return known


def _same(known: list[_Told], way: Way, at_us: int, *, repeats_itself: bool) -> _Told | None:
    """Return what is told again, None where it is something else that looks the same."""
    for one in known:
        if way is Way.SPOOL and at_us in one.left:
            return one
    for one in known:
        told = one.posted if way is Way.HTTP else bool(one.left)
        if (repeats_itself or not told) and abs(one.at_us - at_us) <= _WITHIN_US:
            return one
    return None
