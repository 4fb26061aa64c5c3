"""Restoring while the real Claude Code works in the tree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_code_mcp.testing import ScriptedModel, load_script, scripted_model_thread
from tests.support.checkpoints import SCRIPT, ask, tree
from tests.support.daemon import CallFailed, Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ScriptedModel]:
    script = tmp_path / "model.yaml"
    script.write_text(SCRIPT)
    with scripted_model_thread(load_script(script)) as model:
        yield model


def test_a_session_at_work_in_the_tree_is_a_conflict_unless_forced_and_is_stopped_then(
    terminal: Terminal, project: Path, model: ScriptedModel
) -> None:
    (project / "kept.txt").write_text("kept")
    one = terminal.call("checkpoints.create", message="start")
    (project / "kept.txt").write_text("changed")
    running = terminal.call("sessions.start", prompt="[s:long]", allowed_tools=["Bash"])
    terminal.until_event(running["session_id"], "tool.started")
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=one["id"])
    assert refused.value.code == "tree_in_use"
    assert refused.value.error["details"]["occupants"][0]["id"] == running["session_id"]
    assert (project / "kept.txt").read_text() == "changed"
    reply = terminal.call("checkpoints.restore", checkpoint_id=one["id"], force=True)
    assert running["session_id"] in reply["stopped"][0]
    assert tree(project) == {"kept.txt": "kept"}
    assert terminal.call("sessions.status", session_id=running["session_id"])["status"] == "stopped"


def test_what_bash_did_between_two_checkpoints_is_taken_back_and_forth(
    terminal: Terminal, project: Path, model: ScriptedModel
) -> None:
    (project / "a.txt").write_text("one\n")
    (project / "b.txt").write_text("stays\n")
    one = terminal.call("checkpoints.create", message="one")
    ask(terminal, "[s:bash:mkdir new; mv a.txt new/c.txt; echo two >> new/c.txt; chmod +x b.txt]")
    two = terminal.call("checkpoints.create", message="two")
    assert tree(project) == {"b.txt": "stays\n", "new/c.txt": "one\ntwo\n"}
    # The session rests, so it is no conflict.
    terminal.call("checkpoints.restore", checkpoint_id=one["id"])
    assert tree(project) == {"a.txt": "one\n", "b.txt": "stays\n"}
    assert not (project / "b.txt").stat().st_mode & 0o111
    terminal.call("checkpoints.restore", checkpoint_id=two["id"])
    assert tree(project) == {"b.txt": "stays\n", "new/c.txt": "one\ntwo\n"}
    assert (project / "b.txt").stat().st_mode & 0o111
