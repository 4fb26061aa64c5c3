"""Going on from checkpoints: with files and conversation, in place or apart, and branches side by side."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_code_mcp.testing import ScriptedModel, load_script, scripted_model_thread
from tests.support.checkpoints import SCRIPT, ask, heard, strategy, tree, until
from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import CallFailed, Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ScriptedModel]:
    script = tmp_path / "model.yaml"
    script.write_text(SCRIPT)
    with scripted_model_thread(load_script(script)) as model:
        yield model


def test_a_session_started_from_a_checkpoint_has_its_files_and_exactly_its_history(
    terminal: Terminal, project: Path, model: ScriptedModel
) -> None:
    strategy(terminal, project, "per_prompt")
    first = ask(terminal, "one [s:bash:echo A >> a.txt]")
    ask(terminal, "two [s:bash:echo B >> a.txt]", session_id=first["session_id"])
    one, two = until(terminal, project, 2)
    assert [(point["trigger"], point["remarks"], point["message"]) for point in (one, two)] == [
        ("per_prompt", [], "Before: one [s:bash:echo A >> a.txt]"),
        ("per_prompt", [], "Before: two [s:bash:echo B >> a.txt]"),
    ]
    assert (one["file_count"], one["message_uuid"], two["file_count"]) == (0, None, 1)

    back = ask(terminal, "three [s:bash:cat a.txt]", checkpoint_id=two["id"])
    assert back["session_id"] != first["session_id"]
    assert tree(project) == {"a.txt": "A\n"}
    history = ["one [s:bash:echo A >> a.txt]", "bash echo A >> a.txt", "ran", "done", "three [s:bash:cat a.txt]"]
    assert heard(model) == [*history, "bash cat a.txt", "A"]
    # At the beginning there is no history at all, and the original has all of its own.
    ask(terminal, "four [s:say:x]", checkpointId=one["id"])
    assert (tree(project), heard(model)) == ({}, ["four [s:say:x]"])
    assert terminal.call("sessions.status", session_id=first["session_id"])["turns"] == 2


def test_a_checkpoint_by_hand_belongs_to_the_conversation_that_somebody_has_there(
    terminal: Terminal, project: Path, claude: ClaudeCli, model: ScriptedModel
) -> None:
    alone = terminal.call("checkpoints.create", always=True)
    assert (alone["session_id"], alone["message_uuid"]) == (None, None)
    foreign = claude.run("one [s:say:hello]").result["session_id"]
    by_hand = terminal.call("checkpoints.create", always=True, label="here")
    claude.run("two [s:say:more]", "--resume", foreign)
    ours = ask(terminal, "our own [s:say:x]")
    named = terminal.call("checkpoints.create", always=True, session_id=ours["session_id"])
    assert [by_hand["session_id"], named["session_id"]] == [foreign, ours["session_id"]]
    back = terminal.call("checkpoints.restore", checkpoint_id=by_hand["id"], what="conversation")
    terminal.call("sessions.resume", session_id=back["session_id"], prompt="three [s:say:y]", wait_s=60)
    assert heard(model) == ["one [s:say:hello]", "hello", "three [s:say:y]"]
    (project / "new.txt").touch()
    for what in ("conversation", "both"):
        with pytest.raises(CallFailed) as caught:
            terminal.call("checkpoints.restore", checkpoint_id=alone["id"], what=what)
        assert caught.value.code == "bad_checkpoint_request"
    assert (project / "new.txt").exists()


def test_a_checkpoint_is_refused_where_somebody_works_or_the_wish_contradicts_itself(
    terminal: Terminal, project: Path, model: ScriptedModel
) -> None:
    one = terminal.call("checkpoints.create", message="start")
    running = terminal.call("sessions.start", prompt="[s:long]", allowed_tools=["Bash"])
    terminal.until_event(running["session_id"], "tool.started")
    with pytest.raises(CallFailed) as caught:
        terminal.call("sessions.start", prompt="x", checkpoint_id=one["id"])
    assert caught.value.code == "tree_in_use"
    (project / "go").touch()
    terminal.finish(running["session_id"])
    for more, code in (
        ({"session_id": running["session_id"]}, "invalid"),
        ({"project_path": str(project.parent)}, "checkpoint_not_found"),
        ({"checkpoint_id": "01a1f82d-0000-7000-8000-000000000000"}, "checkpoint_not_found"),
    ):
        with pytest.raises(CallFailed) as caught:
            terminal.call("sessions.start", prompt="x", **{"checkpoint_id": one["id"], **more})
        assert caught.value.code == code
    assert (project / "go").exists()


def test_a_fork_goes_into_a_worktree_or_a_folder_with_files_and_history(
    terminal: Terminal, project: Path, model: ScriptedModel
) -> None:
    identity = ["-c", "user.email=a@example.org", "-c", "user.name=a"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=project, check=True)
    strategy(terminal, project, "per_tool_use")
    first = ask(terminal, "one [s:bash:mkdir -p sub; echo A > sub/a.txt]")
    (one,) = until(terminal, project, 1)
    ask(terminal, "two [s:bash:echo B > sub/a.txt]", session_id=first["session_id"])
    for into, more in (("worktree", {"branch": "try/one"}), ("folder", {}), ("folder", {})):
        fork = terminal.call(
            "checkpoints.fork",
            checkpoint_id=one["id"],
            prompt="three [s:bash:cat sub/a.txt]",
            into=into,
            title="try",
            **more,
        )
        folder = Path(fork["project_path"])
        assert folder.parent == project.parent
        done = terminal.finish(fork["session_id"], fork["cursor"])
        assert done["outcome"]["ok"]
        assert tree(folder) == {"sub/a.txt": "A\n"}
        assert heard(model) == [
            "one [s:bash:mkdir -p sub; echo A > sub/a.txt]", "bash mkdir -p sub; echo A > sub/a.txt", "ran",
            "three [s:bash:cat sub/a.txt]", "bash cat sub/a.txt", "A",
        ]  # fmt: skip
        assert terminal.call("checkpoints.settings", project_path=str(folder))["strategy"] == "per_tool_use"
    assert tree(project) == {"sub/a.txt": "B\n"}
    branches = subprocess.run(["git", "branch", "--list"], cwd=project, capture_output=True, text=True, check=True)
    assert "try/one" in branches.stdout
    waiting = terminal.call("checkpoints.fork", checkpoint_id=one["id"], into="in_place")
    assert tree(project) == {"sub/a.txt": "A\n"}
    terminal.call("sessions.resume", session_id=waiting["session_id"], prompt="five [s:say:x]", wait_s=60)
    assert heard(model)[-2:] == ["ran", "five [s:say:x]"]


def test_a_fork_that_cannot_be_made_changes_nothing(terminal: Terminal, project: Path, tmp_path: Path) -> None:
    (project / "a.txt").write_text("A")
    one = terminal.call("checkpoints.create")
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").touch()
    for more, code in (
        ({"into": "worktree"}, "worktree_refused"),  # no commit yet
        ({"into": "folder", "path": str(project / "inside")}, "bad_checkpoint_request"),
        ({"into": "folder", "path": str(full)}, "bad_checkpoint_request"),
        ({"into": "worktree", "branch": "--force"}, "invalid"),
    ):
        with pytest.raises(CallFailed) as caught:
            terminal.call("checkpoints.fork", checkpoint_id=one["id"], **more)
        assert caught.value.code == code
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and "project" in path.name) == ["project"]


def test_branches_are_compared_with_what_a_test_says_of_each(terminal: Terminal, project: Path) -> None:
    (project / "a.txt").write_text("one\n")
    base = terminal.call("checkpoints.create", message="base")
    forks = [
        terminal.call(
            "checkpoints.fork", checkpoint_id=base["id"], prompt=f"[s:bash:{command}]", into="folder", title=title
        )
        for title, command in (("good", "echo two >> a.txt"), ("bad", "rm a.txt; echo x > b.txt"))
    ]
    for fork in forks:
        needs = terminal.call("sessions.wait", session_id=fork["session_id"], until="approval", wait_s=60)["needs"]
        terminal.call("approvals.answer", approval_id=needs[0]["approval_id"], decision="allow")
        terminal.finish(fork["session_id"])
    compared = terminal.call(
        "checkpoints.branch_compare", branches=[fork["session_id"] for fork in forks], command="grep two a.txt && pwd"
    )
    good, bad = compared["items"]
    assert compared["base_id"] == base["id"]
    assert (good["files"], good["added"], good["deleted"], good["turns"]) == (1, 1, 0, 1)
    assert (bad["files"], bad["added"], bad["deleted"], bad["turns"]) == (2, 1, 1, 1)
    assert good["cost_microusd"] > 0
    assert (good["test"]["passed"], bad["test"]["passed"], bad["test"]["code"]) == (True, False, 2)
    where = good["test"]["output"].splitlines()
    assert where[0] == "two"
    assert not Path(where[1]).exists()
    assert (tree(project), len(compared["_text"].splitlines())) == ({"a.txt": "one\n"}, 6)
    slow = terminal.call(
        "checkpoints.branch_compare", branches=[base["id"], forks[0]["session_id"]], command="sleep 60", timeout_s=0.5
    )
    assert [item["test"]["state"] for item in slow["items"]] == ["timed_out"] * 2


def test_before_a_compaction_nobody_goes_back_and_nothing_is_changed(
    terminal: Terminal, project: Path, claude: ClaudeCli
) -> None:
    foreign = claude.run("one [s:say:hello]").result["session_id"]
    (project / "a.txt").write_text("then")
    one = terminal.call("checkpoints.create", always=True)
    claude.run("/compact", "--resume", foreign)
    (project / "a.txt").write_text("now")
    for op, more in (
        ("sessions.start", {"prompt": "x"}),
        ("checkpoints.fork", {"into": "folder"}),
        ("checkpoints.restore", {"what": "conversation"}),
        ("checkpoints.restore", {"what": "both"}),
    ):
        with pytest.raises(CallFailed) as caught:
            terminal.call(op, checkpoint_id=one["id"], **more)
        assert caught.value.code == "conversation_compacted"
    assert tree(project) == {"a.txt": "now"}
    assert terminal.call("checkpoints.restore", checkpoint_id=one["id"])["restored_files"] == 1
