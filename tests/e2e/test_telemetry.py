"""A real Claude Code with its telemetry switched on tells the daemon what it does."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import BOUND_S, Terminal, command_line

pytestmark = pytest.mark.e2e
Row = dict[str, Any]


def rows(state_dir: Path, kind: str = "") -> list[Row]:
    """Return the events that telemetry told, read from the database itself."""
    with closing(sqlite3.connect(state_dir / "state.db")) as db:
        db.row_factory = sqlite3.Row
        found = db.execute("SELECT * FROM event WHERE source = 'otlp' ORDER BY seq").fetchall()
    return [{**dict(row), "payload": json.loads(row["payload"])} for row in found if kind in ("", row["kind"])]


def until(state_dir: Path, kind: str, wanted: Callable[[Row], bool] = lambda _: True) -> Row:
    """Wait until telemetry told such an event, and return it."""
    deadline = time.monotonic() + BOUND_S
    while time.monotonic() < deadline:
        for row in rows(state_dir, kind):
            if wanted(row):
                return row
        time.sleep(0.02)
    raise AssertionError(f"no {kind}; there are {[row['kind'] for row in rows(state_dir)]}")


@pytest.fixture
def telemetry(terminal: Terminal, daemon_env: Mapping[str, str], project: Path) -> dict[str, str]:
    """What `telemetry env` prints, for a daemon that runs."""
    terminal.call("daemon.status")
    done = command_line("telemetry", "env", "--prompts", "--tool-details", "--json", env=daemon_env, cwd=project)
    found: dict[str, str] = json.loads(done.stdout)["env"]
    return found


def test_a_claude_code_of_somebody_else_is_seen_by_its_telemetry(
    claude: ClaudeCli, terminal: Terminal, telemetry: dict[str, str]
) -> None:
    done = claude.run("Use a tool [s:tool]", env=telemetry)
    session = done.result["session_id"]
    (call,) = {
        block["id"]
        for line in done.of("assistant")
        for block in line["message"]["content"]
        if block["type"] == "tool_use"
    }
    state = terminal.state_dir
    until(state, "session.opened")
    stopped = until(state, "turn.stopped")
    assert {row["session_id"] for row in rows(state)} == {session}
    prompt = until(state, "prompt.taken")
    assert prompt["payload"]["text"] == "Use a tool [s:tool]"
    assert stopped["payload"]["prompt_id"] == prompt["payload"]["prompt_id"]
    tools = [row for row in rows(state) if row["kind"].startswith("tool.")]
    assert {row["tool_use_id"] for row in tools} == {call}
    assert {row["kind"] for row in tools} == {"tool.started", "tool.finished"}
    (begun,) = [row["payload"]["input"] for row in tools if "input" in row["payload"]]
    assert begun["command"] == "echo hello-from-tool"
    cost = sum(row["payload"]["cost_microusd"] for row in rows(state, "model.answered"))
    assert cost == round(done.result["total_cost_usd"] * 1e6)


def test_subagents_and_denials_are_seen_by_telemetry(
    claude: ClaudeCli, terminal: Terminal, telemetry: dict[str, str]
) -> None:
    done = claude.run("Nested agents [s:agent-nested]", env=telemetry)
    assert done.code == 0
    state = terminal.state_dir
    until(state, "turn.stopped")
    links = {row["subject"]: row for row in rows(state, "agent.linked")}
    assert len(links) == 2
    (inner,) = [row for row in links.values() if row["payload"].get("parent_agent_id")]
    outer = links[inner["payload"]["parent_agent_id"]]
    launched = {row["tool_use_id"]: row for row in rows(state, "tool.started") if row["payload"]["name"] == "Agent"}
    assert set(launched) == {inner["tool_use_id"], outer["tool_use_id"]}
    bash = [row for row in rows(state, "tool.finished") if row["payload"]["name"] == "Bash"]
    assert {row["agent_id"] for row in bash} == {inner["subject"]}
    claude.run("Please touch [s:touch]", env=telemetry)
    denied = until(state, "tool.denied")
    assert denied["payload"]["name"] == "Bash"


def test_the_time_that_a_person_took_is_seen_of_our_own_session_too(
    terminal: Terminal, telemetry: dict[str, str]
) -> None:
    handle = terminal.call("sessions.start", prompt="Please touch [s:touch]", env=telemetry)
    session_id = handle["session_id"]
    asked = terminal.until_event(session_id, "approval.asked")
    (question,) = terminal.call("approvals.list")["items"]
    terminal.call("approvals.answer", approval_id=question["approval_id"], decision="allow")
    terminal.finish(session_id, asked["seq"])
    terminal.stop()
    waited = until(terminal.state_dir, "tool.blocked")
    assert waited["tool_use_id"] == asked["tool_use_id"]
    assert waited["payload"]["decision"] == "accept"
    assert waited["payload"]["waited_ms"] > 0


def test_the_same_batch_sent_again_adds_nothing(
    claude: ClaudeCli, terminal: Terminal, telemetry: dict[str, str]
) -> None:
    import httpx2

    fixture = Path(__file__).parents[1] / "fixtures" / "claude" / "otlp" / "tool.jsonl"
    url = telemetry["OTEL_EXPORTER_OTLP_ENDPOINT"]
    with httpx2.Client(base_url=url) as sender:
        for _ in range(2):
            for line in fixture.read_text().splitlines():
                said = json.loads(line)
                assert sender.post(f"/v1/{said['signal']}", json=said["body"]).json() == {}
    until(terminal.state_dir, "session.opened")
    terminal.stop()
    assert len(rows(terminal.state_dir)) == 10
