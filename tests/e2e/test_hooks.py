"""Our hooks in the settings of the real Claude Code: what a session tells, whatever our daemon does."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.claude_cli import ClaudeCli, Finished
from tests.support.daemon import Terminal, command_line

pytestmark = pytest.mark.e2e
BOUND_S = 60.0
Row = dict[str, Any]


def hooked(state_dir: Path, *kinds: str) -> list[Row]:
    """Return what hooks told, in the order of the log."""
    with contextlib.closing(sqlite3.connect(state_dir / "state.db")) as db:
        db.row_factory = sqlite3.Row
        rows = db.execute("SELECT * FROM event WHERE source = 'hook' ORDER BY seq").fetchall()
    found = [{**dict(row), "payload": json.loads(row["payload"])} for row in rows]
    return [row for row in found if not kinds or row["kind"] in kinds]


def until(state_dir: Path, kind: str, count: int = 1) -> list[Row]:
    """Wait until hooks have told `count` events of a kind, and return all that they told."""
    deadline = time.monotonic() + BOUND_S
    while len(hooked(state_dir, kind)) < count:
        assert time.monotonic() < deadline, [row["kind"] for row in hooked(state_dir)]
        time.sleep(0.02)
    return hooked(state_dir)


def session_of(done: Finished) -> str:
    return str(done.result["session_id"])


@pytest.fixture
def installed(terminal: Terminal, daemon_env: dict[str, str], project: Path) -> Path:
    """The settings file with our hooks in it, and one of the user's own; a daemon listens."""
    settings = Path(daemon_env["HOME"]) / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    own = {"matcher": "Bash", "hooks": [{"type": "command", "command": "cat > /dev/null; echo x >> ~/own-hook"}]}
    settings.write_text(json.dumps({"theme": "dark", "hooks": {"PreToolUse": [own]}}, indent=4))
    assert terminal.pid
    done = command_line("hooks", "install", env=daemon_env, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Added: hooks (user scope) in")
    return settings


def test_a_session_that_we_did_not_start_tells_each_thing_once(
    installed: Path, terminal: Terminal, claude: ClaudeCli
) -> None:
    done = claude.run("[s:tool]")
    assert done.code == 0
    rows = until(terminal.state_dir, "session.closed")
    told = [row["kind"] for row in rows if row["kind"] not in {"notice.shown", "background.changed"}]
    assert told == [
        "session.opened", "prompt.taken", "tool.started", "tool.finished", "turn.stopped", "session.closed",
    ]  # fmt: skip
    assert {row["session_id"] for row in rows} == {session_of(done)}
    started, finished = (row for row in rows if row["kind"].startswith("tool."))
    assert started["tool_use_id"] == finished["tool_use_id"]
    assert started["payload"]["summary"] == "echo hello-from-tool"
    assert finished["payload"]["output"] == "hello-from-tool"
    assert finished["payload"]["ran_ms"] >= 0
    prompt, stop = hooked(terminal.state_dir, "prompt.taken", "turn.stopped")
    assert prompt["subject"] == stop["subject"] == started["payload"]["prompt_id"]
    opened = hooked(terminal.state_dir, "session.opened")[0]["payload"]
    assert (opened["how"], opened["cwd"]) == ("startup", str(claude.cwd))
    assert opened["pid"] > 1
    assert (Path(claude.env["HOME"]) / "own-hook").read_text() == "x\n"
    assert not [line for line in done.lines if line.get("subtype") == "informational"]


def test_without_a_daemon_the_session_goes_on_and_is_told_later(
    installed: Path, terminal: Terminal, claude: ClaudeCli
) -> None:
    terminal.stop()
    done = claude.run("[s:tool]")
    assert (done.code, done.result["is_error"]) == (0, False)
    spool = terminal.state_dir / "spool" / "log"
    kept = [json.loads(line.split(" ", 2)[2])["hook_event_name"] for line in spool.read_text().splitlines() if line]
    assert kept == ["SessionStart", "SessionEnd"]
    assert terminal.pid
    rows = until(terminal.state_dir, "session.closed")
    assert [row["kind"] for row in rows] == ["session.opened", "session.closed"]
    assert {row["session_id"] for row in rows} == {session_of(done)}
    terminal.kill_daemon()
    assert terminal.pid
    claude.run("[s:hi]")
    assert len([row for row in until(terminal.state_dir, "session.closed", 2) if row["kind"] == "session.opened"]) == 2


def test_a_daemon_that_hangs_costs_a_bounded_time(installed: Path, terminal: Terminal, claude: ClaudeCli) -> None:
    os.kill(terminal.pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        done = claude.run("[s:hi]")
        took_s = time.monotonic() - began
    finally:
        os.kill(terminal.pid, signal.SIGCONT)
    assert (done.code, done.result["is_error"]) == (0, False)
    assert took_s < 25
    rows = until(terminal.state_dir, "session.closed")
    assert [row["kind"] for row in rows if row["kind"] == "turn.stopped"] == ["turn.stopped"]


def test_a_daemon_may_die_and_come_back_in_the_middle_of_a_session(
    installed: Path, terminal: Terminal, claude: ClaudeCli
) -> None:
    with claude.talk() as talk:
        for number in range(3):
            if number == 1:
                terminal.kill_daemon()
            if number == 2:
                assert terminal.pid
            talk.say(f"[s:bash:echo turn-{number}]")
            talk.until_a("result")
        assert talk.end() == 0
    rows = until(terminal.state_dir, "session.closed")
    assert [row["payload"]["output"] for row in rows if row["kind"] == "tool.finished"] == ["turn-0", "turn-2"]
    assert len([row for row in rows if row["kind"] == "session.opened"]) == 1


def test_a_question_can_be_matched_with_its_call(installed: Path, terminal: Terminal, claude: ClaudeCli) -> None:
    claude.run("[s:touch]", "--permission-mode", "default")
    rows = until(terminal.state_dir, "session.closed")
    (asked,) = (row for row in rows if row["kind"] == "approval.asked")
    (started,) = (row for row in rows if row["kind"] == "tool.started")
    assert asked["payload"]["input_digest"] == started["payload"]["input_digest"]
    assert asked["payload"]["prompt_id"] == started["payload"]["prompt_id"]
    assert asked["tool_use_id"] is None


def test_calls_of_nested_subagents_are_linked_to_those_who_made_them(
    installed: Path, terminal: Terminal, claude: ClaudeCli
) -> None:
    assert claude.run("[s:agent-nested]").code == 0
    rows = until(terminal.state_dir, "session.closed")
    calls = {row["tool_use_id"]: row for row in rows if row["kind"] == "tool.started"}
    linked = {row["subject"]: row for row in rows if row["kind"] == "agent.linked"}
    begun = [row for row in rows if row["kind"] == "subagent.started"]
    assert sorted(row["payload"].get("depth", 1) for row in linked.values()) == [1, 2]
    for row in begun:
        link = linked[row["subject"]]
        launched = calls[link["tool_use_id"]]
        assert launched["payload"]["name"] == "Agent"
        assert launched["agent_id"] == (link["payload"].get("parent_agent_id") or None)
    ended = {row["subject"] for row in rows if row["kind"] == "subagent.finished"}
    assert ended == {row["subject"] for row in begun} == set(linked)
    inner = next(agent for agent, row in linked.items() if row["payload"].get("depth") == 2)
    assert [row["agent_id"] for row in calls.values() if row["payload"]["name"] == "Bash"] == [inner]


def test_what_happens_while_claude_code_compacts_is_told_and_nothing_that_did_not(
    installed: Path, terminal: Terminal, claude: ClaudeCli
) -> None:
    with claude.talk() as talk:
        for prompt in ("[s:hi]", "/compact"):
            talk.say(prompt)
            talk.until_a("result")
        assert talk.end() == 0
    kinds = [row["kind"] for row in until(terminal.state_dir, "session.closed")]
    assert kinds.count("compaction.started") == kinds.count("context.compacted") == 1
    assert not {"subagent.started", "subagent.finished"} & set(kinds)
    how = [row["payload"]["how"] for row in hooked(terminal.state_dir, "session.opened")]
    assert how == ["startup", "compact"]


def test_after_uninstalling_nothing_is_told_and_the_settings_are_as_before(
    installed: Path, terminal: Terminal, claude: ClaudeCli, daemon_env: dict[str, str], project: Path
) -> None:
    done = command_line("hooks", "uninstall", env=daemon_env, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    own = {"matcher": "Bash", "hooks": [{"type": "command", "command": "cat > /dev/null; echo x >> ~/own-hook"}]}
    assert installed.read_text() == json.dumps({"theme": "dark", "hooks": {"PreToolUse": [own]}}, indent=4)
    claude.run("[s:tool]")
    assert hooked(terminal.state_dir) == []


def test_hooks_as_settings_or_plugin_of_one_run_tell_the_same(
    terminal: Terminal, claude: ClaudeCli, daemon_env: dict[str, str], project: Path, tmp_path: Path
) -> None:
    settings = command_line("hooks", "settings", env=daemon_env, cwd=project)
    assert settings.returncode == 0, settings.stderr
    assert claude.run("[s:hi]", "--settings", settings.stdout).code == 0
    once = [row["kind"] for row in until(terminal.state_dir, "session.closed")]
    made = command_line("hooks", "plugin", "--out", str(tmp_path / "plugin"), env=daemon_env, cwd=project)
    assert made.returncode == 0, made.stderr
    assert claude.run("[s:hi]", "--plugin-dir", str(tmp_path / "plugin")).code == 0
    both = [row["kind"] for row in until(terminal.state_dir, "session.closed", 2)]
    assert sorted(both) == sorted([*once, *once])


def test_claude_codes_own_doctor_finds_nothing_wrong_in_our_hooks(installed: Path, claude: ClaudeCli) -> None:
    done = subprocess.run(
        [claude.binary, "doctor"],
        env=dict(claude.env),
        cwd=claude.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "Invalid settings" in done.stdout, "hooks." in done.stdout) == (0, False, False)
    installed.write_text(installed.read_text().replace('"type": "http"', '"type": "htp"'))
    done = subprocess.run(
        [claude.binary, "doctor"],
        env=dict(claude.env),
        cwd=claude.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Invalid settings" in done.stdout


def test_our_own_sessions_have_our_hooks_when_that_is_set(
    daemon_env: dict[str, str], project: Path, tmp_path: Path
) -> None:
    for wished, heard in (("0", []), ("1", ["echo hello-from-tool"])):
        terminal = Terminal(tmp_path / wished, {**daemon_env, "CLAUDE_CODE_MCP_SESSION_HOOKS": wished}, project)
        try:
            session = terminal.call("sessions.ask", prompt="[s:tool]", project_path=str(project), wait_s=60)
            rows = until(terminal.state_dir, "turn.stopped") if heard else hooked(terminal.state_dir)
            assert [row["payload"]["summary"] for row in rows if row["kind"] == "tool.started"] == heard
            assert {row["session_id"] for row in rows} <= {session["session_id"]}
        finally:
            terminal.stop()
