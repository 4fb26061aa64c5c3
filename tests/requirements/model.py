"""What a requirement is: one promise, and the tests that show it, or why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One promise. `tests` are files or node ids below `tests/`.

    `gap` says what is not shown, `later` where it belongs instead of here, `note` what was built another way.
    """

    id: str
    text: str
    tests: tuple[str, ...] = ()
    gap: str = ""
    later: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Promises that belong together, under the heading of their source."""

    title: str
    requirements: tuple[Requirement, ...]


def promise(name: str, text: str, *tests: str, gap: str = "", later: str = "", note: str = "") -> Requirement:
    """Return a requirement."""
    return Requirement(name, text, tests, gap, later, note)
