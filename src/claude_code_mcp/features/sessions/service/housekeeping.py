"""Now and then: end what writes without bound or fills the last of the disk, and clear away what is old."""

import asyncio
import contextlib
import logging
from datetime import timedelta

from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.events import SessionOverQuota
from claude_code_mcp.features.sessions.rules.states import BUSY
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.live import LiveSession
from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.procs.errors import RunIsAlive, RunNotFound
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.settings.model import Settings

LOOK_S = 5.0
CLEAR_S = 3600.0
log = logging.getLogger(__name__)


class Housekeeping:
    """Looks after the disk that sessions write to."""

    def __init__(self, ledger: Ledger, supervisor: Supervisor, runs: Runs, settings: Settings) -> None:
        self._ledger = ledger
        self._supervisor = supervisor
        self._runs = runs
        self._settings = settings

    async def run(self) -> None:
        """Go round for as long as the daemon lives."""
        cleared_at = float("-inf")
        while True:
            try:
                await self.look()
                now = asyncio.get_running_loop().time()
                if now - cleared_at >= CLEAR_S:
                    cleared_at = now
                    await self.clear()
            except Exception:
                log.exception("the next round may go better")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """End the runs that have written more than they may, and all of them when the disk is about to be full."""
        free = self._runs.disk.sample().free_bytes
        critical = free < self._settings.disk_critical_bytes
        for live in self._supervisor.all_live():
            written = live.run.spool().total_bytes
            if critical or written > self._settings.run_output_limit_bytes:
                await self._end(live, written, free)

    async def _end(self, live: LiveSession, written: int, free: int) -> None:
        if live.record.stopping is not None:
            return
        # One that rests has done nothing wrong: its next message gets a new process, and a new file to write to.
        reason = "quota" if self._ledger.session(live.session_id).state in BUSY else "idle"
        limit = self._settings.run_output_limit_bytes
        fact = SessionOverQuota(written_bytes=written, limit_bytes=limit, free_bytes=free)
        with contextlib.suppress(StoreUnavailable):  # the fuller the disk, the more it has to end
            if reason != "idle":
                await self._ledger.stopping(live.record, reason, [fact])
            elif not await self._ledger.retire(live.record, [fact]):
                return  # it just got work; the next look sees it busy
        await self._supervisor.end(live.session_id, reason)

    async def clear(self) -> None:
        """Remove the files of runs that ended long ago; their events stay."""
        before = stamp(self._ledger.clock.now() - timedelta(days=self._settings.runs_keep_days))
        for run_id in self._ledger.database.read(lambda db: store.runs_ended_before(db, before)):
            try:
                await self._runs.remove(run_id)
            except RunNotFound:
                continue
            except RunIsAlive:
                log.warning("run %s is recorded as ended but lives", run_id)
