"""`watch` in a pipe, and `tree`: lines and records of the real program, a fake daemon behind a real socket."""

import json
import signal
from pathlib import Path

from tests.surfaces.tui.behind_socket import program, served
from tests.surfaces.tui.fake_link import FakeLink, session
from tests.surfaces.tui.stories import one_session


def two() -> FakeLink:
    link = FakeLink()
    link.sessions = [session(1), session(2, project_path="/home/dev/shop")]
    first, second = (one["id"] for one in link.sessions)
    link.put(first, "t1", "🔄 Task: Do thing 1")
    link.put(first, "t1n1", "  ├─ 🔧 Bash make (1.2s) ✅")
    link.put(second, "t2", "🔄 Task: \x1b[31mred\u202e")
    return link


def test_in_a_pipe_each_session_has_its_lines_under_its_name_with_nothing_acting(state: Path) -> None:
    link = two()
    with served(state, link), program(state, "watch", "--once") as running:
        code, out, err = running.end()
    first, second = (one["id"] for one in link.sessions)
    assert (code, err) == (0, "")
    assert out == (
        f"== app1 · Do thing 1 ({first})\n🔄 Task: Do thing 1\n  ├─ 🔧 Bash make (1.2s) ✅\n"
        f"== shop · Do thing 2 ({second})\n🔄 Task: ␛[31mred<U+202E>\n"
    )


def test_with_json_each_line_is_an_update_record(state: Path) -> None:
    link = two()
    with served(state, link), program(state, "watch", "--once", "--json") as running:
        code, out, _ = running.end()
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(one["display_action"], one["line_id"]) for one in records] == [
        ("append", "t1"),
        ("append", "t1n1"),
        ("append", "t2"),
    ]
    assert records[2]["formatted_line"] == "🔄 Task: \x1b[31mred\u202e"
    assert "\x1b" not in out


def test_lines_come_as_things_happen_and_only_when_they_change(state: Path) -> None:
    link = two()
    first = link.sessions[0]["id"]
    with served(state, link) as daemon, program(state, "watch", "--plain", "--session", first) as running:
        running.lines(2)
        daemon.do(lambda: link.put(first, "t1n2", "  └─ 🔧 Edit (running...) 🔄"))
        assert running.lines(3)[2] == "  └─ 🔧 Edit (running...) 🔄"
        daemon.do(lambda: link.put(first, "t1n2", "  └─ 🔧 Edit (1.0s) ✅", "update"))
        assert running.lines(4)[3] == "  └─ 🔧 Edit (1.0s) ✅"
        running.process.send_signal(signal.SIGINT)
        code, out, err = running.end()
    assert (code, err) == (130, "")
    assert len(out.splitlines()) == 4


def test_a_session_that_begins_later_is_followed_too(state: Path) -> None:
    link = two()
    with served(state, link) as daemon, program(state, "watch") as running:
        running.lines(5)
        new = session(3)
        link.sessions.append(new)
        daemon.do(lambda: link.put(new["id"], "t3", "🔄 Task: new"))
        assert running.lines(7)[5:] == [f"== app3 · Do thing 3 ({new['id']})", "🔄 Task: new"]


def test_a_daemon_that_dies_is_followed_on_and_nothing_is_told_twice(state: Path) -> None:
    link = two()
    first = link.sessions[0]["id"]
    with served(state, link) as daemon, program(state, "watch", "--session", first) as running:
        running.lines(2)
        daemon.do(link.die)
        daemon.do(lambda: link.put(first, "t1n2", "  └─ after"))
        assert running.lines(3)[2] == "  └─ after"
        running.process.send_signal(signal.SIGINT)
        code, out, err = running.end()
    assert (code, err) == (130, "the daemon was restarted; following on\n")
    assert len(out.splitlines()) == 3


def test_a_reader_that_goes_away_ends_it_at_once_though_nothing_happens(state: Path) -> None:
    with served(state, two()), program(state, "watch") as running:
        running.lines(5)
        running.hang_up()
        assert running.process.wait(30) == 141


def test_a_session_that_is_not_there_is_an_error_with_its_code(state: Path) -> None:
    with served(state, two()), program(state, "watch", "--once", "--session", "ffff") as running:
        code, out, err = running.end()
    assert (code, out) == (3, "")
    assert err == "error: No such session was seen. (activity_not_found)\n"


def test_without_emoji_the_daemon_is_asked_for_text(state: Path) -> None:
    with served(state, two()), program(state, "watch", "--once", "--no-emoji") as running:
        assert "(text) 🔄 Task: Do thing 1" in running.end()[1]


def test_only_the_sessions_of_a_project_are_asked_for(state: Path, tmp_path: Path) -> None:
    link = two()
    with served(state, link), program(state, "watch", "--once", "--project", str(tmp_path)) as running:
        assert running.end()[0] == 0
    assert link.of("activity.sessions")[0]["project_path"] == str(tmp_path)


def test_tree_prints_the_tree_once(state: Path) -> None:
    link = one_session()
    session_id = link.sessions[1]["id"]
    with served(state, link), program(state, "tree", session_id, "--depth", "3", "--no-completed") as running:
        code, out, err = running.end()
    assert (code, err) == (0, "")
    assert (
        out
        == f"""\
shop  Do thing 2  {session_id}
├─ 📋 Task: Add a greeting (1m10s) ✅
│  ├─ 📁 Read src/auth.py (245ms) ✅
│  ├─ 🔧 Edit src/auth.py (1.2s) ✅
│  ├─ 📡 MCP: database/query → users table (890ms) ✅
│  └─ 🔧 Bash make test (1m02s) ⚠ ❌
│       Exit code 2
│       1 test failed
│       [red]no markup[/red]
└─ 🔄 Task: Clean up (9.0s) 🔄
   ├─ 🤖 Subagent: security_review look for secrets (3.4s) 🔄
   │  └─ 📁 Grep password (80ms) ✅
   └─ 🔧 Bash rm -rf build (5.0s) ✋
      └─ ✋ Bash · waits for approval (245ms) ✋
"""
    )
    assert link.of("activity.tree") == [{"include_completed": False, "session_id": session_id, "max_depth": 3}]


def test_tree_has_an_ascii_and_a_json_form(state: Path) -> None:
    link = one_session()
    session_id = link.sessions[1]["id"]
    with served(state, link):
        with program(state, "tree", session_id, "--no-emoji") as running:
            assert "│  └─ Bash make test (1m02s) ! ✗\n" in running.end()[1]
        with program(state, "tree", session_id, "--json") as running:
            reply = json.loads(running.end()[1])
    assert reply["activity_tree"]["root_task"]["children"][0]["name"] == "Add a greeting"
