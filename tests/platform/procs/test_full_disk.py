"""A file system that is really full: a tmpfs of a few pages, which only root can mount."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs.errors import SpawnFailed
from claude_code_mcp.platform.procs.models import RunState
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.procs.space import DiskWatch
from tests.platform.procs.children import BOUND_S, all_lines, first_line, shell, spec

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small tmpfs needs root"),
]
LINES = "i=0; while [ $i -lt 6000 ]; do echo line $i, written without a look at the result; i=$((i+1)); done"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "small"
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(path)], check=False)
    if done.returncode:
        pytest.skip("this system does not let us mount a tmpfs")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with suppress(OSError), (path / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 512)
    assert os.statvfs(path).f_bavail == 0


async def test_output_is_cut_where_the_disk_is_full_and_the_ending_is_recorded_all_the_same(small: Path) -> None:
    async with Runs(small / "runs", disk=DiskWatch(small, low_bytes=0)) as runs:
        run = await runs.spawn(spec(*shell(f"{LINES}; exit 3")))
        lines = await all_lines(run)
        assert await run.wait_exit(BOUND_S) is RunState.EXITED
        assert run.exit is not None
        assert run.exit.code == 3
        assert lines[-1].torn
        assert lines[-1].end == run.spool().stdout_bytes < 256 * 1024
        assert [int(line.data.split()[1].rstrip(b",")) for line in lines[:-1]] == list(range(len(lines) - 1))
        fill(small)
        with pytest.raises(SpawnFailed) as caught:
            await runs.spawn(spec("true"))
        assert caught.value.details["errno"] == errno.ENOSPC
        await runs.remove(run.run_id)
        assert list((small / "runs").iterdir()) == []


async def test_a_run_is_stopped_and_its_ending_recorded_on_a_full_disk(small: Path) -> None:
    async with Runs(small / "runs", disk=DiskWatch(small, low_bytes=0)) as runs:
        run = await runs.spawn(spec(*shell("echo up; exec sleep 600")))
        await first_line(run)
        fill(small)
        ended = await run.stop(1)
        assert (ended.state, ended.forced, ended.left) == (RunState.EXITED, False, ())
        assert ended.exit is not None
        assert ended.exit.stopped
