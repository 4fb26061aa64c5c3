"""Jobs at a terminal: followed to their end and exit code, left by Ctrl-C, sat at; with a daemon of the test's own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.procs.children import until_now
from tests.support.daemon import Terminal, command_line
from tests.surfaces.cli.terminal import terminal as on_terminal


@pytest.fixture
def client(tmp_path: Path, home: Path) -> Iterator[Terminal]:
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "CLAUDE_CODE_MCP_HOME": str(state)}
    found = Terminal(state, env, tmp_path)
    yield found
    found.stop()


def test_a_job_is_followed_to_its_end_and_ends_as_it_did(client: Terminal) -> None:
    done = command_line(
        "jobs",
        "run",
        "-f",
        "echo out; echo err >&2; printf '\\033[31mred\\033[0m'; exit 7",
        env=client.env,
        cwd=client.cwd,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n\x1b[31mred\x1b[0m", "err\n")
    killed = command_line("jobs", "run", "--follow", "kill -USR1 $$", env=client.env, cwd=client.cwd)
    assert killed.returncode == 128 + signal.SIGUSR1
    late = command_line("jobs", "run", "-f", "sleep 300", "--timeout-s", "0.2", env=client.env, cwd=client.cwd)
    assert late.returncode == 128 + signal.SIGTERM
    assert "timed_out: it took longer than 0.2 s" in late.stderr


def test_what_was_said_before_is_shown_first_clean_and_from_the_last_lines_on_wish(client: Terminal) -> None:
    job = client.call("jobs.execute", command="seq 1 5; printf '\\033]52;c;x\\007end\\n'", wait_s=30)
    whole = command_line("jobs", "follow", job["job_id"][:24], env=client.env, cwd=client.cwd)
    assert (whole.returncode, whole.stdout) == (0, "1\n2\n3\n4\n5\nend\n")
    last = command_line("jobs", "follow", job["job_id"], "-n", "2", env=client.env, cwd=client.cwd)
    assert last.stdout == "5\nend\n"


def test_ctrl_c_leaves_and_the_job_goes_on(client: Terminal) -> None:
    argv = [sys.executable, "-m", "claude_code_mcp", "jobs", "run", "-f", "echo up; sleep 300"]
    following = subprocess.Popen(
        argv, env=client.env, cwd=client.cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with following:
        assert following.stdout is not None
        assert following.stdout.readline() == "up\n"
        following.send_signal(signal.SIGINT)
        _, said = following.communicate(timeout=30)
    assert following.returncode == 130
    assert "jobs follow" in said
    [job] = client.call("jobs.list")["jobs"]
    assert job["state"] == "running"


def test_a_person_sits_at_the_terminal_of_a_job_leaves_and_comes_back(client: Terminal) -> None:
    job = client.call("jobs.execute", argv=["python3", "-q", "-i"], pty=True)
    with on_terminal(["jobs", "attach", job["job_id"]], client.env, client.cwd, size=(33, 77)) as screen:
        screen.expect(">>>")
        screen.press("6 * 7\r")
        screen.expect("42")
        screen.press("import os; os.get_terminal_size()\r")
        screen.expect("columns=77, lines=33")
        screen.press("\x1d")
        screen.expect("The job goes on")
        assert screen.end() == 0
    assert client.call("jobs.status", job_id=job["job_id"])["state"] == "running"
    with on_terminal(["jobs", "attach", job["job_id"]], client.env, client.cwd) as screen:
        screen.press("raise SystemExit(5)\r")
        assert screen.end() == 5
    until_now(lambda: client.call("jobs.status", job_id=job["job_id"])["code"] == 5)


def test_without_a_terminal_nobody_sits_at_one(client: Terminal) -> None:
    done = command_line("jobs", "attach", "0197f3a0", env=client.env, cwd=client.cwd)
    assert done.returncode == 2
    assert "jobs follow" in done.stderr


def test_a_password_prompt_is_answered_and_not_shown(client: Terminal) -> None:
    code = "import getpass; p = getpass.getpass(); print('right' if p == 's3cret' else 'wrong')"
    job = client.call("jobs.execute", argv=["python3", "-c", code], pty=True)
    client.call("jobs.wait", job_id=job["job_id"], pattern="Password", wait_s=30)
    answer = client.call("jobs.interact", job_id=job["job_id"], input="s3cret", wait_s=10)
    client.call("jobs.wait", job_id=job["job_id"], wait_s=30)
    said = client.call("jobs.output", job_id=job["job_id"])["stdout"]
    assert "right" in said
    assert "s3cret" not in said + answer["stdout"]
