"""A person works with the real Claude Code at a terminal, our hooks in their settings: what is known, and when."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_hooks import hooked, until
from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import Terminal as Caller
from tests.support.daemon import command_line
from tests.surfaces.cli.terminal import Terminal, terminal

pytestmark = pytest.mark.e2e
BOUND_S = 60.0
Json = dict[str, Any]


@pytest.fixture
def person(caller: Caller, claude: ClaudeCli) -> Iterator[Terminal]:
    """A terminal in which Claude Code has begun, in the mode that asks."""
    known = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    answers = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [claude.env["ANTHROPIC_API_KEY"][-20:]], "rejected": []},
        "projects": {str(claude.cwd): known},
    }
    (Path(claude.env["HOME"]) / ".claude.json").write_text(json.dumps(answers))
    words, binary = ["--permission-mode", "default"], (str(claude.binary),)
    with terminal(words, claude.env, claude.cwd, (40, 120), binary) as screen:
        until(caller.state_dir, "session.opened")
        yield screen


@pytest.fixture
def caller(terminal: Caller, daemon_env: dict[str, str], project: Path) -> Caller:
    """Who asks the daemon; our hooks are in the settings of the person."""
    assert terminal.pid
    done = command_line("hooks", "install", env=daemon_env, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    return terminal


def seen(caller: Caller, found: Callable[[Json], bool]) -> Json:
    """Return the person's session with its tree once it is as wanted."""
    deadline = time.monotonic() + BOUND_S
    while True:
        (session,) = caller.call("activity.sessions")["items"]
        reply: Json = caller.call("activity.tree", session_id=session["id"])
        if found(reply):
            return reply
        assert time.monotonic() < deadline, reply["activity_tree"]["root_task"]
        time.sleep(0.05)


def calls(reply: Mapping[str, Any]) -> list[Json]:
    """Return the tool calls of the main thread in order."""
    turns = reply["activity_tree"]["root_task"]["children"]
    return [call for turn in turns for call in turn["children"] if call["type"] == "tool_call"]


def test_a_persons_waits_answers_and_leaving_are_exact(person: Terminal, caller: Caller) -> None:
    for number, (answer, shown) in enumerate((("\r", "Touched."), ("\x1b", "nterrupted"))):
        person.press("[s:touch]")
        person.expect("[s:touch]")
        person.press("\r")
        person.expect("proceed?")
        asked = [
            row for row in until(caller.state_dir, "approval.asked", number + 1) if row["kind"] == "approval.asked"
        ]
        waiting = seen(caller, lambda reply: reply["session"]["waiting_for"] != "")
        assert "Bash" in waiting["session"]["waiting_for"]
        assert calls(waiting)[-1]["status"] == "waiting"
        assert len(asked) == number + 1
        person.insist(answer, shown)
        seen(caller, lambda reply: reply["session"]["waiting_for"] == "")
    person.press("/exit")
    person.expect("/exit")
    person.press("\r")
    assert person.end() == 0
    until(caller.state_dir, "session.closed")
    gone = seen(caller, lambda reply: not reply["session"]["live"])
    assert [call["status"] for call in calls(gone)] == ["completed", "denied"]
    waited_ms = [sum(question["duration_ms"] for question in call["children"]) for call in calls(gone)]
    assert all(0 < waited <= call["duration_ms"] for waited, call in zip(waited_ms, calls(gone), strict=True))
    assert abs(gone["session"]["times"]["person_ms"] - sum(waited_ms)) <= 2
    ran_ms = hooked(caller.state_dir, "tool.finished")[0]["payload"]["ran_ms"]
    assert waited_ms[0] + ran_ms <= calls(gone)[0]["duration_ms"] + 50
