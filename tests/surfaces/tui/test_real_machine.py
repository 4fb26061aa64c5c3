"""`watch`, `tree` and the status line with a real daemon and real sessions: ours, and one that nobody told us of."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_code_mcp.surfaces import statusline
from tests.surfaces.cli.terminal import terminal
from tests.surfaces.tui.behind_socket import BOUND_S
from tests.surfaces.tui.machine import Machine, machine

pytestmark = pytest.mark.e2e
_TIMES = re.compile(r"\((?:\d+ms|[\d.]+s)\)( ⚠)?")


@pytest.fixture
def on(tmp_path: Path, home: Path, short_tmp: Path, claude_binary: Path) -> Iterator[Machine]:
    with machine(tmp_path, home, short_tmp, claude_binary) as found:
        yield found


def ran(on: Machine, *argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "claude_code_mcp", *argv],
        env=on.env,
        cwd=on.project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_session_is_seen_answered_and_followed_through_a_killed_daemon(on: Machine) -> None:
    with terminal(["watch"], on.env, on.project, (32, 110)) as screen:
        screen.expect("3 live")
        screen.expect("1 waits for you")
        screen.expect("git push origin main")
        assert "handbook" in screen.text
        assert "works, not ours" in screen.text
        screen.press("w")
        screen.press("a")
        screen.expect("$ git push origin main")
        screen.expect("Allow Bash?")
        screen.press("n")
        screen.press("not today\r")
        screen.expect("Bash: denied.")
        on.client.kill_daemon()
        screen.expect("The daemon went away")
        screen.expect("Connected again.")
        screen.press("\tg")
        screen.press("j")
        (on.code / "shop" / "go").touch()
        screen.press("q")
        assert screen.end() == 0
    assert on.client.finish(on.asks)["status"] == "idle"


def test_tree_prints_what_happened(on: Machine) -> None:
    done = ran(on, "tree", on.asks)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        _TIMES.sub("(…)", done.stdout)
        == f"""\
app  Fix the login test  {on.asks}
└─ 📋 Task: Fix the login test (…) ✋
   ├─ 📁 Read test_login.py (…) ✅
   ├─ 📁 Read login.py (…) ✅
   ├─ 🔧 Edit login.py (…) ✅
   ├─ 🔧 Bash python3 slow_tests.py (…) ✅
   ├─ 🤖 Subagent: general-purpose Review the change (…) ✅
   │  ├─ 📁 Read login.py (…) ✅
   │  ├─ 🔧 Bash grep -n token login.py (…) ✅
   │  └─ 🔧 Bash ls no-such-file (…) ❌
   │       Exit code 2 ls: cannot access 'no-such-file': No such file or directory
   └─ 🔧 Bash git push origin main (…) ✋
      └─ ✋ Bash git push origin main · waits for permission for Bash (…) ✋
"""
    )
    only = ran(on, "tree", on.asks, "--no-completed", "--depth", "2", "--no-emoji").stdout
    assert "login.py" not in only
    assert "Bash git push origin main" in only
    assert json.loads(ran(on, "tree", on.asks, "--json").stdout)["session"]["ours"] is True


def test_a_pipe_gets_lines_as_things_happen_and_records_on_wish(on: Machine) -> None:
    first = ran(on, "watch", "--once")
    assert (first.returncode, first.stderr) == (0, "")
    for wanted in ("== app · Fix the login test", "== shop · Move the shop", "== handbook · Translate the handbook"):
        assert wanted in first.stdout
    records = [json.loads(line) for line in ran(on, "watch", "--once", "--json").stdout.splitlines()]
    assert {one["display_action"] for one in records} <= {"append", "update", "replace"}
    assert {one["raw_event"]["session_id"] for one in records} >= {on.asks, on.builds}
    assert all(one["line_id"] and one["formatted_line"] for one in records)
    argv = [sys.executable, "-m", "claude_code_mcp", "watch", "--session", on.builds]
    with subprocess.Popen(argv, env=on.env, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        lines = iter(following.stdout)
        assert any("until [ -e go ]" in line for line in lines)
        (on.code / "shop" / "go").touch()
        assert any("Task completed" in line for line in lines)
        following.send_signal(signal.SIGINT)
        assert following.wait(BOUND_S) == 130


def test_the_status_line_names_the_tool_that_runs(on: Machine) -> None:
    told = json.dumps({"session_id": on.builds, "cost": {"total_cost_usd": 1, "total_duration_ms": 1000}}).encode()
    said: list[bytes] = []
    deadline = time.monotonic() + BOUND_S
    while not said or b"Bash" not in said[-1]:  # a busy machine may take longer than 15 ms to answer
        assert time.monotonic() < deadline, said[-1]
        statusline.main(on.env, lambda: told, said.append)
    assert said[-1].decode() == "Move the shop to the new API · Bash · 1s · $1.00\n"
    done = subprocess.run(
        [sys.executable, "-m", "claude_code_mcp", "statusline"],
        input=told,
        env={**on.env, "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=BOUND_S,
        check=True,
    )
    assert done.stdout.endswith("1s · $1.00\n".encode())
