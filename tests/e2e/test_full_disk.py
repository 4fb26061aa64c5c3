"""A disk that takes nothing: the daemon stays, says so, and loses nothing; lines that it swallowed are made up for."""

import resource
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import CallFailed, Json, Terminal
from tests.support.processes import running, until

pytestmark = pytest.mark.e2e

REFUSED = {"store_unavailable", "vault_unavailable"}
FILTER = '''#!{python}
"""Claude Code as it looks on a disk that is full for a while: a line is cut, and those after it are swallowed."""
import os, subprocess, sys
if "--version" in sys.argv:
    os.execv("{binary}", ["{binary}", *sys.argv[1:]])
claude = subprocess.Popen(["{binary}", *sys.argv[1:]], stdout=subprocess.PIPE)
full, been = False, False
for line in claude.stdout:
    if not been and {cut}:
        full = been = True
        os.write(1, line[: len(line) // 2])
        continue
    full = full and not ({space})
    if not full:
        os.write(1, line)
sys.exit(claude.wait())
'''


@contextmanager
def nothing_can_be_written(pid: int) -> Generator[None]:
    """Let a process write to no file: what a full disk does, without one. Pipes and sockets are not touched."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def start(terminal: Terminal, prompt: str, **wish: object) -> str:
    return str(terminal.call("sessions.start", prompt=prompt, **wish)["session_id"])


def refused(terminal: Terminal, op: str, /, **args: object) -> None:
    with pytest.raises(CallFailed) as caught:
        terminal.call(op, **args)
    assert caught.value.code in REFUSED, caught.value
    assert caught.value.error["remedy"]


def kinds(events: list[Json]) -> list[str]:
    return [event["kind"] for event in events]


def test_while_the_store_takes_nothing_the_daemon_says_so_and_afterwards_nothing_is_missing(
    terminal: Terminal, model: ScriptedModel
) -> None:
    session_id = start(terminal, "[s:held-tool:gate]")
    model.gate("gate").reached().result(60)
    before = len(terminal.call("sessions.list")["items"])
    with nothing_can_be_written(terminal.pid):
        model.gate("gate").open()
        refused(terminal, "sessions.start", prompt="[s:hi]")
        refused(terminal, "sessions.send", session_id=session_id, prompt="[s:hi]")
        until(lambda: "store refuses writes" in (terminal.call("daemon.status")["blocked"] or ""))
        assert len(terminal.call("sessions.list")["items"]) == before
        waited = terminal.call("sessions.wait", session_id=session_id, wait_s=0.5)
        assert (waited["status"], waited["reached"]) == ("running", False)
    done = terminal.finish(session_id)
    assert (done["status"], done["outcome"]["answer"]) == ("idle", "Finished.")
    assert terminal.call("daemon.status")["blocked"] is None
    told = kinds(terminal.events(session_id))
    assert [told.count(kind) for kind in ("tool.finished", "turn.finished", "message.completed")] == [1, 1, 1]
    again = terminal.call("sessions.resume", session_id=session_id, prompt="[s:hi]", wait_s=60)
    assert again["outcome"]["ok"]


def test_the_end_of_a_process_is_recorded_when_the_store_takes_it_again(
    terminal: Terminal, model: ScriptedModel, home: Path
) -> None:
    working = start(terminal, "[s:midway:never]")
    model.gate("never").reached().result(60)
    with nothing_can_be_written(terminal.pid):
        for process in running(home, "stream-json"):
            process.kill()
        refused(terminal, "sessions.send", session_id=working, prompt="[s:hi]")
        waited = terminal.call("sessions.wait", session_id=working, wait_s=1)
        assert not waited["reached"]
    done = terminal.finish(working)
    assert (done["status"], done["outcome"]["subtype"]) == ("failed", "claude_crashed")
    assert len(terminal.events(working, "run.exited")) == 1


def test_a_session_can_be_stopped_on_a_full_disk(terminal: Terminal, model: ScriptedModel, home: Path) -> None:
    session_id = start(terminal, "[s:midway:never]")
    model.gate("never").reached().result(60)
    with nothing_can_be_written(terminal.pid):
        terminal.call("sessions.abort", session_id=session_id, mode="kill")
        assert running(home, "stream-json") == []
    assert terminal.finish(session_id)["status"] == "stopped"


def test_an_answer_that_cannot_be_kept_is_refused_and_the_question_waits_on(terminal: Terminal) -> None:
    session_id = start(terminal, "[s:touch]")
    (need,) = terminal.finish(session_id)["needs"]
    with nothing_can_be_written(terminal.pid):
        refused(terminal, "approvals.answer", approval_id=need["approval_id"], decision="allow")
    (item,) = terminal.call("approvals.list")["items"]
    assert (item["approval_id"], item["state"]) == (need["approval_id"], "waiting")
    terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    assert terminal.finish(session_id)["outcome"]["answer"] == "Touched."


def test_a_session_whose_start_cannot_be_noted_waits_until_it_can(terminal: Terminal, model: ScriptedModel) -> None:
    terminal.env["MAX_CONCURRENT_SESSIONS"] = "1"
    first = start(terminal, "[s:held:first]", idle_s=0)
    model.gate("first").reached().result(60)
    second = start(terminal, "[s:hi]")
    with nothing_can_be_written(terminal.pid):
        terminal.call("sessions.abort", session_id=first, mode="kill")
        waited = terminal.call("sessions.wait", session_id=second, wait_s=1.5)
        assert (waited["status"], waited["reached"]) == ("queued", False)
    assert terminal.finish(second)["outcome"]["ok"]
    assert [one.scenario for one in model.seen()] == ["held", "hi"]


def filtered(terminal: Terminal, binary: Path, tmp_path: Path, *, cut: str, space: str) -> None:
    """Have sessions run with lines cut and swallowed: from the one that `cut` holds for until `space` does."""
    wrapper = tmp_path / "claude"
    wrapper.write_text(FILTER.format(python=sys.executable, binary=binary, cut=cut, space=space))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    terminal.env["CLAUDE_CODE_BINARY"] = str(wrapper)


def test_of_a_glued_line_both_ends_are_told_and_the_session_goes_on(
    terminal: Terminal, claude_binary: Path, tmp_path: Path
) -> None:
    filtered(terminal, claude_binary, tmp_path, cut="b'I will run' in line", space="True")
    answer = terminal.call("sessions.ask", prompt="[s:tool]", wait_s=60)
    assert (answer["status"], answer["outcome"]["answer"]) == ("idle", "All done now.")
    told = kinds(terminal.events(answer["session_id"]))
    assert [told.count(kind) for kind in ("line.garbled", "tool.started", "tool.finished")] == [1, 1, 1]


def test_a_turn_whose_end_was_swallowed_is_found_to_be_over(
    terminal: Terminal, claude_binary: Path, tmp_path: Path, model: ScriptedModel
) -> None:
    swallowed = "b'I will run' in line"
    filtered(terminal, claude_binary, tmp_path, cut=swallowed, space="b'control_response' in line")
    session_id = start(terminal, "[s:tool]")
    model.expect(2).result(60)
    terminal.until_event(session_id, "message.started")
    assert terminal.call("sessions.wait", session_id=session_id, wait_s=1)["status"] == "running"
    # Whatever is written next is glued to the half line, and shows that lines are missing.
    terminal.call("sessions.set", session_id=session_id, title="A title")
    done = terminal.finish(session_id)
    assert done["status"] == "idle"
    assert "line.garbled" in kinds(terminal.events(session_id))
    again = terminal.call("sessions.resume", session_id=session_id, prompt="[s:hi]", wait_s=60)
    assert (again["status"], again["outcome"]["ok"]) == ("idle", True)
    assert [(one.scenario, one.step) for one in model.seen()] == [("tool", 1), ("tool", 2), ("hi", 1)]
