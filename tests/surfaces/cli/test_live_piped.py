"""The live commands without a terminal: one line an event, one JSON object, and never a question to nobody."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.surfaces.cli.conftest import Cli, Ran
from tests.surfaces.cli.fake_session import ASKED, SESSION, FakeSession
from tests.surfaces.cli.recordings import recorded
from tests.surfaces.cli.rpc_server import serving


@pytest.fixture
def session(state: Path) -> Iterator[FakeSession]:
    fake = FakeSession()
    with serving(state, fake.handle):
        yield fake


def play(session: FakeSession, name: str) -> None:
    for event in recorded(name):
        more = {key: event[key] for key in ("tool_use_id", "parent", "agent_id")}
        session.push(event["kind"], event["payload"], **more)


def meanwhile(session: FakeSession, act: Callable[[], None]) -> None:
    """Do `act` beside the command; where it fails the session fails, so that the command ends too."""

    def run() -> None:
        try:
            act()
        except AssertionError:
            session.rest("failed")

    threading.Thread(target=run).start()


def test_a_run_is_one_line_for_each_event_then_the_answer_and_what_to_type_next(
    cli: Cli, session: FakeSession, tmp_path: Path
) -> None:
    play(session, "subagent-agent-fg")
    session.rest(answer="Agent finished\nfg.")
    ran = cli("run", "do it", "-C", str(tmp_path), "--model", "opus")
    assert ran == Ran(
        0,
        f"""\
note: the project's hooks were left out
· claude-opus-5-5 · mode default · /home/dev/code/proj
● Delegating fg.
◆ general-purpose sub work
  ▸ Bash echo hello-from-tool
  ✓ Bash echo hello-from-tool (0.1s)
✓ general-purpose sub work (0.2s, 1 tool)
● Agent finished fg.
■ turn 1 2 model calls, 0.4s, $0.0055

Agent finished
fg.

✓ done  1 tool, 1 subagent, 600 tokens in, 168 out, $0.0055, 0.4s
   session {SESSION}
   next  claude-code-mcp resume {SESSION} 'what next'
   next  claude-code-mcp sessions status {SESSION}
""",
        "",
    )
    assert session.started == [{"prompt": "do it", "project_path": str(tmp_path), "model": "opus"}]


def test_where_nobody_can_answer_it_says_what_waits_and_how_to_answer(cli: Cli, session: FakeSession) -> None:
    session.ask()

    def answer_elsewhere() -> None:
        session.wait_for("listed")
        session.approvals.clear()
        session.rest()

    meanwhile(session, answer_elsewhere)
    ran = cli("attach", SESSION)
    assert ran.code == 0
    assert ran.out.startswith(
        "? Bash touch x\n"
        "  $ touch x\n"
        "  description: make it\n"
        "  answer with: claude-code-mcp approvals answer a1 allow   or: claude-code-mcp approvals answer a1 deny\n"
    )


def test_yes_answers_by_itself(cli: Cli, session: FakeSession) -> None:
    session.ask()

    def then_rest() -> None:
        session.wait_for("answers")
        session.rest()

    meanwhile(session, then_rest)
    ran = cli("attach", SESSION, "--yes")
    assert ran.code == 0
    assert "· allowed Bash (by cli)\n" in ran.out
    assert session.answers == [{"approval_id": "a1", "decision": "allow"}]


def test_yes_takes_the_first_answer_of_a_question(cli: Cli, session: FakeSession) -> None:
    asked = {"questions": [{"question": "Which?", "options": [{"label": "A"}, {"label": "B"}]}]}
    session.ask({**ASKED, "kind": "question", "tool": "AskUserQuestion", "input": asked, "rules": []})

    def then_rest() -> None:
        session.wait_for("answers")
        session.rest()

    meanwhile(session, then_rest)
    assert cli("attach", SESSION, "-y").code == 0
    assert session.answers == [{"approval_id": "a1", "decision": "allow", "answers": {"Which?": "A"}}]


def test_json_is_one_object_and_what_waits_goes_to_standard_error(cli: Cli, session: FakeSession) -> None:
    session.ask()

    def answer_elsewhere() -> None:
        session.wait_for("listed")
        session.approvals.clear()
        session.rest()

    meanwhile(session, answer_elsewhere)
    ran = cli("run", "x", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "session_id": SESSION,
        "run_id": "r1",
        "status": "idle",
        "cursor": 2,
        "left": "",
        "outcome": {"ok": True, "subtype": "success", "answer": "All done.", "errors": []},
        "needs": [],
    }
    assert "approvals answer a1 allow" in ran.err


def test_an_answer_that_is_an_error_exits_with_ten(cli: Cli, session: FakeSession) -> None:
    session.rest(ok=False, subtype="error_max_turns", errors=["Reached maximum number of turns (2)"])
    ran = cli("run", "x")
    assert ran.code == 10
    assert "✗ error_max_turns: Reached maximum number of turns (2)" in ran.out


def test_a_session_that_failed_exits_with_ten(cli: Cli, session: FakeSession) -> None:
    session.push("session.failed", {"code": "binary_not_found", "message": "There is no claude."})
    session.rest("failed")
    ran = cli("run", "x")
    assert ran.code == 10
    assert "✗ failed binary_not_found · There is no claude." in ran.out


def test_detach_prints_the_handle_and_leaves(cli: Cli, session: FakeSession) -> None:
    assert cli("run", "x", "--detach") == Ran(0, "told\n", "")
    ran = cli("run", "x", "--detach", "--json")
    assert json.loads(ran.out)["session_id"] == SESSION


def test_the_prompt_may_come_from_standard_input(cli: Cli, session: FakeSession) -> None:
    session.rest()
    assert cli("run", "-", stdin=b"long\nprompt").code == 0
    assert session.started == [{"prompt": "long\nprompt"}]


def test_a_session_is_resumed_live(cli: Cli, session: FakeSession) -> None:
    session.rest()
    assert cli("resume", SESSION, "go on").code == 0
    assert session.started == [{"session_id": SESSION, "prompt": "go on"}]


def test_a_message_that_is_not_taken_up_yet_is_waited_for(cli: Cli, session: FakeSession) -> None:
    session.status = "idle"

    def take_it_up() -> None:
        session.wait_for("waits", 2)
        session.push("message.said", {"role": "assistant", "text": "Here I am."})
        session.rest()

    meanwhile(session, take_it_up)
    assert "● Here I am." in cli("resume", SESSION, "go on").out


def test_attach_can_leave_out_what_is_over(cli: Cli, session: FakeSession) -> None:
    session.push("message.said", {"role": "assistant", "text": "old news"})
    session.rest()
    assert "old news" in cli("attach", SESSION).out
    assert "old news" not in cli("attach", SESSION, "--new").out


def test_idle_with_background_work_is_not_the_end(cli: Cli, session: FakeSession) -> None:
    session.push("background.changed", {"tasks": [{"task_id": "b1", "description": "server"}]})
    session.rest()

    def end_it() -> None:
        session.wait_for("waits", 2)
        session.push("background.changed", {"tasks": []})

    meanwhile(session, end_it)
    assert cli("attach", SESSION).code == 0
    assert len(session.waits) == 2


def test_a_daemon_that_dies_at_each_start_is_given_up(cli: Cli, session: FakeSession) -> None:
    session.deaths = 100
    ran = cli("attach", SESSION)
    assert ran.code == 6
    assert "The daemon ends again and again. The session goes on." in ran.err


def test_a_picture_is_drawn_by_the_same_hand(cli: Cli, session: FakeSession, tmp_path: Path) -> None:
    play(session, "basic-tool-turn")
    session.rest()
    assert cli("run", "x", "--svg", str(tmp_path / "a.svg")).code == 0
    picture = (tmp_path / "a.svg").read_text()
    assert picture.startswith("<svg")
    assert "echo&#160;hello-from-tool" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
