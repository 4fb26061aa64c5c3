"""Sessions on the real Claude Code, through the real daemon."""

import pytest

from tests.support.daemon import Terminal

pytestmark = pytest.mark.e2e


def test_a_question_gets_its_answer(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:tool]", wait_s=60)
    assert (answer["status"], answer["outcome"]["ok"], answer["outcome"]["answer"]) == ("idle", True, "All done now.")
    kinds = [event["kind"] for event in terminal.events(answer["session_id"])]
    assert kinds.count("turn.finished") == 1
    assert kinds.index("tool.started") < kinds.index("tool.finished") < kinds.index("turn.finished")


def test_a_permission_question_waits_for_its_answer_and_the_tool_then_runs(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)
    (need,) = answer["needs"]
    assert (answer["status"], need["tool"], need["kind"]) == ("waiting", "Bash", "permission")
    terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    done = terminal.finish(answer["session_id"], answer["cursor"])
    assert (done["status"], done["outcome"]["ok"]) == ("idle", True)
    assert (terminal.cwd / "made-by-bash.txt").exists()
    decisions = terminal.events(answer["session_id"], "approval.answered")
    assert [event["payload"]["decision"] for event in decisions] == ["allow"]


def test_kill_9_of_the_daemon_costs_nothing(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)
    (need,) = answer["needs"]
    terminal.kill_daemon()
    again = terminal.call("approvals.list")["items"]
    assert [item["approval_id"] for item in again] == [need["approval_id"]]
    terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    done = terminal.finish(answer["session_id"], answer["cursor"])
    assert (done["status"], done["outcome"]["answer"]) == ("idle", "Touched.")
    kinds = [event["kind"] for event in terminal.events(answer["session_id"])]
    assert (kinds.count("turn.finished"), kinds.count("run.attached"), kinds.count("run.started")) == (1, 1, 1)
