"""kill -9 of Claude Code, of its supervisor and of everything at once: it costs the turn that was lost, no more."""

import contextlib
from pathlib import Path

import psutil
import pytest

from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import CallFailed, Json, Terminal
from tests.support.processes import bytes_in, is_alive, running, until

pytestmark = pytest.mark.e2e


def start(terminal: Terminal, prompt: str, **wish: object) -> str:
    return str(terminal.call("sessions.start", prompt=prompt, **wish)["session_id"])


def claude_of(terminal: Terminal, session_id: str) -> psutil.Process:
    return psutil.Process(terminal.call("sessions.status", session_id=session_id)["pid"])


def shim_of(claude: psutil.Process) -> psutil.Process:
    shim = claude.parent()
    assert shim is not None
    assert shim.name().startswith("ccm-"), "the parent of Claude Code is not its supervisor"
    return shim


def kill(*processes: psutil.Process) -> None:
    """Kill them as the out-of-memory killer would, and return when they are gone."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # one may have ended with another
            process.kill()
    until(lambda: all(not is_alive(process) for process in processes))


def shells(home: Path) -> list[psutil.Process]:
    """Return what the tools of a session run."""
    return running(home, "until [ -e go ]")


def asked(model: ScriptedModel) -> list[tuple[str, int]]:
    """Return what the model was asked in conversations, in order."""
    return [(one.scenario, one.step) for one in model.seen() if not one.scenario.startswith("(")]


def queued(terminal: Terminal, session_id: str, prompt: str) -> str:
    """Send a message to a working session; return its id when Claude Code has queued it."""
    cursor = terminal.call("sessions.status", session_id=session_id)["cursor"]
    sent = terminal.call("sessions.send", session_id=session_id, prompt=prompt, steering="later")
    terminal.until_event(session_id, "message.queued", cursor)
    return str(sent["message_id"])


def states(terminal: Terminal, session_id: str) -> list[str]:
    return [event["payload"]["after"] for event in terminal.events(session_id, "session.state_moved")]


def lost(done: Json, code: str) -> None:
    assert done["status"] == "failed"
    assert done["outcome"]["subtype"] == code, done["outcome"]


def test_in_the_middle_of_a_text_only_that_turn_is_lost(terminal: Terminal, model: ScriptedModel) -> None:
    session_id = start(terminal, "[s:midway:gate]")
    model.gate("gate").reached().result(60)
    kill(claude_of(terminal, session_id))
    lost(terminal.finish(session_id), "claude_crashed")
    again = terminal.call("sessions.resume", session_id=session_id, prompt="[s:hi]", wait_s=60)
    assert (again["status"], again["outcome"]["ok"]) == ("idle", True)
    assert asked(model) == [("midway", 1), ("hi", 1)]


def test_a_queued_message_is_sent_again_under_its_id_and_runs_once_while_the_lost_turn_is_not_repeated(
    terminal: Terminal, model: ScriptedModel
) -> None:
    session_id = start(terminal, "[s:midway:gate]")
    model.gate("gate").reached().result(60)
    message_id = queued(terminal, session_id, "[s:tool]")
    kill(claude_of(terminal, session_id))
    done = terminal.finish(session_id)
    assert (done["status"], done["outcome"]["answer"]) == ("idle", "All done now.")
    assert asked(model) == [("midway", 1), ("tool", 1), ("tool", 2)]
    started = [event["subject"] for event in terminal.events(session_id, "message.started")]
    assert started.count(message_id) == 1
    assert states(terminal, session_id) == ["starting", "queued", "starting"]


def test_in_the_middle_of_a_tool_its_shells_end_with_it(terminal: Terminal, home: Path) -> None:
    session_id = start(terminal, "[s:long-bash]", allowed_tools=["Bash"])
    terminal.until_event(session_id, "tool.started")
    until(lambda: bool(shells(home)))
    kill(claude_of(terminal, session_id))
    lost(terminal.finish(session_id), "claude_crashed")
    assert shells(home) == []
    (gone,) = terminal.events(session_id, "tool.abandoned")
    assert gone["payload"]["name"] == "Bash"
    again = terminal.call("sessions.resume", session_id=session_id, prompt="[s:hi]", wait_s=60)
    assert again["outcome"]["ok"]


def test_a_question_of_a_dead_process_expires_and_says_so(terminal: Terminal, model: ScriptedModel) -> None:
    session_id = start(terminal, "[s:touch]")
    (need,) = terminal.finish(session_id)["needs"]
    message_id = queued(terminal, session_id, "[s:hi]")
    kill(claude_of(terminal, session_id))
    terminal.until_event(session_id, "run.exited")
    done = terminal.finish(session_id)
    assert (done["status"], done["outcome"]["ok"], done["needs"]) == ("idle", True, [])
    with pytest.raises(CallFailed) as refused:
        terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    assert refused.value.code == "approval_settled"
    (question,) = terminal.call("approvals.list", session_id=session_id, all=True)["items"]
    assert question["state"] == "expired"
    assert not (terminal.cwd / "made-by-bash.txt").exists()
    assert asked(model) == [("touch", 1), ("hi", 1)]
    assert message_id in [event["subject"] for event in terminal.events(session_id, "message.completed")]


def test_at_rest_nothing_is_lost_and_the_next_message_brings_it_back(terminal: Terminal) -> None:
    session_id = terminal.call("sessions.ask", prompt="[s:chat]", wait_s=60)["session_id"]
    claude = claude_of(terminal, session_id)
    kill(claude)
    terminal.until_event(session_id, "run.exited")
    shown = terminal.call("sessions.status", session_id=session_id)
    assert (shown["status"], shown["live"], shown["error"]) == ("idle", False, None)
    again = terminal.call("sessions.resume", session_id=session_id, prompt="And now?", wait_s=60)
    assert again["outcome"]["answer"] == "Second answer."


def test_killed_in_every_turn_it_loses_these_turns_and_no_message(terminal: Terminal, model: ScriptedModel) -> None:
    session_id = start(terminal, "[s:midway:gate]")
    model.gate("gate").reached().result(60)
    queued(terminal, session_id, "[s:held:gate-2]")
    kill(claude_of(terminal, session_id))
    model.gate("gate-2").reached().result(60)
    queued(terminal, session_id, "[s:held:gate-3]")
    kill(claude_of(terminal, session_id))
    model.gate("gate-3").reached().result(60)
    kill(claude_of(terminal, session_id))
    lost(terminal.finish(session_id), "claude_crashed")
    again = terminal.call("sessions.resume", session_id=session_id, prompt="[s:hi]", wait_s=60)
    assert again["outcome"]["ok"]
    assert asked(model) == [("midway", 1), ("held", 1), ("held", 1), ("hi", 1)]


def test_a_killed_supervisor_takes_claude_code_and_its_shells_along(
    terminal: Terminal, model: ScriptedModel, home: Path
) -> None:
    session_id = start(terminal, "[s:long-bash]", allowed_tools=["Bash"])
    terminal.until_event(session_id, "tool.started")
    until(lambda: bool(shells(home)))
    claude = claude_of(terminal, session_id)
    queued(terminal, session_id, "[s:hi]")
    kill(shim_of(claude))
    done = terminal.finish(session_id)
    assert (done["status"], done["outcome"]["ok"]) == ("idle", True)
    assert not is_alive(claude)
    assert shells(home) == []
    assert asked(model) == [("long-bash", 1), ("hi", 1)]
    (gone,) = terminal.events(session_id, "run.exited")
    assert gone["payload"]["outcome"] == "lost"


def test_everything_is_killed_at_once_and_the_next_call_finds_its_way(
    terminal: Terminal, model: ScriptedModel, home: Path
) -> None:
    working = start(terminal, "[s:long-bash]", allowed_tools=["Bash"])
    asking = start(terminal, "[s:touch]")
    resting = str(terminal.call("sessions.ask", prompt="[s:chat]", wait_s=60)["session_id"])
    (need,) = terminal.finish(asking)["needs"]
    terminal.until_event(working, "tool.started")
    until(lambda: bool(shells(home)))
    queued(terminal, working, "[s:hi]")
    processes = [claude_of(terminal, one) for one in (working, asking, resting)]
    daemon = psutil.Process(terminal.pid)
    terminal.hang_up()
    kill(daemon, *[shim_of(claude) for claude in processes], *processes)
    done = terminal.finish(working)
    assert (done["status"], done["outcome"]["ok"]) == ("idle", True)
    assert shells(home) == []
    lost(terminal.finish(asking), "run_lost")
    again = terminal.call("sessions.resume", session_id=resting, prompt="And now?", wait_s=60)
    assert again["outcome"]["answer"] == "Second answer."
    (question,) = terminal.call("approvals.list", session_id=asking, all=True)["items"]
    assert (question["approval_id"], question["state"]) == (need["approval_id"], "expired")
    assert sorted(asked(model)) == sorted([("long-bash", 1), ("touch", 1), ("chat", 1), ("hi", 1), ("chat", 2)])


def test_half_a_message_of_a_killed_daemon_is_sent_again_whole(terminal: Terminal, model: ScriptedModel) -> None:
    session_id = terminal.call("sessions.ask", prompt="[s:hi]", wait_s=60)["session_id"]
    claude = claude_of(terminal, session_id)
    claude.suspend()
    long = "[s:tool] " + "x" * 3_000_000
    terminal.call("sessions.send", session_id=session_id, prompt=long)
    (run,) = (terminal.state_dir / "runs").glob("*-*-*-*-*")
    with (run / "stdin").open("rb+", buffering=0) as fifo:
        until(lambda: bytes_in(fifo.fileno()) >= 65536)  # the daemon has begun, and has to wait for room
    terminal.kill_daemon()
    claude.resume()
    done = terminal.finish(session_id)
    assert (done["status"], done["outcome"]["answer"]) == ("idle", "All done now.")
    assert asked(model) == [("hi", 1), ("tool", 1), ("tool", 2)]
    (gone,) = terminal.events(session_id, "run.exited")
    assert gone["payload"]["code"] == 1, "half a line was not what ended it"
