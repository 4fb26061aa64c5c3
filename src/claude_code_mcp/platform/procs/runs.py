"""All runs of one root directory: starting new ones, finding those of an earlier daemon, removing old ones."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from claude_code_mcp.kernel.ids import is_uuid
from claude_code_mcp.platform.procs.errors import BadRunSpec, RunIsAlive, RunNotFound, SpawnFailed
from claude_code_mcp.platform.procs.forkserver import ForkServer, failure
from claude_code_mcp.platform.procs.identity import send_signal
from claude_code_mcp.platform.procs.models import RunSpec, Usage
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.rundir import GONE_PREFIX, NEW_PREFIX, RunDir, check, erase
from claude_code_mcp.platform.procs.space import DiskWatch
from claude_code_mcp.platform.procs.usage import usage_of
from claude_code_mcp.platform.procs.watch import Watcher, watcher


class Runs:
    """The runs below `root`, one directory each. One `Runs` per root, in one event loop; the runs go on when it is
    closed."""

    def __init__(
        self,
        root: Path,
        *,
        disk: DiskWatch | None = None,
        watch: Watcher | None = None,
        start_s: float = 15.0,
        patience_s: float = 8.0,
    ) -> None:
        """`start_s` bounds the start of a run; `patience_s` is what a stop gives a shim beyond the grace."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root = root.resolve()
        self.disk = disk if disk is not None else DiskWatch(self.root)
        self._server = ForkServer(self.root)
        self._watcher = watch
        self._start_s = start_s
        self._patience_s = patience_s
        self._known: dict[str, Run] = {}

    async def spawn(self, spec: RunSpec) -> Run:
        """Start a run; when this returns, who runs is recorded on disk and its program runs or has failed to.

        The result's state is `running`, `exited`, `failed_to_start` (see `start_failure`), or, on a machine that is
        starved, `starting`.

        Raises:
            BadRunSpec: no machine could start it, or its id is taken.
            DiskLow: too little room is left for its output.
            SpawnFailed: no process, descriptor or space is left; nothing was started.
        """
        check(spec)
        if spec.run_id in self._known or (self.root / spec.run_id).exists():
            raise BadRunSpec(f"There is a run {spec.run_id} already.", run_id=spec.run_id)
        self.disk.refuse_when_low()
        try:
            return await self._start(spec)
        except SpawnFailed as exc:
            if exc.details["errno"] is not None:
                raise
        return await self._start(spec)  # the fork server was killed under it: the next one is fresh

    async def _start(self, spec: RunSpec) -> Run:
        files = RunDir(self.root / spec.run_id)
        run = self._known[spec.run_id] = Run(files, self._watching(), starting=True, patience_s=self._patience_s)
        try:
            await asyncio.to_thread(files.create, spec)  # a disk that is being flooded makes new files wait
            await self._server.start_run(spec.run_id, self._start_s)
        except OSError as exc:
            self._known.pop(spec.run_id)
            raise failure(spec.run_id, exc.errno) from exc
        except SpawnFailed:
            if files.abandon():
                self._known.pop(spec.run_id)
                erase(files.path)
                raise  # else it has a shim in spite of all
        except asyncio.CancelledError:
            _call_off(run)
            raise
        finally:
            run.starting = False
        run.watch_end()
        return run

    def attach(self, run_id: str) -> Run:
        """Return the run of this id, whoever started it; the same object each time.

        Raises:
            RunNotFound: there is no such run.
        """
        if run_id in self._known:
            return self._known[run_id]
        files = RunDir(self.root / run_id)
        if not is_uuid(run_id) or not files.path.is_dir():
            raise RunNotFound(
                f"There is no run {run_id[:60]!r}.", remedy="It was removed, or never started.", run_id=run_id[:60]
            )
        run = self._known[run_id] = Run(files, self._watching(), patience_s=self._patience_s)
        return run

    def scan(self) -> list[Run]:
        """Return all runs on disk, oldest id first; clear away what a killed daemon left half made or half gone."""
        return [self.attach(run_id) for run_id in sorted(self._ids())]

    def _ids(self) -> Iterator[str]:
        for entry in os.scandir(self.root):
            if entry.name.startswith((NEW_PREFIX, GONE_PREFIX)):
                if entry.name.removeprefix(NEW_PREFIX) not in self._known:  # else it is being made now
                    erase(Path(entry.path))
            elif is_uuid(entry.name):
                yield entry.name

    async def usage(self) -> dict[str, Usage]:
        """Return what each living run that was spawned or attached uses, by its id."""
        living = {run_id: run.members for run_id, run in self._known.items() if not run.ended()}
        return await usage_of({run_id: members.shim for run_id, members in living.items() if members is not None})

    async def remove(self, run_id: str) -> None:
        """Delete all files of a run that is over.

        Raises:
            RunNotFound: there is no such run.
            RunIsAlive: it, or what it left, is not over.
        """
        run = self.attach(run_id)
        if not run.state().over or not run.ended():
            raise RunIsAlive(f"Run {run_id} is not over.", remedy="Stop it first.", run_id=run_id)
        run.close()
        self._known.pop(run_id, None)
        gone = run.files.path.with_name(GONE_PREFIX + run_id)
        run.files.path.rename(gone)
        await asyncio.to_thread(erase, gone)  # large files take their time

    def release(self, run_id: str) -> None:
        """Let go of a run's descriptors; `attach` finds it again."""
        run = self._known.pop(run_id, None)
        if run is not None:
            run.close()

    def _watching(self) -> Watcher:
        if self._watcher is None:
            self._watcher = watcher()
        return self._watcher

    async def aclose(self) -> None:
        """Let go of all runs; every one of them goes on."""
        for run_id in tuple(self._known):
            self.release(run_id)
        if self._watcher is not None:
            self._watcher.close()
        await self._server.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _call_off(run: Run) -> None:
    """End a run that is somewhere on its way to being started."""
    run.files.ask_to_stop(0.0)  # its shim reads this before the program may run
    run.files.abandon()
    if run.members is not None:  # past that; a shim takes its signals up one after the other
        send_signal(run.members.shim, signal.SIGTERM)
