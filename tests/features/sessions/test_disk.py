"""A disk that is nearly full starts nothing new, says so, and opens again."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.sessions.models import RunRecord, Session
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.live import Hooks, LiveSession
from claude_code_mcp.features.sessions.service.recovery import watch_disk
from claude_code_mcp.features.sessions.service.stopping import Ladder
from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import page
from claude_code_mcp.platform.procs.space import Disk, DiskWatch
from claude_code_mcp.platform.tasks import Tasks

pytestmark = pytest.mark.anyio


class NoLauncher:
    """Starts nothing: no session gets that far."""

    async def launch(self, session: Session, hooks: Hooks) -> LiveSession:
        raise NotImplementedError

    def attach(self, record: RunRecord, hooks: Hooks) -> LiveSession | None:
        raise NotImplementedError

    def forget(self, record: RunRecord) -> None:
        raise NotImplementedError

    def idle_s(self, session: Session) -> float:
        raise NotImplementedError

    def timeout_s(self, session: Session) -> float:
        raise NotImplementedError


class ToldDisk(DiskWatch):
    """A disk that goes through what it is told, and notes what the door was after each."""

    def __init__(self, path: Path, supervisor: Supervisor, *samples: Disk) -> None:
        super().__init__(path)
        self._supervisor = supervisor
        self._samples = samples
        self.doors: list[str | None] = []

    async def changes(self, every_s: float = 5.0) -> AsyncGenerator[Disk, None]:
        for sample in self._samples:
            yield sample
            self.doors.append(self._supervisor.admission.closed_for)


async def test_the_door_closes_and_opens_with_the_disk_and_each_is_an_event(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "state.db", migrations())
    ledger = Ledger(database, SystemClock(), ())
    supervisor = Supervisor(ledger, NoLauncher(), Tasks(), (), (1, 1), Ladder())
    roomy, full = Disk(10**9, 10**10, low=False), Disk(10**6, 10**10, low=True)
    disk = ToldDisk(tmp_path, supervisor, roomy, full, full, roomy)
    await watch_disk(ledger, supervisor, disk, 10**8)
    assert disk.doors == [None, "the disk is nearly full", "the disk is nearly full", None]
    events = database.read(lambda db: page(db, 0)).events
    assert [(event.kind, event.payload["free_bytes"]) for event in events] == [
        ("disk.ran_low", 10**6),
        ("disk.recovered", 10**9),
    ]
    await database.close()
