"""A model in the real Claude Code calls our tools, and they run another real Claude Code to its end."""

import json
import os
import sys
from pathlib import Path

import pytest

from claude_code_mcp.testing import ScriptedModel, to_script
from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import Terminal

pytestmark = pytest.mark.e2e

CALLER = {
    "scenarios": {
        "outer": {
            "steps": [
                {"tools": [{"name": "mcp__ours__claude_ask", "input": {"prompt": "[s:tool]", "wait_s": 60}}]},
                "The other one said: ${result}",
            ]
        },
        "outer-touch": {
            "steps": [
                {
                    "tools": [
                        {
                            "name": "mcp__ours__execute_claude",
                            "input": {"prompt": "[s:touch]", "permission_mode": "acceptEdits", "title": "from a model"},
                        }
                    ]
                },
                {"tools": [{"name": "mcp__ours__session_list", "input": {}}]},
                "Sessions: ${result}",
            ]
        },
    }
}


def server(env: dict[str, str], profile: str) -> str:
    """Return the MCP configuration with our relay as its only server."""
    entry = {
        "command": sys.executable,
        "args": ["-m", "claude_code_mcp", "serve", "--profile", profile],
        "env": {"CLAUDE_CODE_MCP_HOME": env["CLAUDE_CODE_MCP_HOME"], "CLAUDE_CODE_BINARY": env["CLAUDE_CODE_BINARY"]},
    }
    return json.dumps({"mcpServers": {"ours": entry}})


@pytest.fixture
def outer(claude_binary: Path, daemon_env: dict[str, str], project: Path, model: ScriptedModel) -> ClaudeCli:
    """A Claude Code that has our server; it waits for it to be up before the first turn."""
    model.add(to_script(CALLER, name="caller"))
    env = {name: value for name, value in daemon_env.items() if not name.startswith("CLAUDE_CODE_MCP")}
    return ClaudeCli(claude_binary, {**env, "MCP_CONNECTION_NONBLOCKING": "0"}, project)


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize("profile", ["core", "full"])
def test_a_model_runs_another_session_to_its_end(
    outer: ClaudeCli, terminal: Terminal, daemon_env: dict[str, str], profile: str, era: str
) -> None:
    legacy = {"MCP_PROTOCOL_NEGOTIATION": "legacy"} if era == "legacy" else {}
    done = outer.run(
        "[s:outer]",
        f"--mcp-config={server(daemon_env, profile)}",
        "--allowedTools=mcp__ours__claude_ask",
        env={"ENABLE_TOOL_SEARCH": "false", **legacy},
    )
    assert done.code == 0, done.stderr
    assert done.result["is_error"] is False
    assert "The other one said: All done now." in done.text
    (session,) = terminal.call("sessions.list")["items"]
    assert (session["status"], session["turns"]) == ("idle", 1)
    # The session ran where its client stood and with its client's environment, not the daemon's.
    assert session["project_path"] == os.path.realpath(outer.cwd)


def test_a_session_goes_on_when_the_client_that_started_it_is_gone(
    outer: ClaudeCli, terminal: Terminal, daemon_env: dict[str, str]
) -> None:
    done = outer.run(
        "[s:outer-touch]",
        f"--mcp-config={server(daemon_env, 'core')}",
        "--allowedTools=mcp__ours__execute_claude,mcp__ours__session_list",
        env={"ENABLE_TOOL_SEARCH": "false"},
    )
    assert "from a model" in done.text
    (session,) = terminal.call("sessions.list")["items"]
    finished = terminal.finish(session["session_id"])
    assert finished["outcome"]["ok"] is True
