"""The demo with the real Claude Code: it shows what it says, ends with 0, and leaves nothing behind."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from tests.surfaces.cli.terminal import terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def env(home: Path, short_tmp: Path, claude_binary: Path) -> dict[str, str]:
    """What the demo is started with; it makes its directory below TMPDIR."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(short_tmp),
        "LANG": "C.UTF-8",
        "CLAUDE_CODE_BINARY": str(claude_binary),
    }


def demo(env: Mapping[str, str], *more: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "claude_code_mcp", "demo", *more],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def running_below(directory: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("HOME", "").startswith(directory):
                found.append(f"{process.pid} {process.cmdline()}")
    return found


def assert_nothing_is_left(env: Mapping[str, str]) -> None:
    assert running_below(env["TMPDIR"]) == []
    assert list(Path(env["TMPDIR"]).iterdir()) == []
    assert list(Path(env["HOME"]).iterdir()) == []


def test_without_a_terminal_the_demo_answers_by_itself_and_cleans_up(env: dict[str, str]) -> None:
    done = demo(env)
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr.decode()) == (0, ""), shown
    for part in (
        "answers Claude Code's permission questions by itself: allow",
        "? Bash sh greet.sh",
        "· allowed Bash (by terminal)",
        "✓ Bash sh greet.sh",
        "◆ general-purpose Review the script",
        "  ✓ Read greet.sh",
        "✓ done  4 tools, 1 subagent",
        "Claude Code wrote greet.sh and ran it",
        'claude-code-mcp run "what does this project do?"',
    ):
        assert part in shown
    assert_nothing_is_left(env)


def test_on_a_terminal_the_person_answers(env: dict[str, str], tmp_path: Path) -> None:
    with terminal(["demo"], env, tmp_path) as screen:
        screen.expect("Allow Write?")
        screen.press("y")
        screen.expect("$ sh greet.sh")
        screen.expect("Allow Bash?")
        screen.press("n")
        screen.expect("Why not?")
        screen.press("not today\n")
        screen.expect("⊘ Bash  sh greet.sh  denied")
        screen.expect("│ not today")
        screen.expect("✓ done")
        assert screen.end() == 0
    assert_nothing_is_left(env)


@pytest.mark.parametrize("moment", ["Claude Code with a scripted model", "starting", "∴ A small", "Allow Write?"])
def test_a_demo_that_is_ended_leaves_nothing(env: dict[str, str], tmp_path: Path, moment: str) -> None:
    with terminal(["demo"], env, tmp_path) as screen:
        screen.expect(moment)
        os.kill(screen.process.pid, signal.SIGTERM)
        assert screen.end() == 143
    assert_nothing_is_left(env)


@pytest.mark.parametrize("moment", ["Claude Code with a scripted model", "Allow Write?"])
def test_ctrl_c_ends_the_demo_and_leaves_nothing(env: dict[str, str], tmp_path: Path, moment: str) -> None:
    with terminal(["demo"], env, tmp_path) as screen:
        screen.expect(moment)
        screen.press("\x03")
        if moment == "Allow Write?":
            screen.expect("Ctrl-C again")
            screen.press("\x03")
        assert screen.end() == 130
    assert_nothing_is_left(env)


def test_the_demo_can_be_kept_to_look_at(env: dict[str, str]) -> None:
    done = demo(env, "--keep")
    (base,) = Path(env["TMPDIR"]).iterdir()
    assert f"The demo's directory is still there: {base}" in done.stdout.decode()
    assert (base / "hello" / "greet.sh").exists()
    assert running_below(str(base)) == []
