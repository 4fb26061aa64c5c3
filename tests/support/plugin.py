"""Fixtures for tests with the real Claude Code: all per test; a test that leaves a process running fails."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.claude_cli import ClaudeCli
from tests.support.processes import end_all

if TYPE_CHECKING:  # a run without end-to-end tests does not load a web server
    from claude_code_mcp.testing import ScriptedModel
    from tests.support.daemon import Terminal


@pytest.fixture(scope="session")
def claude_binary() -> Path:
    """The Claude Code that is bundled with claude-agent-sdk."""
    package = find_spec("claude_agent_sdk")
    assert package is not None, "claude-agent-sdk is not installed: it bundles the Claude Code that tests run"
    assert package.origin is not None
    binary = Path(package.origin).parent / "_bundled" / "claude"
    assert binary.exists(), "the installed claude-agent-sdk has no bundled Claude Code for this platform"
    return binary


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A HOME of the test's own. What still runs with it when the test is over is killed, and the test fails."""
    path = tmp_path / "home"
    path.mkdir()
    yield path
    left = end_all(path)
    assert not left, f"the test left running: {left}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty git repository."""
    path = tmp_path / "project"
    path.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", path], check=True, env={"PATH": os.environ["PATH"]})
    return path


@pytest.fixture
def model() -> "Iterator[ScriptedModel]":
    """A scripted model with the built-in scenarios, answering on loopback from a thread of its own."""
    from claude_code_mcp.testing import builtin_script, scripted_model_thread

    with scripted_model_thread(builtin_script()) as model:
        yield model


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A temporary directory with a short path: Claude Code puts Unix sockets below TMPDIR (108 bytes at most)."""
    path = Path(tempfile.mkdtemp(prefix="ccm-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def claude_env(home: Path, short_tmp: Path, model: "ScriptedModel") -> dict[str, str]:
    """A clean environment for Claude Code: it asks the scripted model and nobody else.

    TMPDIR holds its /tmp/claude-<uid> and cc-socks. Add IS_SANDBOX=1 for bypassPermissions as root.
    """
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(short_tmp),
        "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": model.url,
        "ANTHROPIC_API_KEY": "dummy-key-for-the-scripted-model",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


@pytest.fixture
def claude(claude_binary: Path, claude_env: dict[str, str], project: Path) -> ClaudeCli:
    """The real CLI in `project` with `claude_env`."""
    return ClaudeCli(claude_binary, claude_env, project)


@pytest.fixture
def daemon_env(claude_env: dict[str, str], claude_binary: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a client whose daemon keeps its data in the test's directory and runs the bundled CLI."""
    return {
        **claude_env,
        "CLAUDE_CODE_BINARY": str(claude_binary),
        "CLAUDE_CODE_MCP_HOME": str(tmp_path / "state"),
        "LOG_LEVEL": "debug",
    }


@pytest.fixture
def terminal(daemon_env: dict[str, str], project: Path, tmp_path: Path) -> "Iterator[Terminal]":
    """A client of a daemon of the test's own, in `project`; the daemon and its sessions are stopped at the end."""
    from tests.support.daemon import Terminal

    found = Terminal(tmp_path / "state", daemon_env, project)
    yield found
    found.stop()
