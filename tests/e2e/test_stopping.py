"""Stopping a session at each instant of its life: one last state, nothing left running, and again is no mistake."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from claude_code_mcp.testing import ScriptedModel, to_script
from tests.support.daemon import Json, Terminal
from tests.support.processes import is_alive, running, until

pytestmark = pytest.mark.e2e

MODES = ("stop", "kill")
STUBBORN = "trap '' TERM INT HUP; until [ -e go ]; do sleep 0.1; done"
SLOW = """#!/bin/sh
# Claude Code that takes its time: at --version until there is a file, at its start until there is another.
case "$1" in --version) until [ -e "$HOME/told" ]; do sleep 0.02; done ;;
*) until [ -e "$HOME/started" ]; do sleep 0.02; done ;; esac
exec "{binary}" "$@"
"""


def abort(terminal: Terminal, session_id: str, mode: str) -> Json:
    return terminal.call("sessions.abort", session_id=session_id, mode=mode)


def start(terminal: Terminal, prompt: str, **wish: object) -> str:
    return str(terminal.call("sessions.start", prompt=prompt, **wish)["session_id"])


def is_over(terminal: Terminal, session_id: str, home: Path, *, runs: int = 1) -> None:
    """Check that a stopped session has one last state and no process, and that stopping it again changes nothing."""
    shown = terminal.call("sessions.status", session_id=session_id)
    assert (shown["status"], shown["live"]) == ("stopped", False)
    assert [one.cmdline() for one in running(home, f"{session_id}")] == []
    before = terminal.events(session_id)
    stops = [event for event in before if event["payload"].get("after") == "stopped"]
    assert (len(stops), len(terminal.events(session_id, "run.exited"))) == (1, runs)
    for mode in ("interrupt", "stop", "kill"):
        again = abort(terminal, session_id, mode)
        assert (again["did"], again["status"]) == ("nothing_to_do", "stopped")
    assert terminal.events(session_id) == before


@pytest.fixture
def slow(terminal: Terminal, claude_binary: Path, home: Path, tmp_path: Path) -> Callable[[str], None]:
    """Make Claude Code wait at its start; returns how to let it go on: `told` its version, or `started`."""
    wrapper = tmp_path / "claude"
    wrapper.write_text(SLOW.format(binary=claude_binary))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    terminal.env["CLAUDE_CODE_BINARY"] = str(wrapper)
    return lambda name: (home / name).touch()


@pytest.mark.parametrize("mode", MODES)
def test_in_the_queue(terminal: Terminal, model: ScriptedModel, home: Path, mode: str) -> None:
    terminal.env["MAX_CONCURRENT_SESSIONS"] = "1"
    start(terminal, "[s:midway:never]")
    model.gate("never").reached().result(60)
    waiting = start(terminal, "[s:hi]")
    stopped = abort(terminal, waiting, mode)
    assert (stopped["did"], stopped["status"]) == ("unqueued", "stopped")
    is_over(terminal, waiting, home, runs=0)


@pytest.mark.parametrize("mode", MODES)
def test_between_its_place_and_its_process(
    terminal: Terminal, slow: Callable[[str], None], model: ScriptedModel, home: Path, mode: str
) -> None:
    session_id = start(terminal, "[s:hi]")
    until(lambda: bool(running(home, "--version")))
    other = Terminal(terminal.state_dir, terminal.env, terminal.cwd)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(abort, other, session_id, mode)
        slow("told")
        slow("started")
        assert stopped.result(60)["status"] == "stopped"
    other.hang_up()
    is_over(terminal, session_id, home, runs=len(terminal.events(session_id, "run.exited")))
    assert model.seen() == []


@pytest.mark.parametrize("mode", MODES)
def test_before_its_first_line(
    terminal: Terminal, slow: Callable[[str], None], model: ScriptedModel, home: Path, mode: str
) -> None:
    slow("told")
    session_id = start(terminal, "[s:hi]")
    terminal.until_event(session_id, "run.started")
    assert terminal.call("sessions.status", session_id=session_id)["status"] == "starting"
    assert abort(terminal, session_id, mode)["status"] == "stopped"
    is_over(terminal, session_id, home)
    assert model.seen() == []


@pytest.mark.parametrize("mode", MODES)
def test_in_the_middle_of_a_text(terminal: Terminal, model: ScriptedModel, home: Path, mode: str) -> None:
    session_id = start(terminal, "[s:midway:never]")
    model.gate("never").reached().result(60)
    abort(terminal, session_id, mode)
    is_over(terminal, session_id, home)


@pytest.mark.parametrize("mode", MODES)
def test_in_a_tool_that_ignores_every_signal(terminal: Terminal, model: ScriptedModel, home: Path, mode: str) -> None:
    model.add(to_script({"scenarios": {"stubborn": {"steps": [{"tools": {"Bash": STUBBORN}}, "Over."]}}}, name="own"))
    session_id = start(terminal, "[s:stubborn]", allowed_tools=["Bash"])
    until(lambda: bool(running(home, "trap")))
    shells = running(home, "trap")
    abort(terminal, session_id, mode)
    assert not any(is_alive(shell) for shell in shells)
    is_over(terminal, session_id, home)


@pytest.mark.parametrize("mode", MODES)
def test_while_it_waits_for_an_answer(terminal: Terminal, home: Path, mode: str) -> None:
    session_id = start(terminal, "[s:touch]")
    terminal.finish(session_id)
    abort(terminal, session_id, mode)
    assert terminal.call("approvals.list")["items"] == []
    is_over(terminal, session_id, home)
    assert not (terminal.cwd / "made-by-bash.txt").exists()


@pytest.mark.parametrize("mode", MODES)
def test_warm_and_after_its_process_has_ended(terminal: Terminal, home: Path, mode: str) -> None:
    warm = str(terminal.call("sessions.ask", prompt="[s:hi]", wait_s=60)["session_id"])
    assert abort(terminal, warm, mode)["did"] in {"stopped", "killed"}
    is_over(terminal, warm, home)
    gone = str(terminal.call("sessions.ask", prompt="[s:hi]", idle_s=0, wait_s=60)["session_id"])
    terminal.until_event(gone, "run.exited")
    assert abort(terminal, gone, mode)["did"] == "stopped"
    is_over(terminal, gone, home)


def test_many_at_once_and_in_every_way(terminal: Terminal, model: ScriptedModel, home: Path) -> None:
    session_id = start(terminal, "[s:midway:never]")
    model.gate("never").reached().result(60)
    others = [Terminal(terminal.state_dir, terminal.env, terminal.cwd) for _ in range(4)]
    for other in others:
        other.call("daemon.status")
    with ThreadPoolExecutor(len(others)) as pool:
        states = [
            stopped.result(60)["status"]
            for stopped in [
                pool.submit(abort, other, session_id, mode)
                for other, mode in zip(others, ("stop", "kill", "stop", "kill"), strict=True)
            ]
        ]
    for other in others:
        other.hang_up()
    assert set(states) == {"stopped"}
    is_over(terminal, session_id, home)


def test_what_was_queued_never_runs_and_what_is_sent_afterwards_does(terminal: Terminal, model: ScriptedModel) -> None:
    session_id = start(terminal, "[s:midway:never]")
    model.gate("never").reached().result(60)
    cursor = terminal.call("sessions.send", session_id=session_id, prompt="[s:tool]", steering="later")["cursor"]
    terminal.until_event(session_id, "message.queued", cursor)
    abort(terminal, session_id, "stop")
    again = terminal.call("sessions.resume", session_id=session_id, prompt="[s:hi]", wait_s=60)
    assert (again["status"], again["outcome"]["ok"]) == ("idle", True)
    assert [(one.scenario, one.step) for one in model.seen()] == [("midway", 1), ("hi", 1)]


def test_an_interrupt_ends_a_turn_in_a_tool_and_the_next_message_runs(
    terminal: Terminal, model: ScriptedModel, home: Path
) -> None:
    session_id = start(terminal, "[s:long-bash]", allowed_tools=["Bash"])
    until(lambda: bool(running(home, "until [ -e go ]")))
    assert abort(terminal, session_id, "interrupt")["did"] == "interrupted"
    terminal.finish(session_id)
    until(lambda: not running(home, "until [ -e go ]"))
    again = terminal.call("sessions.resume", session_id=session_id, prompt="[s:hi]", wait_s=60)
    assert (again["outcome"]["ok"], len(terminal.events(session_id, "run.started"))) == (True, 1)
