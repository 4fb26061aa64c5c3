"""What bounds a session besides its own wishes: the disk, what it writes, and age."""

import os

import pytest

from claude_code_mcp.testing import ScriptedModel, to_script
from tests.support.daemon import Terminal
from tests.support.processes import until

pytestmark = pytest.mark.e2e


FLOOD = {
    "scenarios": {
        "flood": {
            "steps": [{"text": "y" * 50, "repeat": 30_000, "tools": {"Bash": "until [ -e go ]; do sleep 0.1; done"}}]
        }
    }
}


def test_a_turn_that_writes_without_end_is_ended_and_says_so(terminal: Terminal, model: ScriptedModel) -> None:
    model.add(to_script(FLOOD, name="flood"))
    terminal.env["CLAUDE_CODE_MCP_RUN_OUTPUT_LIMIT_BYTES"] = "1MiB"
    handle = terminal.call("sessions.start", prompt="[s:flood]", allowed_tools=["Bash"])
    terminal.until_event(handle["session_id"], "session.over_quota")
    done = terminal.finish(handle["session_id"])
    assert (done["status"], done["outcome"]["subtype"]) == ("failed", "quota_exceeded")


def test_a_session_at_rest_that_wrote_much_only_gets_a_new_process(terminal: Terminal) -> None:
    terminal.env["CLAUDE_CODE_MCP_RUN_OUTPUT_LIMIT_BYTES"] = "1MiB"
    answer = terminal.call("sessions.ask", prompt="[s:bigtext]", wait_s=60)
    terminal.until_event(answer["session_id"], "run.exited")
    again = terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:hi]", wait_s=60)
    assert (again["status"], again["outcome"]["ok"]) == ("idle", True)


def test_what_a_run_was_started_with_is_taken_away_with_it(terminal: Terminal, model: ScriptedModel) -> None:
    terminal.env["CLAUDE_CODE_MCP_RUNS_KEEP_DAYS"] = "0"
    handle = terminal.call(
        "sessions.start",
        prompt="[s:midway:gate]",
        append_system_prompt="canary-prompt",
        settings={"model": "haiku"},
        idle_s=0,
    )
    model.gate("gate").reached().result(60)
    assert list((terminal.state_dir / "launch").iterdir())
    model.gate("gate").open()
    terminal.until_event(handle["session_id"], "run.exited")
    until(lambda: list((terminal.state_dir / "launch").iterdir()) == [])


def test_nothing_new_starts_on_a_disk_that_is_nearly_full(terminal: Terminal) -> None:
    terminal.env["CLAUDE_CODE_MCP_DISK_LOW_BYTES"] = "900TiB"
    terminal.env["CLAUDE_CODE_MCP_DISK_CRITICAL_BYTES"] = "0"
    handle = terminal.call("sessions.start", prompt="[s:hi]")
    waited = terminal.call("sessions.wait", session_id=handle["session_id"], wait_s=1)
    assert (waited["status"], waited["reached"]) == ("queued", False)
    assert terminal.call("daemon.status")["blocked"] == "the disk is nearly full"
    stopped = terminal.call("sessions.abort", session_id=handle["session_id"], mode="stop")
    assert (stopped["did"], stopped["status"]) == ("unqueued", "stopped")


def test_an_output_file_that_is_cut_to_nothing_loses_no_later_line(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:tool]", wait_s=60)
    (run,) = (terminal.state_dir / "runs").glob("*-*-*-*-*")
    os.truncate(run / "stdout", 0)
    again = terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:tool]", wait_s=60)
    assert again["outcome"]["ok"]
    kinds = [event["kind"] for event in terminal.events(answer["session_id"])]
    assert (kinds.count("run.started"), kinds.count("tool.finished"), kinds.count("turn.finished")) == (1, 2, 2)


def test_a_secret_in_a_tools_input_is_not_stored_and_the_tool_runs_with_it(
    terminal: Terminal, model: ScriptedModel
) -> None:
    secret = "sk-ant-api03-canary0123456789abcdefghij"
    script = {"scenarios": {"secret": {"steps": [{"tools": {"Bash": f"touch {secret}"}}, "Done."]}}}
    model.add(to_script(script, name="secret"))
    asked = terminal.call("sessions.ask", prompt="[s:secret]", wait_s=60)
    (item,) = terminal.call("approvals.list")["items"]
    assert secret not in str(item)
    terminal.call("approvals.answer", approval_id=item["approval_id"], decision="allow")
    assert terminal.finish(asked["session_id"], asked["cursor"])["outcome"]["ok"]
    assert (terminal.cwd / secret).exists()
    files = [*terminal.state_dir.glob("state.db*"), terminal.state_dir / "daemon.log"]
    assert [path.name for path in files if secret.encode() in path.read_bytes()] == []
