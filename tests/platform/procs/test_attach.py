"""What a new daemon finds when the one before it was killed, the machine was restarted, or files were spoilt."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from claude_code_mcp.platform.procs.identity import identity_of
from claude_code_mcp.platform.procs.models import Members, RunState
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import BOUND_S, LONG_S, REPO, all_lines, first_line, gone, shell, spec, until
from tests.platform.procs.spawner import COUNT

pytestmark = pytest.mark.anyio


@contextmanager
def spawner(mode: str, root: Path) -> Generator["subprocess.Popen[bytes]"]:
    """A daemon's stand-in that is killed, not ended, when the block is left."""
    process = subprocess.Popen([sys.executable, "-m", "tests.platform.procs.spawner", mode, str(root)], cwd=REPO)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def rows(journal: Path) -> list[list[int]]:
    text = journal.read_text() if journal.exists() else ""
    return [[int(word) for word in row.split()] for row in text.splitlines()]


def serving(root: Path) -> list[int]:
    """Return the pids of the fork servers of this root."""
    wanted = ["--serve", str(root)]
    processes = psutil.process_iter(["cmdline"])
    return [process.pid for process in processes if (process.info["cmdline"] or [])[-2:] == wanted]


@pytest.mark.parametrize("seed", range(12))
async def test_kill_9_of_the_daemon_at_any_instant_loses_no_line_and_repeats_none(
    root: Path, runs: Runs, seed: int
) -> None:
    chance = random.Random(seed)
    journal = Path(f"{root}.journal")
    with spawner("follow", root):
        wanted = chance.randrange(COUNT)
        await until(lambda: len(rows(journal)) > wanted or len(rows(journal)) == COUNT)
    told = rows(journal)
    (run,) = runs.scan()
    lines = await all_lines(run, told[-1][1])
    told += [[line.offset, line.end, int(line.data.split()[0])] for line in lines]
    assert [number for _, _, number in told] == list(range(COUNT))
    assert [start for start, _, _ in told] == [0, *(end for _, end, _ in told[:-1])]
    assert await run.wait_exit(BOUND_S) is RunState.EXITED
    assert run.exit is not None
    assert run.exit.code == 21
    await until(lambda: not serving(root))


@pytest.mark.parametrize("seed", range(8))
async def test_kill_9_of_the_daemon_while_it_starts_runs_leaves_each_one_known_or_never_begun(
    root: Path, runs: Runs, seed: int
) -> None:
    started = Path(f"{root}.started")
    wanted = random.Random(seed).randrange(3, 30)
    with spawner("many", root):
        await until(lambda: started.exists() and len(started.read_text().split()) > wanted)
    await until(lambda: not serving(root))
    found = {run.run_id: run for run in runs.scan()}
    states = {run_id: await run.wait_exit(BOUND_S) for run_id, run in found.items()}
    assert set(states.values()) <= {RunState.EXITED, RunState.FAILED_TO_START}
    ran = [run_id for run_id, state in states.items() if state is RunState.EXITED]
    assert sorted(started.read_text().split()) == sorted(ran)
    stages = {run.start_failure.stage for run in found.values() if run.start_failure is not None}
    assert stages <= {"abandoned"}
    assert not [path.name for path in root.iterdir() if path.name.startswith(".")]


def ends_with(run: Run, tail: bytes) -> bool:
    return (run.files.path / "stdout").read_bytes().endswith(tail)


async def handed_over(root: Path, runs: Runs, *argv: str) -> Run:
    """Return a run that another `Runs` started and let go of."""
    async with Runs(root) as before:
        run = await before.spawn(spec(*argv))
        await first_line(run)
    return runs.attach(run.run_id)


async def test_an_attached_run_is_followed_written_to_and_stopped_like_an_own_one(root: Path, runs: Runs) -> None:
    run = await handed_over(root, runs, *shell("echo up; while read x; do echo got $x; done"))
    assert run.state() is RunState.RUNNING
    await run.write_line(b"one")
    await until(lambda: (run.files.path / "stdout").read_bytes() == b"up\ngot one\n")
    ended = await run.stop(LONG_S)
    assert ended.exit is not None
    assert ended.exit.signal == signal.SIGTERM
    assert [line.data for line in await all_lines(run, 3)] == [b"got one"]


async def test_a_pid_that_now_is_another_process_is_never_signalled_and_the_run_is_lost(root: Path, runs: Runs) -> None:
    run = await handed_over(root, runs, *shell("echo up; sleep 600"))
    assert run.members is not None
    os.kill(run.members.shim.pid, signal.SIGKILL)
    with subprocess.Popen(["sleep", "600"]) as bystander:
        record = json.loads((run.files.path / "procs.json").read_text())
        for who in ("shim", "child"):
            record[who]["pid"] = bystander.pid
        (run.files.path / "procs.json").write_text(json.dumps(record))
        runs.release(run.run_id)
        run = runs.attach(run.run_id)
        assert run.state() is RunState.LOST
        assert not run.signal(signal.SIGKILL)
        ended = await run.stop(0.1)
        assert (ended.state, ended.left) == (RunState.LOST, ())
        assert bystander.poll() is None
        bystander.kill()
    assert gone(run.run_id)


async def test_after_a_reboot_a_run_is_lost_and_nothing_is_signalled(root: Path, runs: Runs) -> None:
    run = await handed_over(root, runs, *shell("echo up; sleep 600"))
    members = run.members
    assert members is not None
    text = (run.files.path / "procs.json").read_text()
    (run.files.path / "procs.json").write_text(text.replace(members.shim.boot, "the-boot-before"))
    runs.release(run.run_id)
    run = runs.attach(run.run_id)
    assert run.state() is RunState.LOST
    assert run.files.why_lost() == "the machine was restarted"
    assert not run.signal(signal.SIGTERM)
    assert await run.wait_exit(1) is RunState.LOST
    assert [line.data for line in await all_lines(run)] == [b"up"]
    assert identity_of(members.child.pid) == members.child
    (run.files.path / "procs.json").write_text(text)
    runs.release(run.run_id)


async def test_a_run_that_had_ended_before_a_reboot_keeps_its_ending(root: Path, runs: Runs) -> None:
    run = await handed_over(root, runs, *shell("echo up; exit 4"))
    await run.wait_exit(BOUND_S)
    text = (run.files.path / "procs.json").read_text()
    members = run.members
    assert members is not None
    (run.files.path / "procs.json").write_text(text.replace(members.shim.boot, "the-boot-before"))
    runs.release(run.run_id)
    run = runs.attach(run.run_id)
    assert run.state() is RunState.EXITED
    assert run.exit is not None
    assert run.exit.code == 4


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[1]", b'{"shim": 1}', b'{"shim": {"pid": "x"}}', b"\xff\x00"])
async def test_broken_records_are_a_lost_run_and_no_crash(root: Path, runs: Runs, spoilt: bytes) -> None:
    run = await handed_over(root, runs, *shell("echo up; exit 4"))
    await run.wait_exit(BOUND_S)
    for name in ("procs.json", "exit.json", "spec.json"):
        (run.files.path / name).write_bytes(spoilt)
    runs.release(run.run_id)
    run = runs.attach(run.run_id)
    assert run.state() is RunState.LOST
    assert (run.exit, run.start_failure, run.members, run.spec) == (None, None, None, None)
    assert (await run.stop(0.1)).state is RunState.LOST
    assert [line.data for line in await all_lines(run)] == [b"up"]


async def test_half_made_and_half_removed_directories_are_cleared_away(runs: Runs) -> None:
    run = await runs.spawn(spec("true"))
    for name in (".new-01a1f74e-fcd2-7563-be30-90603381e4f8", ".gone-01a1f74e-fcd2-7563-be30-90603381e4f8", "other"):
        (runs.root / name).mkdir()
        (runs.root / name / "env.json").write_text("{}")
    assert [found.run_id for found in runs.scan()] == [run.run_id]
    assert sorted(path.name for path in runs.root.iterdir()) == [run.run_id, "other"]


async def test_twenty_live_runs_are_found_and_followed_again_within_a_moment(root: Path, runs: Runs) -> None:
    async with Runs(root) as before:
        for number in range(20):
            await before.spawn(spec(*shell(f"echo up {number}; while read x; do echo $x; done")))
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = runs.scan()
    for run in found:
        assert (await first_line(run)).startswith(b"up ")
        await run.write_line(b"again")
        await until(partial(ends_with, run, b"again\n"))
    assert loop.time() - began < 2
    assert len(found) == 20
    assert all(isinstance(run.members, Members) for run in found)
