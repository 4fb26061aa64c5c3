"""What happens by itself when time goes by: warm processes end, turns and questions run out, daemons leave."""

import json
import time

import psutil
import pytest

from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import CallFailed, Terminal

pytestmark = pytest.mark.e2e


@pytest.mark.requirement("S2.sessions.start")
def test_a_start_comes_back_within_a_second(terminal: Terminal) -> None:
    terminal.call("daemon.status")  # the daemon's own start is another matter
    took = []
    for _ in range(3):
        began = time.monotonic()
        handle = terminal.call("sessions.start", prompt="[s:hi]")
        took.append(time.monotonic() - began)
        terminal.finish(handle["session_id"])
    assert min(took) < 1, took


@pytest.mark.requirement("S2.behaviour.2")
def test_a_warm_process_ends_after_its_idle_time_and_the_next_message_brings_it_back(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:hi]", idle_s=0.2, wait_s=60)
    gone = terminal.until_event(answer["session_id"], "run.exited")
    assert (gone["payload"]["reason"], gone["payload"].get("code")) == ("idle", 0)
    shown = terminal.call("sessions.status", session_id=answer["session_id"])
    assert (shown["status"], shown["live"]) == ("idle", False)
    again = terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:chat]", wait_s=60)
    assert (again["session_id"], again["outcome"]["ok"]) == (answer["session_id"], True)
    assert len(terminal.events(answer["session_id"], "run.started")) == 2


@pytest.mark.requirement("S2.parameters.8")
def test_a_turn_that_takes_longer_than_its_limit_is_ended_and_says_so(terminal: Terminal) -> None:
    handle = terminal.call("sessions.start", prompt="[s:midway:never]", timeout_s=1)
    late = terminal.until_event(handle["session_id"], "session.timed_out")
    assert late["payload"]["timeout_s"] == 1
    done = terminal.finish(handle["session_id"])
    assert (done["status"], done["outcome"]["subtype"]) == ("failed", "timed_out")
    again = terminal.call("sessions.resume", session_id=handle["session_id"], prompt="[s:hi]", timeout_s=60, wait_s=60)
    assert (again["status"], again["outcome"]["ok"]) == ("idle", True)


@pytest.mark.requirement("S2.approvals.5")
def test_a_question_that_nobody_answers_is_denied_when_that_is_set(terminal: Terminal) -> None:
    terminal.env["CLAUDE_CODE_MCP_APPROVAL_TIMEOUT_S"] = "0.5"
    handle = terminal.call("sessions.start", prompt="[s:touch]")
    answered = terminal.until_event(handle["session_id"], "approval.answered")
    assert (answered["payload"]["decision"], answered["payload"]["by"]) == ("deny", "policy")
    denied = terminal.until_event(handle["session_id"], "tool.denied")
    assert "Nobody answered in time" in denied["payload"]["output"]
    terminal.finish(handle["session_id"])
    assert not (terminal.cwd / "made-by-bash.txt").exists()


@pytest.mark.requirement("S2.approvals.5")
def test_a_question_waits_for_ever_when_that_is_set(terminal: Terminal) -> None:
    terminal.env |= {"CLAUDE_CODE_MCP_APPROVAL_TIMEOUT_S": "0.1", "CLAUDE_CODE_MCP_APPROVAL_ON_TIMEOUT": "wait"}
    answer = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)
    later = terminal.call(
        "sessions.wait", session_id=answer["session_id"], cursor=answer["cursor"], until="event", wait_s=1
    )
    (item,) = terminal.call("approvals.list")["items"]
    assert (later["status"], item["state"], item.get("expires_at")) == ("waiting", "waiting", None)


@pytest.mark.requirement("S2.daemon.4")
def test_the_daemon_leaves_when_nothing_runs_and_nobody_is_there_and_not_before(
    terminal: Terminal, model: ScriptedModel
) -> None:
    terminal.env["CLAUDE_CODE_MCP_IDLE_EXIT_S"] = "1"
    handle = terminal.call("sessions.start", prompt="[s:midway:gate]", idle_s=0)
    model.gate("gate").reached().result(60)
    daemon = psutil.Process(terminal.pid)
    terminal.hang_up()
    with pytest.raises(psutil.TimeoutExpired):
        daemon.wait(3)
    model.gate("gate").open()
    daemon.wait(60)
    done = terminal.finish(handle["session_id"])  # of another daemon, which the call started
    assert (done["status"], done["outcome"]["ok"], terminal.pid == daemon.pid) == ("idle", True, False)


@pytest.mark.requirement("S2.runs.7")
def test_a_stop_breaks_the_turn_off_hears_its_result_and_lets_the_process_leave_by_itself(
    terminal: Terminal, model: ScriptedModel
) -> None:
    handle = terminal.call("sessions.start", prompt="[s:midway:never]")
    model.gate("never").reached().result(60)
    stopped = terminal.call("sessions.abort", session_id=handle["session_id"], mode="stop")
    assert (stopped["did"], stopped["status"]) == ("stopped", "stopped")
    kinds = [event["kind"] for event in terminal.events(handle["session_id"])]
    assert kinds.index("session.aborted") < kinds.index("turn.finished") < kinds.index("run.exited")
    (gone,) = terminal.events(handle["session_id"], "run.exited")
    assert (gone["payload"]["outcome"], gone["payload"]["reason"]) == ("exited", "stop")
    assert "signal" not in gone["payload"], json.dumps(gone)


@pytest.mark.requirement("S2.parameters.6")
def test_a_checkpoint_is_understood_by_both_its_names_and_one_that_is_not_there_starts_nothing(
    terminal: Terminal,
) -> None:
    for name in ("checkpoint_id", "checkpointId"):
        with pytest.raises(CallFailed) as caught:
            terminal.call("sessions.start", prompt="[s:hi]", **{name: "checkpoint_123"})
        assert (caught.value.code, bool(caught.value.error["remedy"])) == ("checkpoint_not_found", True)
    assert terminal.call("sessions.list")["items"] == []
