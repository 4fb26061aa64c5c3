"""A newer program finds the daemon of an older one: it takes over, and what runs goes on."""

import psutil
import pytest

from claude_code_mcp.platform.ipc import connect
from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import Terminal

pytestmark = pytest.mark.e2e


@pytest.mark.requirement("S2.daemon.3")
def test_an_older_daemon_hands_over_and_its_session_lives_on(
    terminal: Terminal, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = terminal.call("sessions.start", prompt="[s:midway:gate]")
    model.gate("gate").reached().result(60)
    claude = terminal.call("sessions.status", session_id=handle["session_id"])["pid"]
    old = psutil.Process(terminal.pid)
    terminal.hang_up()
    monkeypatch.setattr(connect, "__version__", "99.0.0")  # this process is the newer program now
    terminal.until_event(handle["session_id"], "run.attached")
    old.wait(60)
    shown = terminal.call("sessions.status", session_id=handle["session_id"])
    assert (shown["status"], shown["pid"], terminal.pid == old.pid) == ("running", claude, False)
    model.gate("gate").open()
    done = terminal.finish(handle["session_id"])
    assert (done["status"], done["outcome"]["ok"]) == ("idle", True)
    kinds = [event["kind"] for event in terminal.events(handle["session_id"])]
    assert (kinds.count("run.started"), kinds.count("run.attached"), kinds.count("turn.finished")) == (1, 1, 1)
