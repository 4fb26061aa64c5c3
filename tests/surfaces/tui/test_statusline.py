"""The line for Claude Code's status line: what it says, with and without a daemon, and how it gets into settings."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.ipc.address import state_dir
from claude_code_mcp.platform.ipc.place import state_place
from claude_code_mcp.surfaces import statusline
from tests.surfaces.cli.rpc_server import Send, serving
from tests.surfaces.tui.behind_socket import served
from tests.surfaces.tui.stories import one_session

SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"
TOLD: Mapping[str, Any] = {
    "session_id": SESSION,
    "cwd": "/home/dev/code/app",
    "workspace": {"current_dir": "/home/dev/code/app/src", "project_dir": "/home/dev/code/app"},
    "cost": {"total_cost_usd": 0.1234, "total_duration_ms": 184_000},
    "context_window": {"used_percentage": 41.3},
}


def line(told: object, env: Mapping[str, str]) -> str:
    said: list[bytes] = []
    data = told if isinstance(told, bytes) else json.dumps(told).encode()
    assert statusline.main(env, lambda: data, said.append) == 0
    return b"".join(said).decode()


def run(state: Path, *argv: str, told: object = TOLD) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "HOME": str(state), "CLAUDE_CODE_MCP_HOME": str(state), "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "claude_code_mcp", "statusline", *argv],
        input=json.dumps(told),
        env=env,
        cwd=state,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_without_a_daemon_it_says_what_claude_code_told(state: Path) -> None:
    done = run(state)
    assert (done.returncode, done.stdout, done.stderr) == (0, "app · 3m04s · $0.12 · context 41%\n", "")
    assert list(state.iterdir()) == []


def test_with_a_daemon_it_says_what_runs_and_what_waits(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statusline, "BOUND_S", 30.0)  # what is said is looked at here; a busy machine may be late
    link = one_session()
    works, waits = (one["id"] for one in link.sessions[:2])
    with served(state, link):
        env = {"CLAUDE_CODE_MCP_HOME": str(state)}
        assert line({**TOLD, "session_id": works}, env) == "Do thing 1 · Bash · 3m04s · $0.12 · context 41%\n"
        assert line({**TOLD, "session_id": waits}, env).startswith("Do thing 2 · waits for Bash: rm -rf build · 3m04s")
        assert line({**TOLD, "session_id": works, "session_name": "mine"}, env).startswith("mine · Bash · ")


def test_a_daemon_that_does_not_answer_holds_it_up_for_15_ms_at_most(state: Path) -> None:
    async def silent(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        await server.forever.wait()
        return {}

    with serving(state, silent) as server:
        began = time.monotonic()
        assert line(TOLD, {"CLAUDE_CODE_MCP_HOME": str(state)}).startswith("app · 3m04s")
        assert time.monotonic() - began < 1  # a bound of 0.015 s, and whatever a busy machine adds
        assert server._loop is not None
        server._loop.call_soon_threadsafe(server.forever.set)


@pytest.mark.parametrize("told", [b"", b"null", b"[1]", b"{", b"\xff\xfe", b'{"cost":1,"workspace":[],"session_id":7}'])
def test_whatever_it_is_told_it_says_a_line(told: bytes, state: Path) -> None:
    assert line(told, {"CLAUDE_CODE_MCP_HOME": str(state)}) == "Claude Code\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("cost", "context_window", "workspace", "session_name", "cwd", "total_cost_usd", "used_percentage")


@given(
    told=st.dictionaries(st.sampled_from(KEYS), VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES)), seen=VALUES
)
def test_any_values_give_one_line_in_which_nothing_acts(told: dict[str, Any], seen: Any) -> None:
    doing = {"root_task": seen, "waiting_for": seen, "active_operations": seen}
    text = " · ".join(statusline.parts(told, doing))
    assert text
    assert not any(char in text for char in "\x1b\n\r\x07\u202e")


def test_it_imports_next_to_nothing() -> None:
    script = "import sys; import claude_code_mcp.surfaces.statusline; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert not {"typing", "pathlib", "asyncio", "click", "pydantic", "msgspec", "rich"} & set(done.stdout.split())


def test_both_rules_for_the_state_directory_are_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for env in ({"HOME": "/h"}, {"HOME": "/h", "XDG_STATE_HOME": "/x"}, {"CLAUDE_CODE_MCP_HOME": "some/where"}):
        assert Path(state_place(env)) == state_dir(env)


def settings(state: Path) -> Path:
    return state / ".claude" / "settings.json"


def entry(state: Path) -> Any:
    return json.loads(settings(state).read_text())["statusLine"]


def test_it_is_installed_and_taken_out_again_and_the_rest_stays(state: Path) -> None:
    settings(state).parent.mkdir()
    before = '{\n  "model": "opus",\n  "unknown": {"a": [1]}\n}\n'
    settings(state).write_text(before)
    shown = run(state, "install", "--dry-run")
    assert settings(state).read_text() == before
    assert '+  "statusLine": {' in shown.stdout
    assert run(state, "install").stdout == shown.stdout
    assert entry(state)["type"] == "command"
    assert entry(state)["command"].endswith(" statusline")
    assert "is as it should be" in run(state, "install").stdout
    assert json.loads(run(state, "uninstall", "--json").stdout)["changed"] is True
    assert settings(state).read_text() == before


def test_what_was_installed_is_what_claude_code_can_run(state: Path) -> None:
    run(state, "install", "--scope", "local")
    command = json.loads((state / ".claude" / "settings.local.json").read_text())["statusLine"]["command"]
    env = {"PATH": os.environ["PATH"], "CLAUDE_CODE_MCP_HOME": str(state)}
    done = subprocess.run(
        ["sh", "-c", command], input=json.dumps(TOLD), env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "app · 3m04s · $0.12 · context 41%\n"


def test_a_status_line_of_the_persons_own_is_never_replaced_unasked(state: Path) -> None:
    settings(state).parent.mkdir()
    mine = '{"statusLine": {"type": "command", "command": "my-line"}}'
    settings(state).write_text(mine)
    for verb in ("install", "uninstall"):
        done = run(state, verb)
        assert (done.returncode, settings(state).read_text()) == (4, mine)
        assert "statusline_taken" in done.stderr
    assert run(state, "install", "--force").returncode == 0
    assert entry(state)["command"].endswith(" statusline")


def test_settings_that_are_broken_are_refused_and_left(state: Path) -> None:
    settings(state).parent.mkdir()
    settings(state).write_text('{"a": ')
    done = run(state, "install")
    assert (done.returncode, "file_broken" in done.stderr) == (2, True)
    assert settings(state).read_text() == '{"a": '
