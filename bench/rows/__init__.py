"""The rows of the table, in its order."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench.findings import Finding
from bench.rows import (
    activity_followers,
    burst,
    calls,
    checkpoint_huge,
    checkpoint_many,
    checkpoint_restore,
    checkpoints,
    history,
    hooks,
    ingest,
    job_output,
    job_start,
    live,
    progress,
    relay,
    session,
    spool,
    turn,
)
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
        "ingest": ingest.measure,
        "spool": spool.measure,
        "hooks": hooks.measure,
        "activity_followers": activity_followers.measure,
        "history": history.measure,
        "job_output": job_output.measure,
        "job_start": job_start.measure,
        "checkpoints": checkpoints.measure,
        "checkpoint_restore": checkpoint_restore.measure,
        "checkpoint_huge": checkpoint_huge.measure,
        "checkpoint_many": checkpoint_many.measure,
    }
)
"""Each row's name and what measures it; the first line of its module says what it is."""
