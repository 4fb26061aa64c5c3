"""Places for processes: who waits, who goes first, who makes room; and what a stop of the daemon means for them."""

from pathlib import Path

import psutil
import pytest

from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import Json, Terminal
from tests.support.processes import is_alive, running, until

pytestmark = pytest.mark.e2e


def start(terminal: Terminal, prompt: str, **wish: object) -> str:
    return str(terminal.call("sessions.start", prompt=prompt, **wish)["session_id"])


def shown(terminal: Terminal, session_id: str) -> Json:
    return terminal.call("sessions.status", session_id=session_id)


def exits(terminal: Terminal, session_id: str) -> list[str]:
    return [event["payload"].get("reason", "") for event in terminal.events(session_id, "run.exited")]


def test_with_three_places_the_most_urgent_goes_first_and_each_waiting_one_knows_its_place(
    terminal: Terminal, model: ScriptedModel
) -> None:
    terminal.env["MAX_CONCURRENT_SESSIONS"] = "3"
    for number in range(3):
        start(terminal, f"[s:held:place-{number}]")
    for number in range(3):
        model.gate(f"place-{number}").reached().result(60)
    wishes = {"later": "low", "soon": "normal", "now": "high", "too": "normal"}
    waiting = {
        name: start(terminal, f"[s:held:{name}]", priority=priority, idle_s=0) for name, priority in wishes.items()
    }
    assert {name: shown(terminal, one)["queue_place"] for name, one in waiting.items()} == {
        "now": 1,
        "soon": 2,
        "too": 3,
        "later": 4,
    }
    model.gate("place-0").open()  # its process stays warm, and has to go for the first in line
    for name, following in (("now", "soon"), ("soon", "too"), ("too", "later"), ("later", None)):
        model.gate(name).reached().result(60)
        if following is not None:
            assert shown(terminal, waiting[following])["status"] == "queued"
        model.gate(name).open()
    for one in waiting.values():
        assert terminal.finish(one)["outcome"]["ok"]
    assert terminal.call("daemon.status")["live"] <= 3


def test_a_waiting_session_gets_the_place_of_an_idle_one_which_comes_back_when_it_is_needed(
    terminal: Terminal, model: ScriptedModel
) -> None:
    terminal.env["MAX_CONCURRENT_SESSIONS"] = "1"
    first = start(terminal, "[s:held:first]")
    model.gate("first").reached().result(60)
    second = start(terminal, "[s:chat]")
    assert shown(terminal, second)["status"] == "queued"
    model.gate("first").open()
    assert terminal.finish(second)["outcome"]["ok"]
    assert exits(terminal, first) == ["idle"]
    assert (shown(terminal, first)["status"], shown(terminal, first)["live"]) == ("idle", False)
    again = terminal.call("sessions.resume", session_id=first, prompt="[s:hi]", wait_s=60)
    assert (again["status"], again["outcome"]["ok"]) == ("idle", True)
    assert (exits(terminal, first), exits(terminal, second)) == (["idle"], ["idle"])


def test_a_session_with_background_work_or_a_question_does_not_make_room(
    terminal: Terminal, model: ScriptedModel
) -> None:
    terminal.env["MAX_CONCURRENT_SESSIONS"] = "2"
    working = start(terminal, "[s:background-long]", allowed_tools=["Bash"])
    asking = start(terminal, "[s:touch]")
    terminal.until_event(working, "turn.finished")
    (need,) = terminal.finish(asking)["needs"]
    waiting = start(terminal, "[s:hi]")
    terminal.call("sessions.wait", session_id=waiting, wait_s=0.5)
    assert shown(terminal, waiting)["status"] == "queued"
    terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    assert terminal.finish(waiting)["outcome"]["ok"]
    assert (exits(terminal, working), exits(terminal, asking)) == ([], ["idle"])
    (terminal.cwd / "go").touch()
    terminal.until_event(working, "task.finished")


def test_a_message_to_an_idle_process_is_never_lost_to_its_end(terminal: Terminal, model: ScriptedModel) -> None:
    session_id = str(terminal.call("sessions.ask", prompt="[s:chat]", idle_s=0.01, wait_s=60)["session_id"])
    for number in range(10):
        # A few milliseconds more each time: before, in and after the end of the process, which is due after ten.
        cursor = shown(terminal, session_id)["cursor"]
        terminal.call("sessions.wait", session_id=session_id, cursor=cursor, until="event", wait_s=number * 0.003)
        sent = terminal.call("sessions.send", session_id=session_id, prompt=f"[s:say:word-{number}]")
        done = terminal.finish(session_id, sent["cursor"])
        assert (done["status"], done["outcome"]["answer"]) == ("idle", f"word-{number}")
    said = [(one.scenario, one.step) for one in model.seen() if one.scenario == "say"]
    assert said == [("say", 1)] * 10
    assert set(exits(terminal, session_id)) <= {"idle"}


def test_the_daemon_stops_and_what_runs_goes_on_under_the_next(terminal: Terminal, model: ScriptedModel) -> None:
    session_id = start(terminal, "[s:midway:gate]")
    model.gate("gate").reached().result(60)
    claude = shown(terminal, session_id)["pid"]
    daemon = psutil.Process(terminal.pid)
    assert terminal.call("daemon.stop")["live"] == 1
    until(lambda: not is_alive(daemon))
    terminal.hang_up()
    model.gate("gate").open()
    assert terminal.finish(session_id)["outcome"]["answer"] == "Started and then finished."
    assert (shown(terminal, session_id)["pid"], exits(terminal, session_id)) == (claude, [])


def test_the_daemon_stops_with_its_sessions_and_who_waited_for_a_place_runs_under_the_next(
    terminal: Terminal, model: ScriptedModel, home: Path
) -> None:
    terminal.env["MAX_CONCURRENT_SESSIONS"] = "2"
    working = start(terminal, "[s:midway:never]")
    model.gate("never").reached().result(60)
    asking = start(terminal, "[s:touch]")
    terminal.finish(asking)
    waiting = start(terminal, "[s:hi]")
    daemon = psutil.Process(terminal.pid)
    assert terminal.call("daemon.stop", sessions=True)["live"] == 0
    assert running(home, "stream-json") == []
    until(lambda: not is_alive(daemon))
    terminal.hang_up()
    assert terminal.finish(waiting)["outcome"]["ok"]
    for one in (working, asking):
        assert shown(terminal, one)["status"] == "stopped"
        assert exits(terminal, one) == ["stop"]
    assert [one.scenario for one in model.seen()] == ["midway", "touch", "hi"]


def test_the_daemon_stops_with_a_session_that_is_being_started(terminal: Terminal, home: Path) -> None:
    terminal.call("daemon.status")
    session_id = start(terminal, "[s:hi]")
    daemon = psutil.Process(terminal.pid)
    terminal.stop()
    until(lambda: not is_alive(daemon))
    assert running(home, "stream-json") == []
    # It was stopped with its process, or had none yet and waits for the next daemon.
    assert terminal.finish(session_id)["status"] in {"stopped", "idle"}
