"""A root directory of runs for each test; a test that leaves a process behind fails."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs.identity import Identity, is_alive
from claude_code_mcp.platform.procs.models import Members
from claude_code_mcp.platform.procs.rundir import RunDir
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.procs.watch import NoWatcher, watcher
from tests.platform.procs.children import gone, until_now


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
async def runs(root: Path, anyio_backend: str) -> AsyncIterator[Runs]:
    async with ended_for_sure(Runs(root)) as found:
        yield found


@pytest.fixture(params=["inotify", "polling"])
async def both(request: pytest.FixtureRequest, root: Path, anyio_backend: str) -> AsyncIterator[Runs]:
    """The same test with the system's notices and without any."""
    async with ended_for_sure(Runs(root, watch=watcher() if request.param == "inotify" else NoWatcher())) as found:
        yield found


@asynccontextmanager
async def ended_for_sure(mine: Runs) -> AsyncGenerator[Runs]:
    """End all runs when the block is left, and see that nothing of them lives."""
    root = mine.root
    seen: dict[str, Members | None] = {}
    async with mine as found:
        yield found
        for run in found.scan():
            await run.kill()
            seen[run.run_id] = RunDir(root / run.run_id).members()
    for run_id, members in seen.items():
        assert gone(run_id)
        if members is not None:
            until_now(partial(is_over, members.shim))


def is_over(identity: Identity) -> bool:
    return not is_alive(identity)
