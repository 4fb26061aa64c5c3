"""What the real Claude Code makes of our edits. It asks no model here: `claude mcp` only reads and connects."""

import json
import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from claude_code_mcp.platform.claude.global_config import global_config, project_key

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

Call = Callable[..., Awaitable[Any]]
Claude = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mcp(claude_binary: Path, home: Path, short_tmp: Path, project: Path) -> Claude:
    """Runs `claude mcp …` with a home of its own and nobody to call."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(short_tmp),
        "ANTHROPIC_API_KEY": "dummy",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }

    def run(*args: str, cwd: Path = project, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(claude_binary), "mcp", *args]
        return subprocess.run(command, env=env | more, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)

    return run


async def test_claude_code_lists_and_starts_what_we_install(call: Call, mcp: Claude, program: Path) -> None:
    await call("add", client="claude-code", env={"CLAUDE_DEFAULT_MODEL": "sonnet"})
    listed = mcp("list").stdout
    assert f"claude-code-mcp: {program} serve --profile full - ✔ Connected" in listed
    shown = mcp("get", "claude-code-mcp").stdout
    assert "Scope: User config" in shown
    assert "CLAUDE_DEFAULT_MODEL" in shown


@pytest.mark.parametrize(("scope", "shown"), [("project", "Scope: Project config"), ("local", "Scope: Local config")])
async def test_claude_code_knows_the_other_scopes(call: Call, mcp: Claude, scope: str, shown: str) -> None:
    await call("add", client="claude-code", scope=scope)
    assert shown in mcp("get", "claude-code-mcp").stdout


async def test_what_we_remove_is_gone_for_claude_code_and_the_rest_is_not(
    call: Call, mcp: Claude, home: Path, program: Path
) -> None:
    mcp("add-json", "-s", "user", "other", json.dumps({"command": str(program)}))
    before = json.loads((home / ".claude.json").read_text())
    await call("add", client="claude-code")
    await call("remove", client="claude-code")
    assert json.loads((home / ".claude.json").read_text()) == before
    listed = mcp("list").stdout
    assert "other:" in listed
    assert "claude-code-mcp:" not in listed


async def test_what_claude_code_removes_can_be_installed_again(call: Call, mcp: Claude) -> None:
    await call("add", client="claude-code")
    assert mcp("remove", "claude-code-mcp", "-s", "user").returncode == 0
    assert (await call("add", client="claude-code")).action == "added"


async def test_claude_code_and_we_edit_at_once_and_nobody_loses(call: Call, mcp: Claude, home: Path) -> None:
    mcp("add-json", "-s", "user", "first", '{"command": "/bin/cat"}')

    async def theirs(number: int) -> None:
        added = await anyio.to_thread.run_sync(
            lambda: mcp("add-json", "-s", "user", f"theirs-{number}", '{"command": "/bin/cat"}')
        )
        assert added.returncode == 0, added.stderr

    async def ours(number: int) -> None:
        for step in range(5):
            await call("add", client="claude-code", name=f"ours-{number}-{step}")

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(theirs, number)
            group.start_soon(ours, number)
    names = set(json.loads((home / ".claude.json").read_text())["mcpServers"])
    assert names == {
        "first",
        *(f"theirs-{n}" for n in range(4)),
        *(f"ours-{n}-{s}" for n in range(4) for s in range(5)),
    }


@pytest.mark.parametrize("kind", ["plain", "below", "linked", "worktree", "bare", "fake", "broken", "nowhere"])
async def test_we_know_a_project_by_the_key_of_claude_code(mcp: Claude, home: Path, project: Path, kind: str) -> None:
    directory = _directory(project, kind)
    assert mcp("add-json", "x", '{"command": "/bin/cat"}', cwd=directory).returncode == 0
    assert list(json.loads((home / ".claude.json").read_text())["projects"]) == [project_key(directory)]


def _directory(project: Path, kind: str) -> Path:
    """A directory of that kind beside or in the repository `project`."""
    directory = project.parent / kind
    git = {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": os.environ["PATH"], "HOME": str(project.parent)}
    author = ("-c", "user.name=a", "-c", "user.email=a@b")

    def run(*args: str) -> None:
        subprocess.run(["git", *args], check=True, env=git, capture_output=True)

    run("-C", str(project), *author, "commit", "--allow-empty", "-m", "x")
    if kind == "worktree":
        run("-C", str(project), "worktree", "add", str(directory))
        directory /= "below"
    elif kind == "bare":
        run("clone", "--bare", str(project), str(project.parent / "it.git"))
        run("-C", str(project.parent / "it.git"), "worktree", "add", str(directory))
    elif kind == "linked":
        directory.symlink_to(project)
    elif kind == "below":
        directory = project / "below"
    directory.mkdir(exist_ok=True)
    if kind == "fake":
        run("-C", str(project), "worktree", "add", str(project.parent / "true"))
        (directory / ".git").write_text((project.parent / "true" / ".git").read_text())
    if kind == "broken":
        (directory / ".git").write_text("gitdir: /nowhere\n")
    return project if kind == "plain" else directory


@pytest.mark.parametrize("kind", ["home", "named", "old", "named-old"])
async def test_we_find_the_file_that_claude_code_writes(mcp: Claude, home: Path, tmp_path: Path, kind: str) -> None:
    more = {"CLAUDE_CONFIG_DIR": str(tmp_path / "named")} if kind.startswith("named") else {}
    directory = tmp_path / "named" if more else home / ".claude"
    directory.mkdir()
    if kind.endswith("old"):
        (directory / ".config.json").write_text("{}")
    found = global_config(home, more)
    assert mcp("add-json", "-s", "user", "x", '{"command": "/bin/cat"}', **more).returncode == 0
    assert "x" in json.loads(found.read_text())["mcpServers"]
    assert global_config(home, more) == found
