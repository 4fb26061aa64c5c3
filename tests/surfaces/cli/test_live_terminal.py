"""The live view on a real terminal: approvals by key, Ctrl-C, messages, an editor; the terminal is left in order."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.cli.fake_session import ASKED, SESSION, FakeSession
from tests.surfaces.cli.rpc_server import Send, serving
from tests.surfaces.cli.terminal import Terminal, terminal


@pytest.fixture
def session(state: Path) -> Iterator[FakeSession]:
    fake = FakeSession()
    with serving(state, fake.handle):
        yield fake


def attached(state: Path, *more: str, editor: str = "false") -> AbstractContextManager[Terminal]:
    env = {"HOME": str(state), "EDITOR": editor}
    return terminal(["--state-dir", str(state), "attach", SESSION, *more], env, state)


def test_yes_allows_what_is_asked_and_the_end_says_what_to_type_next(session: FakeSession, state: Path) -> None:
    session.push("tool.started", {"name": "Bash", "summary": "touch x"}, tool_use_id="t1")
    session.ask()
    with attached(state) as screen:
        screen.expect("$ touch x")
        screen.expect("description: make it")
        screen.expect("Allow Bash?   y yes   n no   a always   e edit   v view all")
        screen.expect("always means: allow Bash(touch *) (localSettings)")
        screen.press("y")
        session.wait_for("answers")
        screen.expect("allowed  Bash  by cli")
        session.push("tool.finished", {"name": "Bash", "output": "made\x1b[31m", "duration_ms": 1200}, tool_use_id="t1")
        screen.expect("✓ Bash  touch x  1.2s")
        screen.expect("│ made␛[31m")
        session.rest()
        screen.expect("✓ done")
        screen.expect(f"claude-code-mcp resume {SESSION} 'what next'")
        assert screen.end() == 0
        assert screen.echoes()
    assert session.answers == [{"approval_id": "a1", "decision": "allow"}]


def test_no_takes_a_reason(session: FakeSession, state: Path) -> None:
    session.ask()
    with attached(state) as screen:
        screen.expect("Allow Bash?")
        screen.press("n")
        screen.expect("Why not?")
        screen.press("usx\x7fe make\n")
        session.wait_for("answers")
        session.rest()
        assert screen.end() == 0
    assert session.answers == [{"approval_id": "a1", "decision": "deny", "message": "use make"}]


def test_always_takes_the_suggested_rule(session: FakeSession, state: Path) -> None:
    session.ask()
    with attached(state) as screen:
        screen.expect("a always")
        screen.press("a")
        session.wait_for("answers")
        session.rest()
        assert screen.end() == 0
    assert session.answers == [{"approval_id": "a1", "decision": "always"}]


def test_the_input_can_be_edited_before_it_is_allowed(session: FakeSession, state: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/touch/date/ "$1"\n')
    editor.chmod(0o755)
    session.ask()
    with attached(state, editor=str(editor)) as screen:
        screen.expect("Allow Bash?")
        screen.press("e")
        session.wait_for("answers")
        session.rest()
        assert screen.end() == 0
        assert screen.echoes()
    assert session.answers == [
        {"approval_id": "a1", "decision": "allow", "input": {"command": "date x", "description": "make it"}}
    ]


def test_an_edit_that_is_no_json_leaves_the_question_open(session: FakeSession, state: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "no json" > "$1"\n')
    editor.chmod(0o755)
    session.ask()
    with attached(state, editor=str(editor)) as screen:
        screen.expect("Allow Bash?")
        screen.press("e")
        screen.expect("not JSON")
        screen.expect("Allow Bash?")
        screen.press("y")
        session.wait_for("answers")
        session.rest()
        assert screen.end() == 0
    assert session.answers == [{"approval_id": "a1", "decision": "allow"}]


def test_a_question_is_answered_by_number(session: FakeSession, state: Path) -> None:
    asked = {
        "questions": [
            {"question": "Which colour?", "options": [{"label": "Red", "description": "r"}, {"label": "Blue"}]},
            {"question": "Which sizes?", "multiSelect": True, "options": [{"label": "S"}, {"label": "L"}]},
        ]
    }
    session.ask({**ASKED, "kind": "question", "tool": "AskUserQuestion", "input": asked, "rules": []})
    with attached(state) as screen:
        screen.expect("Which colour?")
        screen.expect("  2  Blue")
        screen.press("2")
        screen.expect("Which sizes?")
        screen.press("12")
        screen.expect("2  ◉ L")
        screen.press("\n")
        session.wait_for("answers")
        session.rest()
        assert screen.end() == 0
    answers = {"Which colour?": "Blue", "Which sizes?": "S, L"}
    assert session.answers == [{"approval_id": "a1", "decision": "allow", "answers": answers}]


def test_a_plan_is_shown_before_it_is_carried_out(session: FakeSession, state: Path) -> None:
    session.ask({**ASKED, "kind": "plan", "tool": "ExitPlanMode", "input": {"plan": "1. dig\n2. sow"}, "rules": []})
    with attached(state) as screen:
        screen.expect("1. dig")
        screen.expect("Carry out this plan?   y yes   n no   v view all")
        screen.press("y")
        session.wait_for("answers")
        session.rest()
        assert screen.end() == 0


def test_an_answer_given_elsewhere_closes_the_dialog(session: FakeSession, state: Path) -> None:
    session.ask()
    with attached(state) as screen:
        screen.expect("Allow Bash?")
        session.approvals.clear()
        session.status = "running"
        session.push("approval.answered", {"decision": "deny", "by": "another client", "tool": "Bash"})
        screen.expect("by another client")
        screen.expect("running")
        session.rest()
        assert screen.end() == 0
    assert session.answers == []


def test_an_answer_that_is_refused_is_told_and_asked_again(session: FakeSession, state: Path) -> None:
    session.refuse_answers = 1
    session.ask()
    with attached(state) as screen:
        screen.expect("Allow Bash?")
        screen.press("y")
        screen.expect("It does not fit. (bad_answer)")
        screen.expect("Allow Bash?")
        screen.press("y")
        session.wait_for("answers")
        session.rest()
        assert screen.end() == 0


def test_ctrl_c_offers_to_leave_and_detaching_lets_the_session_go_on(session: FakeSession, state: Path) -> None:
    with attached(state) as screen:
        screen.expect("Ctrl-C leave")
        screen.press("\x03")
        screen.expect("d detach, it goes on without you   i interrupt this turn   s stop the session")
        screen.press("d")
        screen.expect("The session goes on without you (running).")
        screen.expect(f"claude-code-mcp attach {SESSION}")
        assert screen.end() == 0
        assert screen.echoes()
    assert session.aborted == []


def test_ctrl_c_twice_detaches_at_once(session: FakeSession, state: Path) -> None:
    with attached(state) as screen:
        screen.expect("Ctrl-C leave")
        screen.press("\x03")
        screen.expect("Ctrl-C again detaches at once.")
        screen.press("\x03")
        screen.expect("The session goes on without you")
        assert screen.end() == 130
        assert screen.echoes()


@pytest.mark.parametrize(("key", "mode"), [("i", "interrupt"), ("s", "stop")])
def test_ctrl_c_can_interrupt_and_stop(session: FakeSession, state: Path, key: str, mode: str) -> None:
    with attached(state) as screen:
        screen.expect("Ctrl-C leave")
        screen.press("\x03")
        screen.expect("d detach")
        screen.press(key)
        session.wait_for("aborted")
        assert screen.end() == 130
    assert session.aborted == [mode]


def test_a_message_can_be_sent_while_it_runs(session: FakeSession, state: Path) -> None:
    with attached(state) as screen:
        screen.expect("m message")
        screen.press("m")
        screen.expect("Message (Enter sends")
        screen.press("faster ä\n")
        session.wait_for("sent")
        session.rest()
        assert screen.end() == 0
    assert session.sent == ["faster ä"]


def test_a_daemon_that_was_restarted_is_followed_on(session: FakeSession, state: Path) -> None:
    session.push("message.said", {"role": "assistant", "text": "before"})
    session.deaths = 2
    with attached(state) as screen:
        screen.expect("the daemon was restarted  following on")
        screen.expect("before")
        session.push("message.said", {"role": "assistant", "text": "after"})
        screen.expect("after")
        session.rest()
        assert screen.end() == 0
        assert screen.text.count("● before") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_in_order(session: FakeSession, state: Path, number: int) -> None:
    with attached(state) as screen:
        screen.expect("Ctrl-C leave")
        os.kill(screen.process.pid, number)
        assert screen.end() == 128 + number
        assert screen.echoes()


def test_an_interrupted_change_says_that_it_goes_on(state: Path) -> None:
    async def never(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        await send({"progress": {"done_s": 3, "message": "Claude thinks"}})
        await server.forever.wait()
        return {}

    with serving(state, never) as server:
        with terminal(["--state-dir", str(state), "ask", "x"], {"HOME": str(state)}, state) as screen:
            screen.expect("3s Claude thinks")
            screen.press("\x03")
            screen.expect("Interrupted; what was begun goes on.")
            assert screen.end() == 130
        assert server.was_cancelled.wait(60)
