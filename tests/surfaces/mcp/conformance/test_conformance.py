"""The official conformance suite against our real surface with the suite's fixtures, over HTTP."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.surfaces.mcp.node import module, run_node
from tests.surfaces.mcp.wire import BOUND_S

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]
ROOT = Path(__file__).parents[4]
TASKS = (
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-status-notifications",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
)
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Serve the fixtures in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.surfaces.mcp.conformance.server",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(4 * BOUND_S):
            line = await process.stdout.readline()
        yield line.decode().strip()
    finally:
        process.kill()
        await process.wait()


async def suite(url: str, home: Path, *args: str) -> tuple[int, str]:
    """Run the suite; return its exit code and what it printed."""
    program = module("@modelcontextprotocol/conformance") / "dist" / "index.js"
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1"}
    code, out = await run_node(str(program), "server", "--url", url, *args, timeout_s=110, env=env)
    return code, _COLOR.sub("", out)


@pytest.mark.parametrize(("version", "checks"), [("2025-11-25", 84), ("2026-07-28", 152)])
async def test_every_check_of_the_protocol_version_passes(url: str, tmp_path: Path, version: str, checks: int) -> None:
    code, out = await suite(url, tmp_path, "--suite", "all", "--spec-version", version)
    total = re.search(r"Total: (\d+) passed, (\d+) failed", out)
    assert total is not None, out
    assert (code, int(total[1]), int(total[2])) == (0, checks, 0), out[-6000:]


async def test_every_check_of_the_tasks_extension_passes(url: str, tmp_path: Path) -> None:
    for scenario in TASKS:
        code, out = await suite(url, tmp_path, "--scenario", scenario, "--spec-version", "2026-07-28", "--force")
        passed = re.search(r"Passed: (\d+)/(\d+), 0 failed, 0 warnings", out)
        assert code == 0, out
        assert passed is not None, out
        assert passed[1] == passed[2]
