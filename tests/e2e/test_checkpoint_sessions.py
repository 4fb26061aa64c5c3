"""Checkpoints of what Claude Code does: taken by strategy, of ours and of others, across killed daemons."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_code_mcp.testing import ScriptedModel, load_script, scripted_model_thread
from tests.support.checkpoints import SCRIPT, ask, heard, strategy, tree, until
from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import BOUND_S, Json, Terminal, command_line
from tests.support.interactive import typed

pytestmark = pytest.mark.e2e


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ScriptedModel]:
    script = tmp_path / "model.yaml"
    script.write_text(SCRIPT)
    with scripted_model_thread(load_script(script)) as model:
        yield model


def test_per_tool_use_keeps_what_each_command_made_and_restores_both_ways(
    terminal: Terminal, project: Path, model: ScriptedModel
) -> None:
    strategy(terminal, project, "per_tool_use")
    first = ask(terminal, "one [s:bash:echo A > a.txt]")
    until(terminal, project, 1)
    ask(terminal, "two [s:bash:echo B > a.txt]", session_id=first["session_id"])
    ask(terminal, "three [s:bash:cat a.txt]", session_id=first["session_id"])
    one, two = until(terminal, project, 2)
    assert (one["trigger"], one["parent_id"], two["parent_id"]) == ("per_tool_use", None, one["id"])
    assert (one["session_id"], one["conversation_id"]) == (first["session_id"], first["session_id"])

    restored = terminal.call("checkpoints.restore", checkpoint_id=one["id"], what="both")
    assert tree(project) == {"a.txt": "A\n"}
    terminal.call("sessions.resume", session_id=restored["session_id"], prompt="four [s:say:hello]", wait_s=60)
    assert heard(model) == ["one [s:bash:echo A > a.txt]", "bash echo A > a.txt", "ran", "four [s:say:hello]"]
    assert terminal.call("checkpoints.redo")["checkpoint_id"]
    assert tree(project) == {"a.txt": "B\n"}


def until_it_holds(terminal: Terminal, project: Path, name: str) -> list[Json]:
    """Wait until the newest checkpoint of a project holds a file, and return all, the oldest first."""
    deadline = time.monotonic() + BOUND_S
    while True:
        found = until(terminal, project, 2)
        files = terminal.call("checkpoints.files", checkpoint_id=found[-1]["id"])["items"]
        if name in {one["path"] for one in files}:
            return found
        assert time.monotonic() < deadline, found


def test_smart_takes_before_the_first_change_after_the_last_and_before_risky_commands(
    terminal: Terminal, project: Path
) -> None:
    strategy(terminal, project, "smart")
    (project / "mine.txt").write_text("mine")
    first = ask(terminal, "one [s:chain]")
    found = until(terminal, project, 2)
    ask(terminal, "two [s:say:nothing changes]", session_id=first["session_id"])
    ask(terminal, "three [s:bash:ls]", session_id=first["session_id"])
    found = until_it_holds(terminal, project, "other.txt")
    # The command did not wait for us. Where it was over before the tree was read, the tree is already that after the
    # turn: then one checkpoint stands for both, and whichever came late says so.
    messages = [one["message"] for one in found]
    assert messages[0] == "Before a turn"
    assert messages[1:] in (["Before rm made.txt", "After a turn"], ["Before rm made.txt"], ["After a turn"])
    assert [found[0]["file_count"], found[-1]["file_count"]] == [1, 2]
    for one in found:
        late = one["message"] == "Before rm made.txt"
        assert not late or one["remarks"][:1] == ["The command may have begun before the tree was read."]


def test_a_command_that_waits_for_a_person_is_preceded_by_its_checkpoint(terminal: Terminal, project: Path) -> None:
    strategy(terminal, project, "smart")
    started = terminal.call("sessions.start", prompt="[s:bash-then-rm]", allowed_tools=["Bash(echo *)", "Write"])
    waited = terminal.call("sessions.wait", session_id=started["session_id"], until="approval", wait_s=60)
    found = until(terminal, project, 2)
    assert [one["message"] for one in found] == ["Before a turn", "Before rm made.txt"]
    assert found[1]["remarks"] == []
    (need,) = waited["needs"]
    terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    terminal.finish(started["session_id"])
    restored = terminal.call("checkpoints.restore", checkpoint_id=found[1]["id"])
    assert (restored["restored_files"], (project / "made.txt").read_text()) == (1, "made")


@pytest.mark.parametrize("name", ["per_prompt", "per_tool_use", "smart"])
def test_a_session_that_we_did_not_start_gets_its_checkpoints_through_hooks(
    terminal: Terminal, project: Path, claude: ClaudeCli, daemon_env: dict[str, str], name: str, model: ScriptedModel
) -> None:
    done = command_line("hooks", "install", env=daemon_env, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    strategy(terminal, project, name)
    (project / "mine.txt").write_text("mine")
    ran = claude.run("one [s:bash:echo A > a.txt]", "--allowedTools", "Bash")
    session = ran.result["session_id"]
    first = 2 if name == "smart" else 1
    until(terminal, project, first)
    claude.run("two [s:bash:echo B > a.txt]", "--allowedTools", "Bash", "--resume", session)
    found = until(terminal, project, first + 1)
    assert {one["session_id"] for one in found} == {session}
    files = {"per_prompt": [1, 2], "per_tool_use": [2, 2], "smart": [1, 2, 2]}[name]
    # Nobody holds up somebody else's prompt: where its tool was faster than we, that is said.
    late = ["Bash had begun before the tree was read."]
    assert all(one["file_count"] == count or one["remarks"] == late for one, count in zip(found, files, strict=True))
    # Nothing is taken once more when the transcript tells the same.
    terminal.until_recorded("cost.counted")
    claude.run("three [s:say:x]", "--resume", session)
    more = 1 if name == "per_prompt" else 0
    found = until(terminal, project, first + 1 + more)
    assert len(found) == first + 1 + more
    back = ask(terminal, "four [s:bash:cat a.txt]", checkpoint_id=found[first]["id"])
    assert back["session_id"] != session
    told = heard(model)
    assert told[0] == "one [s:bash:echo A > a.txt]"
    assert told[-3:] == [
        "four [s:bash:cat a.txt]",
        "bash cat a.txt",
        "A" if name == "per_prompt" and not found[first]["remarks"] else "B",
    ]
    assert ("two [s:bash:echo B > a.txt]" in told) == (name != "per_prompt")
    assert not any("three" in text for text in told)


def test_a_killed_daemon_loses_no_moment_and_takes_none_twice(terminal: Terminal, project: Path) -> None:
    strategy(terminal, project, "per_tool_use")
    started = terminal.call("sessions.start", prompt="[s:long]", allowed_tools=["Bash"])
    terminal.until_event(started["session_id"], "tool.started")
    terminal.kill_daemon()
    (project / "go").touch()
    assert terminal.pid
    terminal.finish(started["session_id"])
    (one,) = until(terminal, project, 1)
    assert (one["trigger"], one["file_count"]) == ("per_tool_use", 1)
    terminal.kill_daemon()
    ask(terminal, "[s:bash:echo A > a.txt]", session_id=started["session_id"])
    until(terminal, project, 2)
    terminal.kill_daemon()
    ask(terminal, "[s:say:x]", session_id=started["session_id"])
    with contextlib.closing(sqlite3.connect(terminal.state_dir / "state.db")) as db:
        causes = [json.loads(data)["cause"] for (data,) in db.execute("SELECT data FROM checkpoint ORDER BY id")]
    assert len(causes) == len(set(causes)) == 2


def test_a_prompt_that_waits_is_seen_to_once_across_a_killed_daemon(terminal: Terminal, project: Path) -> None:
    strategy(terminal, project, "per_prompt")
    started = terminal.call("sessions.start", prompt="[s:long]", allowed_tools=["Bash"])
    until(terminal, project, 1)
    terminal.kill_daemon()
    (project / "go").touch()
    assert terminal.pid
    terminal.finish(started["session_id"])
    terminal.kill_daemon()
    ask(terminal, "[s:say:x]", session_id=started["session_id"])
    assert [one["message"] for one in until(terminal, project, 2)] == ["Before: [s:long]", "Before: [s:say:x]"]


def test_a_person_at_a_terminal_gets_checkpoints_too(
    terminal: Terminal, project: Path, claude: ClaudeCli, daemon_env: dict[str, str], model: ScriptedModel
) -> None:
    done = command_line("hooks", "install", env=daemon_env, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    strategy(terminal, project, "smart")
    (project / "mine.txt").write_text("mine")
    with typed(claude, "--allowedTools", "Bash") as person:
        person.until("? for shortcuts", 'Try "', "shift+tab")
        person.say("one [s:bash:echo A > a.txt]")
        found = until(terminal, project, 2)
        person.until("done")
        person.say("two [s:bash:echo B > a.txt]")
        found = until(terminal, project, 3)
    assert [one["message"] for one in found] == ["Before a turn", "After a turn", "After a turn"]
    assert [one["file_count"] for one in found] == [1, 2, 2]
    (session,) = {one["session_id"] for one in found}
    ask(terminal, "three [s:bash:cat a.txt]", checkpoint_id=found[1]["id"])
    assert heard(model) == [
        "one [s:bash:echo A > a.txt]", "bash echo A > a.txt", "ran", "done",
        "three [s:bash:cat a.txt]", "bash cat a.txt", "A",
    ]  # fmt: skip
    assert session != terminal.call("sessions.list")["items"][0]["session_id"]
