"""The command line with a real daemon, the real Claude Code and the scripted model."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.platform.procs.identity import identity_of, is_alive
from claude_code_mcp.testing import ScriptedModel
from tests.surfaces.cli.terminal import terminal as on_terminal

pytestmark = pytest.mark.e2e
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture
def cli(daemon_env: dict[str, str], project: Path) -> Iterator[Run]:
    """Run a command line in the project; the daemon that it starts is stopped at the end."""

    def call(*argv: str, stdin: str = "") -> Done:
        return subprocess.run(
            [sys.executable, "-m", "claude_code_mcp", *argv],
            env=daemon_env,
            cwd=project,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    yield call
    call("daemon", "stop", "--sessions")


def reply(done: Done) -> Any:
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_a_run_is_watched_to_its_end(cli: Run) -> None:
    done = cli("run", "[s:tool]")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "▸ Bash echo hello-from-tool" in lines
    assert "● All done now." in lines
    assert [line for line in lines if line.startswith("✓ done  1 tool, ")]


def test_a_permission_is_given_with_yes_and_the_file_is_there(cli: Run, project: Path) -> None:
    done = cli("run", "[s:write]", "--yes", "--json")
    assert reply(done)["outcome"]["ok"] is True
    assert (project / "new.txt").exists()


def test_an_api_error_exits_with_ten(cli: Run) -> None:
    done = cli("run", "[s:error:400]")
    assert done.returncode == 10, done
    asked = cli("ask", "[s:error:400]", "--json")
    assert asked.returncode == 10, asked
    assert json.loads(asked.stdout)["outcome"]["ok"] is False


def test_what_was_detached_can_be_attached_and_answered_from_another_terminal(
    cli: Run, daemon_env: dict[str, str], project: Path
) -> None:
    handle = reply(cli("run", "[s:write]", "--detach", "--json"))
    with on_terminal(["attach", handle["session_id"]], daemon_env, project) as screen:
        screen.expect("Allow Write?")
        (waiting,) = reply(cli("approvals", "list", "--json"))["items"]
        assert cli("approvals", "answer", waiting["approval_id"], "allow").returncode == 0
        screen.expect("✓ Write")
        screen.expect("✓ done")
        assert screen.end() == 0
    assert (project / "new.txt").exists()


def test_a_session_is_resumed_live(cli: Run) -> None:
    first = reply(cli("run", "[s:hi]", "--json"))
    done = cli("resume", first["session_id"], "[s:say:again]")
    assert done.returncode == 0, done
    assert "● again" in done.stdout.splitlines()


def test_a_daemon_killed_in_the_middle_is_followed_on(
    cli: Run, daemon_env: dict[str, str], project: Path, model: ScriptedModel
) -> None:
    with on_terminal(["run", "[s:held-tool]"], daemon_env, project) as screen:
        screen.expect("✓ Bash  echo worked")
        pid = reply(cli("daemon", "status", "--json"))["pid"]
        os.kill(pid, signal.SIGKILL)
        screen.expect("the daemon was restarted  following on")
        model.gate("held-tool").open()
        screen.expect("● Finished.")
        screen.expect("✓ done")
        assert screen.end() == 0
        assert screen.text.count("● Working.") == 1


def test_a_turn_is_interrupted_from_the_terminal(cli: Run, daemon_env: dict[str, str], project: Path) -> None:
    with on_terminal(["run", "[s:long-bash]", "--permission-mode", "acceptEdits"], daemon_env, project) as screen:
        screen.expect("until [ -e go ]")
        screen.press("\x03")
        screen.expect("i interrupt this turn")
        screen.press("i")
        screen.expect("· interrupted")
        assert screen.end() == 130


def test_the_daemon_is_looked_at_restarted_and_stopped(cli: Run) -> None:
    assert cli("daemon", "status").returncode == 3
    assert cli("sessions", "list").returncode == 0
    before = reply(cli("daemon", "status", "--json"))
    after = reply(cli("daemon", "restart", "--json"))
    assert before["running"] is True
    assert before["pid"] != after["pid"]
    assert "is ready" in cli("daemon", "logs").stdout
    stopped = cli("daemon", "stop")
    assert f"pid {after['pid']}" in stopped.stdout
    process = identity_of(after["pid"])
    assert process is None or not is_alive(process)
    assert cli("daemon", "status").returncode == 3


def test_errors_of_the_daemon_have_their_exit_codes(cli: Run, tmp_path: Path) -> None:
    assert cli("sessions", "status", "0f8fad5b-d9cb-469f-a165-70867728950e").returncode == 3
    assert cli("run", "x", "-C", str(tmp_path / "none")).returncode == 3
    assert cli("run", "", "-C", ".").returncode == 2
    assert cli("run", "x", "--model", "opus; rm -rf /").returncode == 2


def test_a_prompt_that_looks_like_a_flag_is_a_prompt(cli: Run) -> None:
    done = cli("run", "--json", "--", "--version")
    assert reply(done)["outcome"]["ok"] is True
