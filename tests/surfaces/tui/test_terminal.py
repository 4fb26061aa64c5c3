"""The real `watch` on a real terminal: it takes the screen, and gives the terminal back in every case."""

import os
import signal
import struct
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest

from tests.surfaces.cli.terminal import Terminal, terminal
from tests.surfaces.tui.behind_socket import served
from tests.surfaces.tui.stories import one_session

SMALL = (24, 80)


@pytest.fixture
def env(state: Path) -> dict[str, str]:
    return {"HOME": str(state), "CLAUDE_CODE_MCP_HOME": str(state)}


def given_back(screen: Terminal) -> bool:
    return screen.echoes() and b"\x1b[?1049l" in screen._raw


def test_it_shows_everything_and_leaves_the_terminal_in_order(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    with served(state, one_session()), terminal(["watch"], env, tmp_path, SMALL) as screen:
        screen.expect("3 live")
        screen.expect("waits: Bash")
        screen.expect("make test")
        assert not screen.echoes()
        screen.press("q")
        assert screen.end() == 0
        assert given_back(screen)


def test_a_question_is_answered_on_the_terminal(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    link = one_session()
    with served(state, link), terminal(["watch"], env, tmp_path, SMALL) as screen:
        screen.expect("waits for approval")
        screen.press("w")
        screen.press("a")
        screen.expect("$ rm -rf build")
        screen.expect("Allow Bash?")
        screen.press("y")
        screen.expect("Bash: allowed.")
        screen.press("q")
        assert screen.end() == 0
    assert link.of("approvals.answer") == [{"approval_id": "ap1", "decision": "allow"}]


def test_an_input_is_changed_in_the_persons_editor(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    link = one_session()
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/rm -rf build/rm -rf build\\/old/' \"$1\"\n")
    editor.chmod(0o755)
    with (
        served(state, link),
        terminal(["watch"], {**env, "EDITOR": str(editor), "VISUAL": str(editor)}, tmp_path, SMALL) as screen,
    ):
        screen.expect("waits for approval")
        screen.press("a")
        screen.expect("Allow Bash?")
        screen.press("e")
        screen.expect("Bash: allowed.")
        screen.press("q")
        assert screen.end() == 0
    (answer,) = link.of("approvals.answer")
    assert answer["input"] == {"command": "rm -rf build/old", "description": "make room"}


def test_what_is_typed_in_one_go_is_searched_for(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    with served(state, one_session()), terminal(["watch"], env, tmp_path, SMALL) as screen:
        screen.expect("make test")
        screen.press("/text stop\r")
        screen.expect("Nothing in this tree has that.")
        screen.press("/src/auth\r")
        screen.expect("2 found; n and N go on.")
        screen.press("q")
        assert screen.end() == 0


def test_ctrl_c_ends_it(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    with served(state, one_session()), terminal(["watch"], env, tmp_path, SMALL) as screen:
        screen.expect("3 live")
        screen.press("\x03")
        assert screen.end() == 0
        assert given_back(screen)


def test_a_terminated_watch_gives_the_terminal_back(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    with served(state, one_session()), terminal(["watch"], env, tmp_path, SMALL) as screen:
        screen.expect("3 live")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.end() == 143
        assert given_back(screen)


def test_the_transcript_goes_to_the_persons_pager_and_back(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    link = one_session()
    link.transcript = "said \x1b]0;evil\x07"
    pager = tmp_path / "my pager"
    pager.write_text('#!/bin/sh\necho "PAGER HAS:"; cat "$1"; read answer\n')
    pager.chmod(0o755)
    with (
        served(state, link),
        terminal(["watch"], {**env, "PAGER": f"'{pager}'"}, tmp_path, SMALL) as screen,
    ):
        screen.expect("make test")
        screen.press("t")
        screen.expect("PAGER HAS:")
        screen.expect("said ␛]0;evil␇")
        screen.press("\r")
        screen.expect("make test")
        screen.press("q")
        assert screen.end() == 0


def test_a_resize_is_followed(env: dict[str, str], state: Path, tmp_path: Path) -> None:
    with served(state, one_session()), terminal(["watch"], env, tmp_path, SMALL) as screen:
        screen.expect("3 live")
        ioctl(screen._master, TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.kill(screen.process.pid, signal.SIGWINCH)
        screen.expect("look for secrets (3.4s)")
        screen.press("q")
        assert screen.end() == 0


@pytest.mark.parametrize(
    ("more", "argv", "sign"),
    [
        ({}, [], "🔧 Bash make test"),
        ({}, ["--no-emoji"], "└─ Bash make test"),
        ({"LC_ALL": "C"}, [], "`- Bash make test"),
    ],
    ids=["emoji", "no-emoji", "C"],
)
def test_signs_are_those_that_the_terminal_has(
    more: dict[str, str], argv: list[str], sign: str, env: dict[str, str], state: Path, tmp_path: Path
) -> None:
    with served(state, one_session()), terminal(["watch", *argv], {**env, **more}, tmp_path, SMALL) as screen:
        screen.expect(sign)
        if more:
            assert screen.text.isascii()
        screen.press("q")
        assert screen.end() == 0


def test_no_daemon_that_can_be_had_is_said_before_the_screen_is_taken(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    env = {"HOME": str(tmp_path), "CLAUDE_CODE_MCP_HOME": str(place)}
    with terminal(["watch"], env, tmp_path, SMALL) as screen:
        assert screen.end() == 6
        assert "error: " in screen.text
        assert b"\x1b[?1049h" not in screen._raw
