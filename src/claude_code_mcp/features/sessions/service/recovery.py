"""After a start of the daemon: take up what runs, end what was being ended, and queue what waits. And the disk."""

import logging
from functools import partial

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.events import DiskRanLow, DiskRecovered
from claude_code_mcp.features.sessions.models import SessionState
from claude_code_mcp.features.sessions.service.attending import kept
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.procs.space import DiskWatch

log = logging.getLogger(__name__)
_UNSETTLED = (SessionState.QUEUED, SessionState.STARTING, SessionState.RUNNING, SessionState.WAITING)


async def recover(ledger: Ledger, supervisor: Supervisor, runs: Runs) -> None:
    """Bring the sessions of an earlier daemon back under supervision."""
    runs.scan()  # clears away what a killed daemon left half made
    taken = set()
    for record in ledger.database.read(store.open_runs):
        supervisor.take_up(record)
        taken.add(record.session_id)
    for session in ledger.database.read(lambda db: store.sessions(db, [state.value for state in _UNSETTLED])):
        if session.id not in taken:
            # It was accepted, but the daemon died before its process was noted.
            supervisor.requeue(session)
    if taken:
        log.info("took up %d sessions of an earlier daemon", len(taken))


async def watch_disk(ledger: Ledger, supervisor: Supervisor, disk: DiskWatch, limit_bytes: int) -> None:
    """Start nothing new while the disk is nearly full: lines that cannot be written are lost without a word."""
    was_low = False
    async for found in disk.changes():
        if found.low == was_low:
            continue
        was_low = found.low
        fact = (
            DiskRanLow(free_bytes=found.free_bytes, limit_bytes=limit_bytes)
            if was_low
            else DiskRecovered(free_bytes=found.free_bytes)
        )
        supervisor.admission.close("the disk is nearly full" if was_low else None)
        await kept(partial(ledger.record, fact, "disk"))
