"""Runs that see a terminal: size, keys, the end, and that their output is whole."""

import os
import signal
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from claude_code_mcp.platform.procs import terminal
from claude_code_mcp.platform.procs.models import RunSpec, TerminalSize
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import BOUND_S, python, shell, spec

pytestmark = pytest.mark.anyio


def on_a_terminal(*argv: str, rows: int = 24, cols: int = 80) -> RunSpec:
    plain = spec(*argv)
    names = ("run_id", "argv", "cwd", "env", "grace_s", "rest_grace_s")
    return RunSpec(**{name: getattr(plain, name) for name in names}, pty=TerminalSize(rows=rows, cols=cols))


async def said(run: Run, wanted: bytes) -> bytes:
    """Return the output as soon as it holds `wanted`."""
    found = b""
    with anyio.fail_after(BOUND_S):
        async with aclosing(run.follow_bytes()) as pieces:
            async for piece in pieces:
                found += piece.data
                if wanted in found:
                    return found
    raise AssertionError(f"the run ended without {wanted!r}: {found!r}")


async def whole(run: Run) -> bytes:
    await run.wait_exit(BOUND_S)
    return (run.files.path / "stdout").read_bytes()


async def test_a_run_on_a_terminal_sees_one_of_the_wished_size(runs: Runs) -> None:
    run = await runs.spawn(
        on_a_terminal(*shell("tty; stty size; test -t 0 -a -t 1 -a -t 2 && echo all"), rows=33, cols=101)
    )
    output = (await whole(run)).decode()
    assert "/dev/" in output
    assert "33 101" in output
    assert "all" in output
    assert run.files.size_of("stderr") == 0


async def test_all_output_is_in_the_file_when_the_run_has_ended(runs: Runs) -> None:
    run = await runs.spawn(on_a_terminal(*python("print('x' * 1_000_000); print('last words')")))
    output = await whole(run)
    assert output.count(b"x") == 1_000_000
    assert output.endswith(b"last words\r\n")


async def test_keys_reach_the_program_and_control_c_interrupts_it(runs: Runs) -> None:
    run = await runs.spawn(on_a_terminal(*shell("read line; echo got:$line; cat")))
    await run.write_bytes(b"hello\r")
    await said(run, b"got:hello")
    await run.write_bytes(b"echoed\r")
    await said(run, b"echoed\r\nechoed\r\n")
    await run.write_bytes(b"\x03")
    await run.wait_exit(BOUND_S)
    assert run.exit is not None
    assert run.exit.signal == signal.SIGINT or run.exit.code == 130


async def test_control_d_is_the_end_of_its_input(runs: Runs) -> None:
    run = await runs.spawn(on_a_terminal("cat"))
    await run.write_bytes(b"one\r")
    await said(run, b"one\r\none\r\n")
    await run.write_bytes(b"\x04")
    await run.wait_exit(BOUND_S)
    assert run.exit is not None
    assert run.exit.code == 0


def test_keys_are_taken_from_the_first_moment_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pump_that_is_not_yet_scheduled(_master: int, _source: int, _output: str) -> None:
        signal.pause()

    monkeypatch.setattr(terminal, "_pump", pump_that_is_not_yet_scheduled)
    os.mkfifo(tmp_path / "stdin")
    screen = terminal.Terminal({"rows": 24, "cols": 80})
    pump = screen.start_pump(str(tmp_path))
    try:
        os.close(os.open(tmp_path / "stdin", os.O_WRONLY | os.O_NONBLOCK))  # ENXIO where nobody reads it
    finally:
        os.kill(pump, signal.SIGKILL)
        os.waitpid(pump, 0)
        os.close(screen.master)


async def test_a_terminal_is_resized_while_the_program_runs(runs: Runs) -> None:
    code = (
        "import signal, os\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})\n"  # one that comes before the wait is not lost
        "print('up', flush=True)\n"
        "while signal.sigwait({signal.SIGWINCH}): print('now', *os.get_terminal_size(), flush=True)"
    )
    run = await runs.spawn(on_a_terminal(*python(code)))
    await said(run, b"up")
    run.resize(TerminalSize(rows=40, cols=132))
    await said(run, b"now 132 40")


async def test_a_password_prompt_is_answered_and_not_echoed(runs: Runs) -> None:
    run = await runs.spawn(on_a_terminal(*python("import getpass; print('len', len(getpass.getpass('Password: ')))")))
    await said(run, b"Password: ")
    await run.write_bytes(b"hunter22\r")
    output = await said(run, b"len 8")
    assert b"hunter22" not in output


async def test_a_process_that_keeps_the_terminal_open_does_not_keep_the_run(runs: Runs) -> None:
    run = await runs.spawn(on_a_terminal(*shell("setsid sleep 300 & echo started; exit 3")))
    output = await whole(run)
    assert b"started" in output
    assert run.exit is not None
    assert run.exit.code == 3
    assert run.exit.left == ()
