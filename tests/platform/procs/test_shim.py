"""The shim alone, without the fork server and the daemon's side."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.forkserver import SHIM
from claude_code_mcp.platform.procs.models import Exit, RunSpec, StartFailure, Stdin
from claude_code_mcp.platform.procs.rundir import RunDir
from tests.platform.procs.children import BOUND_S, gone, python, shell, spec, until_now


class Started:
    """A run under a shim that this test is the parent of."""

    def __init__(self, root: Path, wish: RunSpec) -> None:
        self.files = RunDir(root / wish.run_id)
        if not self.files.path.exists():
            root.mkdir(exist_ok=True)
            self.files.create(wish)
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-E", "-X", "utf8", str(SHIM), str(self.files.path)],
            env={"PATH": os.environ["PATH"], table.SERVICE_TAG: "1"},
            start_new_session=True,
        )

    def child(self) -> int:
        until_now(self.files.members)
        members = self.files.members()
        assert members is not None
        return members.child.pid

    def output(self) -> bytes:
        return (self.files.path / "stdout").read_bytes()

    def log(self) -> str:
        path = self.files.path / "shim.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def started(root: Path) -> Iterator[list[Started]]:
    found: list[Started] = []
    yield found
    for one in found:
        if one.process.poll() is None:
            one.process.terminate()
        one.process.wait(BOUND_S)
        assert not one.log()
        assert gone(one.files.run_id)


def test_a_bug_of_a_shim_is_written_down_and_nothing_runs(root: Path) -> None:
    wish = spec(*shell("echo ran"))
    files = RunDir(root / wish.run_id)
    root.mkdir()
    files.create(wish)
    (files.path / "env.json").unlink()
    (files.path / "env.json").mkdir()
    run = Started(root, wish)
    assert run.process.wait(BOUND_S) == 1
    assert run.output() == b""
    assert files.why_lost().startswith("its supervisor failed: IsADirectoryError")


def test_the_shim_is_made_of_the_standard_library_and_little_of_it() -> None:
    code = (
        f"import sys; before = set(sys.modules); sys.path.append({str(SHIM.parents[3])!r})\n"
        "import claude_code_mcp.platform.procs.shim\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('claude_code_mcp.platform.procs.')))\n"
        "print(len(sys.modules) - len(before))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    outside, ours, count = done.stdout.splitlines()
    assert outside.split() in (["claude_code_mcp"], ["__main__", "claude_code_mcp"])
    parts = [name.rpartition(".")[2] for name in ours.split()]
    assert parts == ["confine", "landlock", "launch", "records", "shim", "table", "terminal"]
    assert int(count) < 60


def test_it_leads_a_session_and_so_does_the_program(root: Path, started: list[Started]) -> None:
    run = Started(root, spec(*shell("echo up; exec sleep 60")))
    started.append(run)
    child = run.child()
    until_now(run.output)
    assert os.getsid(run.process.pid) == run.process.pid
    assert os.getsid(child) == os.getpgid(child) == child


def test_it_writes_down_how_the_program_ended(root: Path, started: list[Started]) -> None:
    run = Started(root, spec(*shell("echo out; echo err >&2; exit 7")))
    started.append(run)
    assert run.process.wait(BOUND_S) == 0
    ending = run.files.ending()
    assert isinstance(ending, Exit)
    assert (ending.code, ending.signal, ending.stopped, ending.killed, ending.left) == (7, None, False, 0, ())
    assert run.output() == b"out\n"
    assert (run.files.path / "stderr").read_bytes() == b"err\n"


def test_a_program_that_a_signal_ended_has_a_signal_and_no_code(root: Path, started: list[Started]) -> None:
    run = Started(root, spec(*shell("kill -SEGV $$")))
    started.append(run)
    run.process.wait(BOUND_S)
    ending = run.files.ending()
    assert isinstance(ending, Exit)
    assert (ending.code, ending.signal) == (None, signal.SIGSEGV)


def test_kill_9_of_the_shim_ends_the_program(root: Path, started: list[Started]) -> None:
    run = Started(root, spec("sleep", "60"))
    started.append(run)
    child = run.child()
    run.process.kill()
    until_now(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    assert run.files.ending() is None


def test_a_run_has_one_shim_ever(root: Path, started: list[Started]) -> None:
    wish = spec(*shell("echo once; read line"))
    first = Started(root, wish)
    started.append(first)
    child = first.child()
    second = Started(root, wish)
    started.append(second)
    assert second.process.wait(BOUND_S) == 0
    os.kill(child, signal.SIGKILL)
    first.process.wait(BOUND_S)
    third = Started(root, wish)
    started.append(third)
    assert third.process.wait(BOUND_S) == 0
    assert first.output() == b"once\n"


def test_a_run_that_was_given_up_is_never_started(root: Path, started: list[Started]) -> None:
    wish = spec(*shell("echo ran"))
    files = RunDir(root / wish.run_id)
    root.mkdir()
    files.create(wish)
    assert files.abandon()
    late = Started(root, wish)
    started.append(late)
    assert late.process.wait(BOUND_S) == 0
    assert late.output() == b""
    ending = files.ending()
    assert isinstance(ending, StartFailure)
    assert ending.stage == "abandoned"


def test_a_run_that_was_stopped_before_it_started_never_runs(root: Path, started: list[Started]) -> None:
    wish = spec(*shell("echo ran"))
    files = RunDir(root / wish.run_id)
    root.mkdir()
    files.create(wish)
    files.ask_to_stop(0.0)
    late = Started(root, wish)
    started.append(late)
    assert late.process.wait(BOUND_S) == 0
    assert late.output() == b""
    ending = files.ending()
    assert isinstance(ending, StartFailure)
    assert ending.stage == "stopped"


def test_nothing_runs_when_it_cannot_be_recorded(root: Path, started: list[Started]) -> None:
    wish = spec(*shell("echo ran"))
    files = RunDir(root / wish.run_id)
    root.mkdir()
    files.create(wish)
    (files.path / "procs.json.new").mkdir()
    run = Started(root, wish)
    started.append(run)
    assert run.process.wait(BOUND_S) == 0
    assert run.output() == b""
    ending = files.ending()
    assert isinstance(ending, StartFailure)
    assert (ending.stage, ending.error) == ("record", "EISDIR")


def test_the_program_gets_clean_signals_no_other_descriptors_and_the_umask_of_the_wish(
    root: Path, started: list[Started]
) -> None:
    code = (
        "import os, signal\n"
        "mask = os.umask(0)\n"
        "fds = sorted(int(n) for n in os.listdir('/proc/self/fd'))\n"
        "status = open('/proc/self/status').read()\n"
        "lines = dict(l.split(':\\t', 1) for l in status.splitlines() if l.startswith('Sig'))\n"
        "ours = sum(1 << (n - 1) for n in signal.valid_signals())\n"  # glibc's own 32 and 33 are left out
        "print(oct(mask), fds[:3], len(fds), int(lines['SigBlk'], 16), hex(int(lines['SigIgn'], 16) & ours))\n"
    )
    run = Started(root, spec(*python(code)))
    started.append(run)
    run.process.wait(BOUND_S)
    pipe_and_xfsz = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)  # Python ignores these two itself
    assert run.output().decode().split("\n")[0] == f"0o22 [0, 1, 2] 4 0 {hex(pipe_and_xfsz)}"


def test_the_environment_is_deleted_once_it_is_used_and_is_what_was_asked(root: Path, started: list[Started]) -> None:
    wish = spec(*shell("env; read line"), env={"SECRET": "s\udcff", "EMPTY": ""})
    run = Started(root, wish)
    started.append(run)
    run.child()
    found = until_now(run.output).splitlines()
    assert b"SECRET=s\xff" in found
    assert b"EMPTY=" in found
    assert f"{table.RUN_TAG}={wish.run_id}".encode() in found
    assert not any(line.startswith(table.SERVICE_TAG.encode()) for line in found)
    assert not (run.files.path / "env.json").exists()


def test_standard_input_of_a_pipe_run_ends_when_the_shim_is_told(root: Path, started: list[Started]) -> None:
    run = Started(root, spec("cat", stdin=Stdin.PIPE))
    started.append(run)
    run.child()
    writer = os.open(run.files.path / "stdin", os.O_WRONLY)
    os.write(writer, b"all of it")
    os.close(writer)
    until_now(lambda: run.output() == b"all of it")
    assert run.process.poll() is None
    run.process.send_signal(signal.SIGUSR1)
    run.process.wait(BOUND_S)
    assert isinstance(run.files.ending(), Exit)


def test_the_ending_is_recorded_in_space_that_was_kept_for_it(root: Path, started: list[Started]) -> None:
    run = Started(root, spec("true"))
    started.append(run)
    kept = (run.files.path / "exit.tmp").stat().st_ino
    run.process.wait(BOUND_S)
    assert (run.files.path / "exit.json").stat().st_ino == kept
    assert json.loads((run.files.path / "exit.json").read_text())["code"] == 0
