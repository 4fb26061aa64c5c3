"""The rows of the table, in its order."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench.findings import Finding
from bench.rows import burst, calls, live, progress, relay, session, turn
from bench.setting import Setting

Row = Callable[[Setting], list[Finding]]

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "relay": relay.measure,
        "calls": calls.measure,
        "progress": progress.measure,
        "session": session.measure,
        "turn": turn.measure,
        "burst": burst.measure,
        "live": live.measure,
    }
)
"""Each row's name and what measures it; the first line of its module says what it is."""
