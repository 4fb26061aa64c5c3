"""`doctor` says what is wrong, and how to mend it."""

import json
from pathlib import Path

import pytest

from tests.support.daemon import Terminal, command_line

pytestmark = pytest.mark.e2e


def checks(terminal: Terminal) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for check in terminal.call("diagnoses.run")["checks"]:
        found.setdefault(check["name"], []).append((check["verdict"], check["found"]))
    return found


def test_a_sound_installation_is_well(terminal: Terminal) -> None:
    told = command_line("doctor", env=terminal.env, cwd=terminal.cwd)
    assert (told.returncode, told.stdout.splitlines()[-1]) == (0, "Everything is well.")
    assert {name for name, found in checks(terminal).items() if found[0][0] == "ok"} >= {
        "claude binary", "login", "daemon", "store", "disk", "hooks", "project"
    }  # fmt: skip


def test_each_fault_is_named_with_its_fix(terminal: Terminal) -> None:
    home = Path(terminal.env["HOME"])
    (home / ".claude").mkdir(exist_ok=True)
    (home / ".claude" / "settings.json").write_text("{ broken")
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text("{ broken too")
    (terminal.cwd / ".mcp.json").write_text('{"mcpServers": {"x": {"command": "true"}}}')
    del terminal.env["ANTHROPIC_API_KEY"]
    told = command_line("doctor", "--json", env=terminal.env, cwd=terminal.cwd)
    reply = json.loads(told.stdout)
    bad = {check["name"]: check for check in reply["checks"] if check["verdict"] != "ok"}
    assert (told.returncode, reply["well"]) == (6, False)
    assert {"login", "MCP clients", "hooks", "project"} <= bad.keys()
    assert all(check["fix"] for check in bad.values())
