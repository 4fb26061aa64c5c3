"""Real children for the tests of runs, and bounded waiting for what they do."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import anyio

from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.framing import Line
from claude_code_mcp.platform.procs.models import OnExit, RunSpec, Stderr, Stdin
from claude_code_mcp.platform.procs.run import Run

T = TypeVar("T")
REPO = Path(__file__).parents[3]
BOUND_S = 60.0
"""What never comes has not come after this; no test waits so long for what does come."""
LONG_S = 120.0
"""A grace that is longer than any test waits: what is over within it went by itself."""
STUBBORN = "trap '' TERM INT HUP; echo up; while :; do sleep 0.2; done"


def spec(
    *argv: str,
    stdin: Stdin = Stdin.FIFO,
    stderr: Stderr = Stderr.FILE,
    on_exit: OnExit = OnExit.END,
    cwd: str = "/",
    adopt: bool = True,
    env: dict[str, str] | None = None,
) -> RunSpec:
    """Return how to start `argv`, with short graces."""
    return RunSpec(
        run_id=uuid7(),
        argv=argv,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **(env or {})},
        stdin=stdin,
        stderr=stderr,
        on_exit=on_exit,
        grace_s=2.0,
        rest_grace_s=0.5,
        adopt=adopt,
    )


def python(code: str, *args: str) -> tuple[str, ...]:
    """Return the command line that runs `code`."""
    return (sys.executable, "-I", "-S", "-c", code, *args)


def shell(script: str) -> tuple[str, ...]:
    """Return the command line that runs a shell script."""
    return ("sh", "-c", script)


async def until(look: Callable[[], T], timeout_s: float = BOUND_S) -> T:
    """Return what `look` gives as soon as it is true."""
    with anyio.fail_after(timeout_s):
        while not (found := look()):
            await anyio.sleep(0.005)
    return found


def until_now(look: Callable[[], T], timeout_s: float = BOUND_S) -> T:
    """The same without an event loop."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found


async def all_lines(run: Run, offset: int = 0) -> list[Line]:
    """Return all lines from `offset` to the end of the run."""
    found: list[Line] = []
    with anyio.fail_after(60):
        async with aclosing(run.follow(offset)) as batches:
            async for batch in batches:
                found += batch.lines
    return found


async def first_line(run: Run) -> bytes:
    """Return the first line, as soon as it is there: the child is up then."""
    with anyio.fail_after(BOUND_S):
        async with aclosing(run.follow()) as batches:
            async for batch in batches:
                return batch.lines[0].data
    raise AssertionError("the run ended without a line")


def tagged(run_id: str) -> set[int]:
    """Return the pids of all living processes that carry the tag of this run."""
    rows = table.snapshot()
    found = table.carrying(rows, f"{table.RUN_TAG}={run_id}")
    return {pid for pid in found if rows[pid].state != "Z"}


def gone(run_id: str) -> bool:
    """Wait until no process of this run is left."""
    return until_now(lambda: not tagged(run_id))
