"""What a run can be kept from, and that the record says what was really put in force."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.platform.procs import landlock
from claude_code_mcp.platform.procs.cgroups import Cgroups
from claude_code_mcp.platform.procs.confine import readable, wrapped
from claude_code_mcp.platform.procs.models import Limits, RunSpec, RunState, Sandbox
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import all_lines, python, shell, spec

pytestmark = pytest.mark.anyio


def confined(argv: tuple[str, ...], *, cwd: str = "/", **wishes: Any) -> RunSpec:
    """Return the run of `argv` with what else is wished, in the words of `RunSpec`."""
    return replace(spec(*argv, cwd=cwd), **wishes)


async def told(runs: Runs, wish: RunSpec) -> tuple[Run, list[str]]:
    """Run `wish` to its end and return it with its lines."""
    run = await runs.spawn(wish)
    lines = [line.data.decode() for line in await all_lines(run)]
    await run.wait_exit(20)
    return run, lines


async def test_limits_hold_for_the_program_and_are_recorded_by_name(runs: Runs, tmp_path: Path) -> None:
    limits = Limits(cpu_s=7, file_bytes=4096, open_files=33, nice=5)
    script = "ulimit -t; ulimit -n; nice; head -c 9999 /dev/zero > big; wc -c < big"
    run, lines = await told(runs, confined(shell(script), cwd=str(tmp_path), limits=limits))
    assert lines == ["7", "33", str(min(19, os.nice(0) + 5)), "4096"]
    assert run.files.confined() == {
        "sandbox": "none",
        "cpu_s": "each process",
        "file_bytes": "each process",
        "open_files": "each process",
        "nice": "process",
    }


async def test_a_run_that_spins_is_ended_by_its_cpu_limit(runs: Runs) -> None:
    run, _ = await told(runs, confined(python("while True: pass"), limits=Limits(cpu_s=1)))
    assert run.exit is not None
    assert run.exit.signal in {24, 9}


async def test_memory_is_limited_for_the_whole_tree_where_there_are_control_groups(runs: Runs, tmp_path: Path) -> None:
    limits = Limits(memory_bytes=64 * 1024 * 1024)
    groups = Cgroups(tmp_path)
    wish = confined(python("x = bytearray(256 << 20); print('had it')"), limits=limits)
    made = groups.make(wish.run_id, limits)
    try:
        run, lines = await told(runs, confined(wish.argv, limits=limits, cgroups=made))
        assert lines == []
        assert run.files.confined()["memory_bytes"] == ("cgroup" if made else "each process")
    finally:
        groups.remove(wish.run_id)
    assert wish.run_id not in groups.left()


async def test_a_fork_bomb_stays_within_its_number_of_processes(runs: Runs, tmp_path: Path) -> None:
    groups = Cgroups(tmp_path)
    if "pids" not in groups.controllers:
        limits = Limits(processes=4096)  # for each user then, and root has no such limit: only the record can be seen
        run, _ = await told(runs, confined(shell("true"), limits=limits))
        assert run.files.confined()["processes"] == "each user"
        return
    limits = Limits(processes=10)
    bomb = confined(shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo over"), limits=limits)
    made = groups.make(bomb.run_id, limits)
    try:
        run = await runs.spawn(confined(bomb.argv, limits=limits, cgroups=made))
        await run.wait_exit(20)
        assert b"ork" in run.stderr_tail()
    finally:
        groups.remove(bomb.run_id)


@pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")
async def test_a_run_in_the_fs_sandbox_writes_where_it_may_and_cannot_read_what_is_hidden(
    runs: Runs, tmp_path: Path
) -> None:
    work, secret, other = tmp_path / "work", tmp_path / "secret", tmp_path / "other"
    for folder in (work, secret, other):
        folder.mkdir()
        (folder / "file").write_text(folder.name)
    script = f"cat {secret}/file; echo new > {other}/new; cat {other}/file; echo; echo new > made; cat made >/dev/null"
    wish = confined(shell(script), cwd=str(work), sandbox=Sandbox.FS, writable=(str(work),), hidden=(str(secret),))
    run, lines = await told(runs, wish)
    assert lines == ["other"]
    assert (work / "made").exists()
    assert not (other / "new").exists()
    assert run.files.confined() == {"sandbox": "fs", "files": "landlock"}


@pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")
async def test_a_run_without_network_reaches_no_port_of_this_machine(runs: Runs, tmp_path: Path) -> None:
    code = """
import socket, sys
server = socket.socket()
try:
    server.bind(("127.0.0.1", 0)); server.listen()
    socket.create_connection(server.getsockname(), 1)
    print("reached")
except OSError as exc:
    print("refused")
"""
    free, _ = await told(runs, confined(python(code), sandbox=Sandbox.FS, writable=(str(tmp_path),))), None
    assert free[1] == ["reached"]
    run, lines = await told(runs, confined(python(code), sandbox=Sandbox.FS_NET, writable=(str(tmp_path),)))
    assert lines == ["refused"]
    assert run.files.confined()["network"] in {"namespace", "landlock, TCP only"}


async def test_a_sandbox_that_cannot_be_had_refuses_the_start(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = confined(shell("echo ran"), limits=Limits(open_files=8), cgroups={"memory": "/nonexistent/group"})
    run = await runs.spawn(wish)
    assert run.state() is RunState.FAILED_TO_START
    assert run.start_failure is not None
    assert run.start_failure.stage == "confine"
    assert run.files.size_of("stdout") == 0


def test_everything_but_what_is_hidden_is_readable_by_name(tmp_path: Path) -> None:
    for name in ("a/b/secret", "a/b/plain", "a/c"):
        (tmp_path / name).mkdir(parents=True)
    found = set(readable([str(tmp_path / "a/b/secret")]))
    inside = {path for path in found if path.startswith(os.path.realpath(tmp_path))}
    assert inside == {f"{os.path.realpath(tmp_path)}/a/b/plain", f"{os.path.realpath(tmp_path)}/a/c"}
    assert "/usr" in found


def test_without_landlock_bubblewrap_is_put_before_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, secret = tmp_path / "bin" / "bwrap", tmp_path / "secret"
    program.parent.mkdir()
    program.touch(mode=0o755)
    secret.mkdir()
    (tmp_path / "token").touch()
    monkeypatch.setenv("PATH", str(program.parent))
    in_force: dict[str, object] = {}
    hidden = [str(secret), str(tmp_path / "token"), str(tmp_path / "gone")]
    spec: dict[str, object] = {"cwd": "/work", "sandbox": "fs+net", "writable": ["/work"], "hidden": hidden}
    words = " ".join(wrapped(spec, in_force))
    assert words.startswith(f"{program} --die-with-parent --ro-bind / / ")
    assert " --bind-try /work /work " in words
    assert f" --tmpfs {secret} --ro-bind /dev/null {tmp_path / 'token'} --unshare-net --chdir /work --" in words
    assert in_force == {"files": "bubblewrap", "network": "namespace"}
    monkeypatch.setenv("PATH", str(secret))
    with pytest.raises(OSError, match="neither Landlock nor bubblewrap"):
        wrapped(spec, {})


def test_another_daemon_on_the_machine_neither_sees_nor_removes_a_group(tmp_path: Path) -> None:
    ours, theirs = Cgroups(tmp_path / "ours"), Cgroups(tmp_path / "theirs")
    made = ours.make("0197aaaa-0000-7000-8000-000000000000", Limits(memory_bytes=1 << 26))
    try:
        assert theirs.left() == set()
        theirs.remove("0197aaaa-0000-7000-8000-000000000000")
        assert all(Path(path).is_dir() for path in made.values())
        assert ours.left() == ({"0197aaaa-0000-7000-8000-000000000000"} if made else set())
    finally:
        ours.remove("0197aaaa-0000-7000-8000-000000000000")
    assert ours.left() == set()
