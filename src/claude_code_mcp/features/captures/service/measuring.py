"""What the processes of live sessions use, measured only while somebody looks, told only when it changed."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from claude_code_mcp.features.captures.service.recorder import Recorder
from claude_code_mcp.features.captures.service.registry import Registry
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.facts import ProcessMeasured
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.files.offload import off_loop
from claude_code_mcp.platform.procs.usage import TreeUsage, usage_below

PACE_S = 3.0
CPU_STEP = 10.0
"""Percent of a core by which it must have changed to be told."""
MEMORY_STEP = 0.1
"""The part by which memory must have changed to be told."""


@dataclass(frozen=True, slots=True)
class _Told:
    cpu_s: float
    at_s: float
    fact: ProcessMeasured | None


class Measuring:
    """Counts who looks, and measures as long as somebody does."""

    def __init__(self, recorder: Recorder, registry: Registry, owner: Callable[[str], SessionId | None]) -> None:
        self._recorder = recorder
        self._registry = registry
        self._owner = owner
        self._told: dict[int, _Told] = {}
        self._watched = asyncio.Event()
        self.watchers = 0

    @contextmanager
    def watched(self) -> Generator[None]:
        """Have the processes measured as long as this is held."""
        self.watchers += 1
        self._watched.set()
        try:
            yield
        finally:
            self.watchers -= 1
            if not self.watchers:
                self._watched.clear()

    async def run(self) -> None:
        """Measure while somebody looks, for ever."""
        while True:
            await self._watched.wait()
            # What a full disk refuses is told by the next measurement.
            with suppress(StoreUnavailable):
                await self.measure()
            await asyncio.sleep(PACE_S)

    async def measure(self) -> int:
        """Measure once and return how many processes had changed enough to be told."""
        sessions = {entry.pid: entry.session_id for entry in self._registry.live()}
        usage = await off_loop(usage_below, set(sessions))
        events = [event for pid, used in usage.items() if (event := self._event(pid, sessions[pid], used)) is not None]
        self._told = {pid: told for pid, told in self._told.items() if pid in usage}
        return await self._recorder.record(events)

    def _event(self, pid: int, session_id: SessionId, used: TreeUsage) -> Event | None:
        before = self._told.get(pid)
        passed = used.at_s - before.at_s if before else 0.0
        cpu = max(0.0, used.cpu_s - before.cpu_s) / passed * 100 if before and passed > 0 else 0.0
        fact = ProcessMeasured(
            pid=pid, cpu_percent=round(cpu, 1), memory_bytes=used.rss_bytes, processes=used.processes
        )
        changed = before is None or before.fact is None or _differs(before.fact, fact)
        told = fact if changed else before.fact if before else None
        self._told[pid] = _Told(used.cpu_s, used.at_s, told)
        if not changed:
            return None
        owner = self._owner(session_id) or session_id
        now = self._recorder.clock.now()
        key = f"m:{session_id}:{pid}:{int(now.timestamp() * 1000)}"
        return Event(fact=fact, at=now, session_id=owner, subject=owner, source_key=key)


def _differs(before: ProcessMeasured, after: ProcessMeasured) -> bool:
    if before.processes != after.processes or abs(before.cpu_percent - after.cpu_percent) >= CPU_STEP:
        return True
    return abs(before.memory_bytes - after.memory_bytes) > MEMORY_STEP * max(1, before.memory_bytes)
