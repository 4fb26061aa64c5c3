"""`docs/requirements.md`, written from the data."""

from collections.abc import Iterator

from tests.requirements import PARTS, Part, Requirement
from tests.requirements.found import found_tests

_INTRO = """What was promised, line by line, and the test that shows it. `S2` are the lines of the issue on sessions,
`D1` and `D2` those of the two documents that the program grew from. A gap says what no test shows yet. Paths are
below `tests/`."""


def page() -> str:
    """Return the page."""
    lines = ["# Requirements", "", _INTRO, "", "_This page is generated from `tests/requirements`: `make docs`._", ""]
    lines += _sum()
    for part in PARTS:
        lines += [f"## {part.title}", "", *(line for one in part.requirements for line in _row(one)), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def shown_by(requirement: Requirement) -> tuple[str, ...]:
    """Return the tests of a requirement: those that it lists, and those that name it."""
    marked = [test.node for test in found_tests() if requirement.id in test.names]
    return tuple(dict.fromkeys([*requirement.tests, *marked]))


def _sum() -> list[str]:
    every = [one for part in PARTS for one in part.requirements]
    shown = sum(1 for one in every if shown_by(one) and not one.gap)
    part = sum(1 for one in every if shown_by(one) and one.gap)
    later = sum(1 for one in every if one.later and not shown_by(one))
    rest = len(every) - shown - part - later
    return [f"{len(every)} promises: {shown} shown by tests, {part} in part, {later} belong elsewhere, {rest} not.", ""]


def _row(one: Requirement) -> Iterator[str]:
    yield f"- **{one.id}** {one.text}"
    yield from (f"  - `{node}`" for node in shown_by(one))
    for name in ("gap", "later", "note"):
        if getattr(one, name):
            yield f"  - {name}: {getattr(one, name)}"


__all__ = ["Part", "page", "shown_by"]
