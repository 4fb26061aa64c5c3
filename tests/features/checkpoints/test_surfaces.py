"""The same through every door: the tools of both documents, the command line, HTTP."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.kernel.operation import Surface
from tests.features.checkpoints.looking import seen
from tests.support.daemon import CallFailed, Terminal


def test_the_tool_of_the_second_document_does_all_five_actions(terminal: Terminal, folder: Path) -> None:
    tool = "checkpoints.manage"
    made = terminal.call(tool, action="create", label="Before major refactor")["checkpoint"]
    before = seen(folder)
    (folder / "README.md").write_text("refactored")
    second = terminal.call(tool, action="create", label="After")["checkpoint"]
    listed = terminal.call(tool, action="list")["checkpoints"]["items"]
    assert [item["label"] for item in listed] == ["After", "Before major refactor"]
    diff = terminal.call(tool, action="compare", checkpointId=made["id"], compareWith=second["id"])["diff"]
    assert [item["path"] for item in diff["items"]] == ["README.md"]
    restored = terminal.call(tool, action="restore", checkpointId=made["id"])["restored"]
    assert (restored["restored_files"], seen(folder)) == (1, before)
    assert terminal.call(tool, action="delete", checkpointId=second["id"])["deleted"]["deleted"] == 1
    with pytest.raises(CallFailed) as refused:
        terminal.call(tool, action="delete")
    assert refused.value.code == "bad_checkpoint_request"


def test_the_checkpoint_tools_have_the_names_and_arguments_of_the_documents() -> None:
    tools = {op.tool: op for op in build_catalog().on(Surface.MCP)}
    assert {"project_path", "message", "include_files"} <= set(tools["create_checkpoint"].request.model_fields)
    assert {"project_path", "checkpoint_id", "create_backup"} <= set(tools["restore_checkpoint"].request.model_fields)
    assert tools["restore_checkpoint"].request.model_fields["create_backup"].default is True
    assert {"restored_files", "backup_id", "changes"} <= set(tools["restore_checkpoint"].reply.model_fields)
    assert {"action", "session_id", "checkpoint_id", "compare_with", "label"} <= set(
        tools["claude_checkpoint"].request.model_fields
    )


def test_the_command_line_takes_looks_restores_and_takes_back(terminal: Terminal, folder: Path) -> None:
    env = {**terminal.env, "CLAUDE_CODE_MCP_HOME": str(terminal.state_dir)}

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "claude_code_mcp", "checkpoints", *words],
            cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    made = json.loads(run("create", "From a terminal", "--json"))
    before = seen(folder)
    (folder / "README.md").write_text("changed")
    assert "README.md +1 -1" in run("diff")
    assert "Would restore" in run("restore", made["id"], "--dry-run")
    run("restore", made["id"], "README.md")
    assert seen(folder) == before
    run("redo")
    assert (folder / "README.md").read_text() == "changed"
    assert "From a terminal" in run("timeline")
    assert run("verify").startswith("whole")
    run("restore", "no-such-id", code=3)


def test_every_checkpoint_operation_is_on_the_command_line_and_http() -> None:
    mine = [op for op in build_catalog().values() if op.feature == "checkpoints"]
    assert len(mine) >= 18
    assert all({Surface.CLI, Surface.HTTP} <= op.surfaces for op in mine)
