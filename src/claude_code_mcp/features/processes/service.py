"""Looking at processes, measuring ours, and ending what is proven to be left over."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from claude_code_mcp.features.processes import store
from claude_code_mcp.features.processes.events import ProcessReaped
from claude_code_mcp.features.processes.models import (
    ActiveSession,
    ActiveSessions,
    History,
    ListProcesses,
    Orphan,
    ProcessNode,
    ProcessTree,
    Reaped,
    ReapProcesses,
    ShowHistory,
)
from claude_code_mcp.features.processes.rules import Known, Owner, flat, orphans, tree
from claude_code_mcp.features.sessions.models import SessionProcess
from claude_code_mcp.kernel.clock import Clock, stamp
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.live import LiveEntry, registered_sessions
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import append
from claude_code_mcp.platform.procs.leftovers import end_these
from claude_code_mcp.platform.procs.look import Seen, cpu_of, look
from claude_code_mcp.platform.procs.usage import usage_below

SAMPLE_S = 10.0
KEEP_H = 48.0


class Sessions(Protocol):
    """Knows the processes of our sessions (`Sessions`)."""

    def processes(self) -> Sequence[SessionProcess]:
        """Return the process of each session that has one."""
        ...

    def own_id(self, conversation_id: str) -> SessionId | None:
        """Return the session of ours that Claude Code knows by this id."""
        ...


class JobProcess(Protocol):
    """The process of a job."""

    @property
    def job_id(self) -> str:
        """The job."""
        ...

    @property
    def run_id(self) -> str:
        """Its run."""
        ...

    @property
    def pid(self) -> int | None:
        """Its main process."""
        ...

    @property
    def supervisor_pid(self) -> int | None:
        """The process that supervises it."""
        ...


class Jobs(Protocol):
    """Knows the processes of jobs (`Jobs`)."""

    def processes(self) -> Sequence[JobProcess]:
        """Return the process of each job that runs."""
        ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where there is something to know: the configuration directories of Claude Code, and the ids of all runs that
    there is a record of."""

    homes: Callable[[], Sequence[Path]]
    runs: Callable[[], Collection[str]]


class Processes:
    """All processes of Claude on this machine."""

    def __init__(self, database: Database, clock: Clock, sessions: Sessions, jobs: Jobs, places: Places) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._jobs = jobs
        self._places = places

    async def list(self, wish: ListProcesses) -> ProcessTree:
        """Return the tree, and what is left over."""
        before = await asyncio.to_thread(cpu_of) if wish.sample_s else None
        if wish.sample_s:
            await asyncio.sleep(wish.sample_s)
        seen = await asyncio.to_thread(look, before)
        known, now = await self._known(), time.time()
        roots = tree(seen, known, now, supervisors=wish.supervisors)
        roots = [root for root in roots if _wanted(root, wish)]
        nodes = list(flat(roots))
        for node in nodes:
            node.started_at = stamp(datetime.fromtimestamp(seen[node.pid].started_s, UTC))
        whole = wish.session_id is None and wish.project_path is None
        return ProcessTree(
            roots=roots,
            orphans=orphans(seen, known, now) if whole else [],
            processes=len(nodes),
            memory_bytes=sum(node.memory_bytes for node in nodes),
        )

    async def sessions(self) -> ActiveSessions:
        """Return the sessions that run now, everybody's, the newest first."""
        entries = [entry for entry in await self._entries() if entry.alive]
        seen = await asyncio.to_thread(look)
        known = await self._known()
        by_pid = {node.pid: node for root in tree(seen, known, time.time()) for node in flat([root])}
        return ActiveSessions(
            sessions=[
                _active(entry, by_pid.get(entry.pid), ours=self._sessions.own_id(entry.session_id) is not None)
                for entry in sorted(entries, key=lambda entry: entry.started_at, reverse=True)
            ]
        )

    async def reap(self, wish: ReapProcesses) -> Reaped:
        """Show what is left over; with `apply`, end what is proven to be, each as the very process that was seen."""
        seen = await asyncio.to_thread(look)
        found = orphans(seen, await self._known(), time.time())
        if wish.pids:
            found = [one for one in found if one.pid in wish.pids]
        if wish.apply:
            doomed = [one for one in found if one.proven]
            await self._end(doomed, seen, wish.grace_s)
            await self._note(doomed)
        return Reaped(orphans=found, applied=wish.apply)

    async def history(self, wish: ShowHistory) -> History:
        """Return what a session or a job has used over time."""
        samples = self._database.read(lambda db: store.newest(db, wish.subject, wish.limit))
        return History(subject=wish.subject, samples=samples)

    async def measure(self) -> None:
        """Measure sessions and jobs of ours every ten seconds, for as long as the daemon lives."""
        while True:
            await asyncio.sleep(SAMPLE_S)
            if self._sessions.processes() or self._jobs.processes():
                await self.sample()

    async def sample(self) -> None:
        """Keep what each of ours uses now, and forget what is old."""
        ours = {one.pid: one.job_id for one in self._jobs.processes() if one.pid is not None}
        ours |= {one.pid: one.session_id for one in self._sessions.processes() if one.pid is not None}
        # Not a `look`: nobody asks here what they run and where, which costs twenty times as much.
        used = await asyncio.to_thread(usage_below, ours)
        samples = [(ours[pid], one.rss_bytes, round(one.cpu_s, 2), one.processes) for pid, one in used.items()]
        now = self._clock.now()

        def write(db: sqlite3.Connection) -> None:
            store.add(db, stamp(now), samples)
            store.forget_before(db, stamp(now - timedelta(hours=KEEP_H)))

        await self._database.write(write)

    async def _end(self, doomed: Collection[Orphan], seen: dict[int, Seen], grace_s: float) -> None:
        identities = {one.pid: seen[one.pid].identity for one in doomed}
        left = await end_these(tuple(identities.values()), grace_s)
        for one in doomed:
            one.ended = identities[one.pid] not in left

    async def _note(self, doomed: Collection[Orphan]) -> None:
        events = [
            Event(
                fact=ProcessReaped(pid=one.pid, command=one.command, proof=one.proof, ended=bool(one.ended)),
                at=self._clock.now(),
                subject=str(one.pid),
            )
            for one in doomed
        ]
        await self._database.write(lambda db: append(db, events))

    async def _entries(self) -> Sequence[LiveEntry]:
        return await asyncio.to_thread(_registered, self._places.homes())

    async def _known(self) -> Known:
        entries = await self._entries()
        ours = {one.pid: one for one in self._sessions.processes() if one.pid is not None}
        jobs = [one for one in self._jobs.processes() if one.pid is not None]
        owners = [
            Owner(one.pid, job_id=one.job_id, supervisor=one.supervisor_pid, ours=True) for one in jobs if one.pid
        ]
        owners += [
            Owner(pid, session_id=one.session_id, supervisor=one.supervisor_pid, ours=True) for pid, one in ours.items()
        ]
        owners += [Owner(one.pid, session_id=one.session_id) for one in entries if one.alive and one.pid not in ours]
        live = {one.session_id for one in entries if one.alive} | {one.session_id for one in ours.values()}
        return Known(
            owners=tuple(owners),
            running_runs={one.run_id for one in jobs} | {one.run_id for one in ours.values()},
            known_runs=self._places.runs(),
            live_sessions=live,
            dead_claudes={one.session_id: one.pid for one in entries if not one.alive and one.session_id not in live},
            me=os.getpid(),
        )


def _registered(homes: Sequence[Path]) -> Sequence[LiveEntry]:
    return [entry for home in homes for entry in registered_sessions(home)]


def _wanted(root: ProcessNode, wish: ListProcesses) -> bool:
    if wish.session_id is not None and root.session_id != wish.session_id:
        return False
    if wish.project_path is None:
        return True
    return root.cwd == str(Path(wish.project_path).resolve()) or root.cwd.startswith(
        f"{Path(wish.project_path).resolve()}/"
    )


def _active(entry: LiveEntry, node: ProcessNode | None, *, ours: bool) -> ActiveSession:
    memory, _, count = _sum(list(flat([node]))) if node is not None else (0, 0.0, 1)
    return ActiveSession(
        session_id=entry.session_id,
        pid=entry.pid,
        project_path=entry.cwd,
        start_time=stamp(entry.started_at),
        status=entry.status,
        waiting_for=entry.waiting_for,
        ours=ours,
        name=entry.name,
        processes=count,
        memory_bytes=memory,
    )


def _sum(nodes: Sequence[ProcessNode]) -> tuple[int, float, int]:
    return sum(node.memory_bytes for node in nodes), round(sum(node.cpu_s for node in nodes), 2), len(nodes)
