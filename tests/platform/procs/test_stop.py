import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import psutil
import pytest

from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.identity import identity_of, is_alive
from claude_code_mcp.platform.procs.models import OnExit, RunState
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import (
    BOUND_S,
    LONG_S,
    STUBBORN,
    first_line,
    gone,
    python,
    shell,
    spec,
    tagged,
    until,
)
from tests.platform.procs.conftest import ended_for_sure

pytestmark = pytest.mark.anyio

FORKS = """
import os, signal, sys, time
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)
    os.wait()
def tree(depth):
    for _ in range(2 if depth else 0):
        if os.fork() == 0:
            if depth % 2: os.setsid()
            tree(depth - 1)
            time.sleep(600)
daemon(); daemon(); tree(3)
print('up', flush=True)
time.sleep(600)
"""

SPREAD = """
import os, time, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
# Each child forks the next one and stays: it grows while it is ended, but by one at a time and to a bound.
for _ in range(200):
    if os.fork():
        time.sleep(600)
    os.setsid()
    time.sleep(0.005)
time.sleep(600)
"""


RELAY_RACE = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
os.setsid()
# Always one process, which hands over to its child and ends; bounded, should nobody catch it.
end = time.monotonic() + 15
while time.monotonic() < end:
    if os.fork(): os._exit(0)
"""


async def started(runs: Runs, run: Run) -> Run:
    await first_line(run)
    return run


async def test_a_polite_program_ends_on_term_at_once(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("trap 'echo bye; exit 9' TERM; echo up; while :; do sleep 0.02; done")))
    await first_line(run)
    with anyio.fail_after(BOUND_S):
        ended = await run.stop(LONG_S)
    assert (ended.state, ended.forced, ended.left) == (RunState.EXITED, False, ())
    assert ended.exit is not None
    assert (ended.exit.code, ended.exit.stopped, ended.exit.killed) == (9, True, 0)
    assert (run.files.path / "stdout").read_bytes() == b"up\nbye\n"


async def test_a_program_that_ignores_term_is_killed_after_the_grace(runs: Runs) -> None:
    run = await started(runs, await runs.spawn(spec(*shell(STUBBORN))))
    loop = asyncio.get_running_loop()
    before = loop.time()
    with anyio.fail_after(BOUND_S):
        ended = await run.stop(0.3)
    assert loop.time() - before >= 0.3
    assert ended.exit is not None
    assert ended.exit.signal == signal.SIGKILL
    assert ended.exit.killed >= 1
    assert gone(run.run_id)


async def test_a_second_stop_with_less_grace_shortens_the_first(runs: Runs) -> None:
    run = await started(runs, await runs.spawn(spec(*shell(STUBBORN))))
    with anyio.fail_after(BOUND_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run.stop, LONG_S)
            await until((run.files.path / "stop.json").exists)
            await run.kill()
    assert run.state() is RunState.EXITED


@pytest.mark.parametrize("adopt", [True, False])
async def test_escaped_sessions_double_forks_and_deep_trees_end_with_their_run(runs: Runs, adopt: bool) -> None:
    run = await runs.spawn(spec(*python(FORKS), adopt=adopt))
    await until(lambda: run.spool().stdout_bytes >= 3 and len(tagged(run.run_id)) >= 10)
    ended = await run.stop(0.3)
    assert ended.left == ()
    assert ended.state is RunState.EXITED
    assert gone(run.run_id)


async def test_a_tree_that_forks_faster_than_it_dies_ends_all_the_same(runs: Runs) -> None:
    run = await runs.spawn(spec(*python(SPREAD)))
    await until(lambda: len(tagged(run.run_id)) > 20)
    ended = await run.kill()
    assert ended.left == ()
    assert gone(run.run_id)


async def test_processes_that_run_away_by_forking_and_ending_are_caught(runs: Runs) -> None:
    script = '"$0" -I -S -c "$1" & "$0" -I -S -c "$1" & exec sleep 600'
    run = await runs.spawn(spec(*shell(script), sys.executable, RELAY_RACE))
    await until(lambda: run.spool().stdout_bytes == 6)
    ended = await run.kill()
    assert (ended.state, ended.left) == (RunState.EXITED, ())
    assert gone(run.run_id)


async def test_a_stopped_tree_ends_too(runs: Runs) -> None:
    run = await started(runs, await runs.spawn(spec(*shell("echo up; sleep 600 & sleep 600"))))
    assert run.members is not None
    for pid in tagged(run.run_id):
        os.kill(pid, signal.SIGSTOP)
    with anyio.fail_after(BOUND_S):
        ended = await run.stop(LONG_S)
    assert ended.exit is not None
    assert ended.exit.killed == 0
    assert gone(run.run_id)


async def test_a_stopped_shim_is_woken_to_do_its_work(runs: Runs) -> None:
    run = await runs.spawn(spec("sleep", "600"))
    assert run.members is not None
    os.kill(run.members.shim.pid, signal.SIGSTOP)
    with anyio.fail_after(BOUND_S):
        ended = await run.stop(LONG_S)
    assert (ended.state, ended.forced) == (RunState.EXITED, False)


async def test_a_shim_that_does_not_answer_is_killed_and_its_tree_with_it(root: Path) -> None:
    async with ended_for_sure(Runs(root, patience_s=0.2)) as runs:
        await stop_with_a_deaf_shim(runs)


async def stop_with_a_deaf_shim(runs: Runs) -> None:
    # What it ends takes the whole grace: the instant in which our own signal wakes it is too short for its work.
    run = await started(runs, await runs.spawn(spec(*shell(f"setsid sleep 600 & {STUBBORN}"))))
    assert run.members is not None
    deaf = psutil.Process(run.members.shim.pid)

    async def keep_stopped() -> None:
        while True:
            with suppress(psutil.NoSuchProcess):
                deaf.suspend()
            await anyio.sleep(0)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_stopped)
        ended = await run.stop(0.1)
        tasks.cancel_scope.cancel()
        assert ended.state in (RunState.LOST, RunState.EXITED)  # as it is killed before or after it wrote the end
        assert (ended.forced, ended.left) == (True, ())
    assert gone(run.run_id)


async def test_stopping_twice_at_once_or_after_the_end_is_the_same_as_once(runs: Runs) -> None:
    run = await runs.spawn(spec("sleep", "600"))
    results: list[RunState] = []

    async def stop() -> None:
        results.append((await run.stop(LONG_S)).state)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(stop)
    await stop()
    assert results == [RunState.EXITED] * 6
    assert run.exit is not None
    assert run.exit.signal == signal.SIGTERM


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_a_run_that_is_just_being_started_can_be_stopped(runs: Runs, turns: int) -> None:
    wish = spec("sleep", "600")
    start = asyncio.ensure_future(runs.spawn(wish))
    while not (runs.root / wish.run_id).exists():
        await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0.0005)
    with anyio.fail_after(BOUND_S):
        ended = await runs.attach(wish.run_id).stop(1)
        await start
    assert ended.state in {RunState.EXITED, RunState.FAILED_TO_START}
    assert gone(wish.run_id)


async def leaving_something_stubborn(runs: Runs) -> Run:
    """Return a run whose main process ends now, and leaves one behind that no longer hears a polite signal."""
    stubborn = STUBBORN.replace("'", '"')
    run = await runs.spawn(spec(*shell(f"setsid sh -c '{stubborn}' & read x; exit 5")))
    await first_line(run)
    await run.write_line(b"leave")
    return run


async def test_what_the_main_process_leaves_behind_ends_with_it(runs: Runs) -> None:
    run = await leaving_something_stubborn(runs)
    with anyio.fail_after(BOUND_S):
        assert await run.wait_exit() is RunState.EXITED
    assert run.exit is not None
    assert (run.exit.code, run.exit.stopped, run.exit.left) == (5, False, ())
    assert run.exit.killed >= 1
    assert gone(run.run_id)


async def test_the_ending_of_the_main_process_is_told_before_the_rest_has_ended(runs: Runs) -> None:
    run = await leaving_something_stubborn(runs)
    await until(lambda: run.state() is RunState.EXITED)
    assert run.exit is not None
    assert run.exit.code == 5
    assert not run.ended()
    await run.wait_exit(BOUND_S)


async def test_a_run_can_wait_for_what_its_main_process_leaves_behind(runs: Runs) -> None:
    script = "(setsid sh -c 'read x <$0; echo late' $0 &) ; echo first"
    wish = spec("sh", "-c", script, str(runs.root / "gate"), on_exit=OnExit.WAIT)
    os.mkfifo(runs.root / "gate")
    run = await runs.spawn(wish)
    await until(lambda: run.state() is RunState.EXITED)
    assert not run.ended()
    (runs.root / "gate").write_text("go\n")
    assert await run.wait_exit(BOUND_S) is RunState.EXITED
    assert run.exit is not None
    assert run.exit.killed == 0
    assert (run.files.path / "stdout").read_bytes() == b"first\nlate\n"


async def test_a_run_that_waits_for_the_rest_can_be_stopped(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("setsid sleep 600 & exit 0"), on_exit=OnExit.WAIT))
    await until(lambda: run.state() is RunState.EXITED)
    with anyio.fail_after(BOUND_S):
        ended = await run.stop(1)
    assert ended.exit is not None
    assert (ended.exit.code, ended.exit.stopped) == (0, True)
    assert gone(run.run_id)


async def test_a_run_can_leave_the_rest_alone_and_stop_still_finds_it(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("setsid sleep 600 & exit 0"), on_exit=OnExit.LEAVE))
    assert await run.wait_exit(BOUND_S) is RunState.EXITED
    assert len(tagged(run.run_id)) == 1
    ended = await run.stop(1)
    assert ended.left == ()
    assert gone(run.run_id)


async def test_a_service_that_a_run_started_is_spared_with_all_it_runs(runs: Runs, tmp_path: Path) -> None:
    service = f"{table.SERVICE_TAG}=1 setsid sh -c 'sleep 600 & echo $! >{tmp_path}/pids; wait' &"
    run = await started(runs, await runs.spawn(spec(*shell(f"{service} echo up; sleep 600"))))
    await until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
    spared = identity_of(int((tmp_path / "pids").read_text()))
    assert spared is not None
    parent = psutil.Process(spared.pid).parent()
    assert parent is not None
    try:
        ended = await run.kill()
        assert ended.left == ()
        assert is_alive(spared)
    finally:
        parent.kill()
        os.kill(spared.pid, signal.SIGKILL)


async def test_kill_9_of_the_shim_ends_the_program_and_its_strays_are_found(runs: Runs) -> None:
    run = await started(runs, await runs.spawn(spec(*shell("setsid sleep 600 & echo up; sleep 600"))))
    assert run.members is not None
    os.kill(run.members.shim.pid, signal.SIGKILL)
    assert await run.wait_exit(BOUND_S) is RunState.LOST
    assert run.files.why_lost() == "its supervisor was killed"
    await until(lambda: run.members is not None and not is_alive(run.members.child))
    assert len(tagged(run.run_id)) >= 1
    ended = await run.stop(1)
    assert (ended.state, ended.left, ended.exit) == (RunState.LOST, (), None)
    assert gone(run.run_id)


async def test_a_signal_goes_to_the_main_process_alone(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("trap 'echo int' INT; echo up; while :; do sleep 0.02; done")))
    await first_line(run)
    assert run.signal(signal.SIGINT)
    await until(lambda: (run.files.path / "stdout").read_bytes() == b"up\nint\n")
    await run.kill()
    assert not run.signal(signal.SIGINT)


async def test_many_runs_come_and_go_and_leave_no_process_and_no_descriptor(runs: Runs) -> None:
    await (await runs.spawn(spec("true"))).wait_exit(BOUND_S)
    base = psutil.Process().num_fds()
    for _ in range(10):
        wishes = [spec(*(("sleep", "600") if number % 2 else ("true",))) for number in range(20)]
        batch = [await runs.spawn(wish) for wish in wishes]
        async with anyio.create_task_group() as tasks:
            for run in batch:
                tasks.start_soon(run.stop, LONG_S)
        endings = {(run.exit.code, run.exit.signal) for run in batch if run.exit is not None}
        assert endings <= {(0, None), (None, signal.SIGTERM)}
        assert {run.state() for run in batch} == {RunState.EXITED}
        for run in batch:
            await runs.remove(run.run_id)
    assert psutil.Process().num_fds() <= base
    assert len(list(runs.root.iterdir())) == 1  # the first
    server = [child for child in psutil.Process().children() if "--serve" in child.cmdline()]
    assert [process.cmdline()[-2:] for process in server] == [["--serve", str(runs.root)]]
    assert server[0].children() == []
