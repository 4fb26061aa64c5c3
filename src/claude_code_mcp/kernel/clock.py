"""Time, always UTC: one text form for disk and wire, one protocol for whoever needs to know the hour."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What tells the time; tests bring their own."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return `moment` as `2026-11-20T04:20:00.123456Z`: fixed width, so text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse(text: str) -> datetime:
    """Return the aware UTC time that an ISO 8601 `text` names (`Z` or an offset; none means UTC).

    Raises:
        ValueError: it is not an ISO 8601 time.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
