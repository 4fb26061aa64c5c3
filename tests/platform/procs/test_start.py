import asyncio
import errno
import fcntl
import json
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest

from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.errors import BadRunSpec, DiskLow, RunIsAlive, RunNotFound, SpawnFailed
from claude_code_mcp.platform.procs.forkserver import SHIM
from claude_code_mcp.platform.procs.identity import is_alive
from claude_code_mcp.platform.procs.models import RunSpec, RunState, StartFailure, Stdin
from claude_code_mcp.platform.procs.rundir import RunDir
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.platform.procs.space import DiskWatch
from tests.platform.procs.children import BOUND_S, all_lines, first_line, gone, python, shell, spec, until

pytestmark = pytest.mark.anyio
SHIM_LIMIT_BYTES = 12 * 1024 * 1024


async def test_a_run_is_recorded_and_running_when_spawn_returns(runs: Runs) -> None:
    run = await runs.spawn(spec("sleep", "60"))
    assert run.state() is RunState.RUNNING
    assert run.members is not None
    assert is_alive(run.members.shim)
    assert is_alive(run.members.child)
    assert psutil.Process(run.members.child.pid).name() == "sleep"
    assert psutil.Process(run.members.child.pid).ppid() == run.members.shim.pid
    assert run.exit is None
    assert run.start_failure is None


async def test_a_run_ends_with_its_code_and_all_its_output(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("echo one; printf two; echo oops >&2; exit 3")))
    lines = await all_lines(run)
    assert [(line.offset, line.end, line.data, line.torn) for line in lines] == [
        (0, 4, b"one", False),
        (4, 7, b"two", True),
    ]
    assert await run.wait_exit(BOUND_S) is RunState.EXITED
    assert run.exit is not None
    assert (run.exit.code, run.exit.signal) == (3, None)
    assert run.stderr_tail() == b"oops\n"
    assert run.stderr_tail(3) == b"ps\n"
    assert (run.spool().stdout_bytes, run.spool().stderr_bytes, run.spool().total_bytes) == (7, 5, 12)


async def test_a_shim_takes_less_than_twelve_megabytes_and_shares_most_of_it(runs: Runs) -> None:
    run = await runs.spawn(spec("sleep", "60"))
    assert run.members is not None
    assert psutil.Process(run.members.shim.pid).memory_info().rss <= SHIM_LIMIT_BYTES
    rollup = Path(f"/proc/{run.members.shim.pid}/smaps_rollup").read_text()
    private = [int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_")]
    assert sum(private) <= 4 * 1024


@pytest.mark.parametrize(
    ("change", "stage", "error"),
    [
        (lambda wish, _: replace(wish, argv=("/nowhere/at/all",)), "exec", "ENOENT"),
        (lambda wish, _: replace(wish, argv=("no-such-program-anywhere",)), "exec", "ENOENT"),
        (lambda wish, home: replace(wish, argv=(str(home),)), "exec", "EACCES"),
        (lambda wish, home: replace(wish, argv=(str(home / "text"),)), "exec", "ENOEXEC"),
        (lambda wish, home: replace(wish, argv=(str(home / "plain"),)), "exec", "EACCES"),
        (lambda wish, home: replace(wish, cwd=str(home / "missing")), "cwd", "ENOENT"),
        (lambda wish, home: replace(wish, cwd=str(home / "text")), "cwd", "ENOTDIR"),
        (lambda wish, _: replace(wish, argv=("true", "x" * 3_000_000)), "exec", "E2BIG"),
        (lambda wish, _: replace(wish, env={"PATH": "/usr/bin", "BIG": "x" * 3_000_000}), "exec", "E2BIG"),
    ],
)
async def test_a_program_that_cannot_run_is_a_typed_failure(
    runs: Runs, tmp_path: Path, change: Callable[[RunSpec, Path], RunSpec], stage: str, error: str
) -> None:
    (tmp_path / "text").write_text("no program\n")
    (tmp_path / "text").chmod(0o755)
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    run = await runs.spawn(change(spec("true"), tmp_path))
    assert run.state() is RunState.FAILED_TO_START
    failed = run.start_failure
    assert isinstance(failed, StartFailure)
    assert (failed.stage, failed.error) == (stage, error)
    assert await all_lines(run) == []
    assert await run.wait_exit(BOUND_S) is RunState.FAILED_TO_START


@pytest.mark.parametrize(
    "change",
    [
        {"argv": ()},
        {"argv": ("",)},
        {"argv": ("true", "a\0b")},
        {"cwd": "relative"},
        {"cwd": "/a\0b"},
        {"env": {"A=B": "x"}},
        {"env": {"": "x"}},
        {"env": {"A": "x\0y"}},
        {"run_id": "../../escape"},
    ],
)
async def test_what_no_machine_could_start_is_refused_and_leaves_nothing(runs: Runs, change: dict[str, object]) -> None:
    with pytest.raises(BadRunSpec):
        await runs.spawn(replace(spec("true"), **change))  # type: ignore[arg-type]  # one field each
    assert list(runs.root.iterdir()) == []


async def test_an_id_is_used_once(runs: Runs) -> None:
    wish = spec("true")
    await runs.spawn(wish)
    with pytest.raises(BadRunSpec, match="already"):
        await runs.spawn(wish)


async def test_names_with_spaces_quotes_newlines_and_bytes_that_are_no_text_reach_the_program(
    runs: Runs, tmp_path: Path
) -> None:
    strange = tmp_path / "a b'c\"d\ne\udcff$(touch x)"
    strange.mkdir()
    words = ("$(id)", "`id`", "--flag=a b", "", "\udcfe", "\u2028")
    code = "import os, sys; print([os.getcwdb(), *map(os.fsencode, sys.argv[1:])])"
    run = await runs.spawn(spec(*python(code, *words), cwd=str(strange)))
    (line,) = await all_lines(run)
    assert line.data.decode() == str([os.fsencode(strange), *map(os.fsencode, words)])
    assert run.spec is not None
    assert run.spec.argv[-6:] == words


async def test_everything_on_disk_is_for_this_user_only(runs: Runs) -> None:
    old = os.umask(0)
    try:
        run = await runs.spawn(spec("true"))
        await run.wait_exit(BOUND_S)
    finally:
        os.umask(old)
    files = [runs.root, run.files.path, *run.files.path.iterdir()]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


async def test_a_secret_of_the_environment_is_nowhere_on_disk_unless_it_is_to_be_kept(runs: Runs) -> None:
    wish = spec("true", env={"TOKEN": "canary-7f3a"})
    run = await runs.spawn(wish)
    kept = await runs.spawn(replace(spec("true", env={"TOKEN": "canary-7f3a"}), keep_env=True))
    await run.wait_exit(BOUND_S)
    await kept.wait_exit(BOUND_S)
    assert run.files.env() is None
    assert not [path for path in run.files.path.iterdir() if path.is_file() and b"canary" in path.read_bytes()]
    assert "canary" not in repr(wish)
    assert kept.files.env() == {"PATH": os.environ["PATH"], "TOKEN": "canary-7f3a"}
    assert stat.S_IMODE((kept.files.path / "env.json").stat().st_mode) == 0o600
    kept.files.forget_env()
    assert kept.files.env() is None


@contextmanager
def few_descriptors(more: int) -> Generator[None]:
    """Let this process open so many descriptors more, and no others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(more):
            os.close(taken.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in taken:
            os.close(fd)


async def test_no_descriptor_left_fails_the_start_and_nothing_else(runs: Runs) -> None:
    before = await runs.spawn(spec("sleep", "60"))
    with few_descriptors(0), pytest.raises(SpawnFailed) as caught:
        await runs.spawn(spec("true"))
    assert caught.value.details["errno"] == errno.EMFILE
    assert [path.name for path in runs.root.iterdir()] == [before.run_id]
    assert (await (await runs.spawn(spec("true"))).wait_exit(BOUND_S)) is RunState.EXITED
    assert before.state() is RunState.RUNNING


async def test_with_the_last_descriptors_a_run_is_started_or_refused_but_never_lost(runs: Runs) -> None:
    await runs.spawn(spec("true"))
    for more in range(4):
        with few_descriptors(more):
            run = None
            with suppress(SpawnFailed):
                run = await runs.spawn(spec("sleep", "60"))
        if run is None:
            continue
        assert run.state() is RunState.RUNNING
        assert (await run.kill()).state is RunState.EXITED
    assert all(path.name in {run.run_id for run in runs.scan()} for path in runs.root.iterdir())


async def test_a_start_that_is_cancelled_leaves_nothing_running(runs: Runs) -> None:
    await runs.spawn(spec("true"))
    for turns in range(1, 12):
        wish = spec("sleep", "60")
        start = asyncio.ensure_future(runs.spawn(wish))
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        if start.done():
            await start.result().kill()
            continue
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        state = await runs.attach(wish.run_id).wait_exit(BOUND_S)
        assert state in {RunState.EXITED, RunState.FAILED_TO_START}
        assert gone(wish.run_id)


async def test_a_killed_fork_server_is_replaced_and_its_runs_live_on(runs: Runs) -> None:
    first = await runs.spawn(spec("sleep", "60"))
    assert first.members is not None
    server = psutil.Process(first.members.shim.pid).parent()
    assert server is not None
    server.kill()
    second = await runs.spawn(spec("sleep", "60"))
    assert (first.state(), second.state()) == (RunState.RUNNING, RunState.RUNNING)
    assert second.members is not None
    assert psutil.Process(second.members.shim.pid).ppid() != server.pid


async def test_a_fork_server_killed_while_it_starts_runs_leaves_each_run_whole_or_not_at_all(runs: Runs) -> None:
    server = await fork_server(runs)
    mark = runs.root.parent / "started"
    wishes = [spec(*shell(f"echo $CLAUDE_CODE_MCP_RUN >>{mark}; sleep 60")) for _ in range(30)]
    errors: list[str] = []

    async def start(wish: RunSpec) -> None:
        try:
            await runs.spawn(wish)
        except SpawnFailed:
            errors.append(wish.run_id)

    async with anyio.create_task_group() as tasks:
        for wish in wishes:
            tasks.start_soon(start, wish)
        await until(lambda: len(list(runs.root.glob("*/procs.json"))) > 4)
        server.kill()
    living = {run.run_id for run in runs.scan() if run.state() is RunState.RUNNING}
    assert living.isdisjoint(errors)
    assert living | set(errors) >= {wish.run_id for wish in wishes}
    shown = {wish.run_id for wish in wishes} & living
    await until(lambda: set(mark.read_text().split()) >= shown)
    assert set(mark.read_text().split()) == shown
    assert len(mark.read_text().split()) == len(shown)


async def test_a_start_that_a_shim_of_a_killed_fork_server_carried_out_is_told_at_once(runs: Runs) -> None:
    wish = spec("sleep", "60")
    files = RunDir(runs.root / wish.run_id)
    files.create(wish)
    command = [sys.executable, "-I", "-S", "-E", "-X", "utf8", str(SHIM), str(files.path)]
    with subprocess.Popen(command, env={"PATH": os.environ["PATH"]}) as earlier:
        members = await until(files.members)
        assert await runs._server.start_run(wish.run_id, BOUND_S), "nobody answered"
        assert members is not None
        assert members.shim.pid == earlier.pid
        await runs.attach(wish.run_id).kill()


async def test_a_shim_whose_run_is_held_by_another_takes_it_when_that_dies(runs: Runs) -> None:
    wish = spec("sleep", "60")
    files = RunDir(runs.root / wish.run_id)
    files.create(wish)
    held = os.open(files.path / "spec.json", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    asked = asyncio.ensure_future(runs._server.start_run(wish.run_id, BOUND_S))
    await until(lambda: opened_below_us(files.path / "spec.json"))
    os.close(held)
    assert await asked, "nobody answered"
    assert runs.attach(wish.run_id).state() is RunState.RUNNING


def opened_below_us(path: Path) -> bool:
    """Tell whether a process that we started, or that one of these started, has a file open."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if str(path) in {file.path for file in process.open_files()}:
                return True
    return False


async def fork_server(runs: Runs) -> psutil.Process:
    run = await runs.spawn(spec("sleep", "60"))
    assert run.members is not None
    server = psutil.Process(run.members.shim.pid).parent()
    assert server is not None
    return server


async def test_a_stopped_fork_server_is_replaced_and_the_run_it_sat_on_is_given_up(runs: Runs) -> None:
    server = await fork_server(runs)
    server.send_signal(signal.SIGSTOP)
    patient_s, runs._start_s = runs._start_s, 0.3  # a server that goes well may need longer on a busy machine
    stuck = await runs.spawn(spec(*shell("echo ran")))
    runs._start_s = patient_s
    assert stuck.state() is RunState.FAILED_TO_START
    assert stuck.start_failure is not None
    assert stuck.start_failure.stage == "abandoned"
    assert (await runs.spawn(spec("sleep", "60"))).state() is RunState.RUNNING
    assert stuck.spool().total_bytes == 0


async def test_low_space_refuses_a_start_and_touches_nothing(root: Path) -> None:
    root.mkdir()
    async with Runs(root, disk=DiskWatch(root, low_bytes=1 << 60)) as full:
        with pytest.raises(DiskLow) as caught:
            await full.spawn(spec("true"))
    assert caught.value.details["low_bytes"] == 1 << 60
    assert list(root.iterdir()) == []


async def test_a_run_is_removed_only_when_it_is_over(runs: Runs) -> None:
    run = await runs.spawn(spec("sleep", "60"))
    with pytest.raises(RunIsAlive):
        await runs.remove(run.run_id)
    await run.kill()
    await runs.remove(run.run_id)
    assert list(runs.root.iterdir()) == []
    for run_id in (run.run_id, "../..", "nothing"):
        with pytest.raises(RunNotFound):
            runs.attach(run_id)


async def test_the_usage_of_a_run_counts_its_whole_tree(runs: Runs) -> None:
    burn = "import os, time\nos.fork()\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    run = await runs.spawn(spec(*python(burn + "print('done', flush=True)\nimport signal; signal.pause()")))
    await until(lambda: run.spool().stdout_bytes == 10)
    usage = await run.usage()
    assert usage is not None
    assert usage.processes == 2
    assert usage.rss_bytes > 10 * 1024 * 1024
    assert 0.35 <= usage.cpu_s < 5
    assert (await runs.usage()).keys() == {run.run_id}
    await run.kill()
    assert await run.usage() is None


async def test_starting_runs_does_not_hold_up_the_event_loop(runs: Runs) -> None:
    await runs.spawn(spec("true", stdin=Stdin.NULL))  # the fork server is up
    loop = asyncio.get_running_loop()
    longest = 0.0
    done = asyncio.Event()

    async def beat() -> None:
        nonlocal longest
        while not done.is_set():
            before = loop.time()
            await asyncio.sleep(0)
            longest = max(longest, loop.time() - before)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beat)
        for _ in range(10):
            await runs.spawn(spec("true"))
        done.set()
    assert longest < 1.0  # a spawn that waited for its run to end would take longer, also on a busy machine


async def test_the_shim_is_a_service_and_its_environment_holds_nothing_of_ours(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-7f3a")
    run = await runs.spawn(spec(*shell("echo up; read line")))
    await first_line(run)
    assert run.members is not None
    environ = Path(f"/proc/{run.members.shim.pid}/environ").read_bytes()
    assert b"canary" not in environ
    assert f"{table.SERVICE_TAG}=1".encode() in environ.split(b"\0")
    assert json.loads((run.files.path / "spec.json").read_text())["run_id"] == run.run_id
