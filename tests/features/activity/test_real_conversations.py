"""Conversations of the real Claude Code that do not simply end: three sources of each are one tree."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.features.activity.three_sources import Skeleton, assert_one_tree, hook_settings, streamed_lines, told_of
from tests.support.claude_cli import ClaudeCli, Talk, blocks

pytestmark = pytest.mark.e2e
ECHO = """
from mcp.server import MCPServer
server = MCPServer("t")

@server.tool()
def echo() -> str:
    return "echoed"

@server.tool()
def break_down() -> str:
    raise RuntimeError("broken")

server.run()
"""


def seen(
    claude: ClaudeCli,
    tmp_path: Path,
    what: Callable[[Talk], None],
    *args: str,
    how: str = "session_end",
    unseen: tuple[str, ...] = (),
) -> Skeleton:
    """Have a conversation of which all three sources tell, and return the one tree that they give."""
    out = tmp_path / "hooks.txt"
    with claude.talk("--settings", hook_settings(), *args, env={"OUT": str(out)}) as talk:
        what(talk)
        if talk.process.poll() is None:
            assert talk.end() == 0
    return assert_one_tree(told_of(claude, talk.lines, out), how, unseen)


def calls(tree: Skeleton) -> list[tuple[str, str, str]]:
    """Return type, name and status of all that is no turn, in any depth."""
    kind, name, status, children = tree
    own = [] if kind in ("session", "task") else [(kind, name, status)]
    return own + [one for child in children for one in calls(child)]


def turns(tree: Skeleton) -> list[str]:
    """Return how the turns ended."""
    return sorted(status for kind, _, status, _ in tree[3] if kind == "task")


def transcripts(claude: ClaudeCli) -> list[Path]:
    """Return the transcripts that there are."""
    return list((Path(claude.env["HOME"]) / ".claude" / "projects").glob("*/*.jsonl"))


def until(there: Callable[[], bool]) -> None:
    """Wait until something is there."""
    deadline = time.monotonic() + 20
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_interrupt_is_one_interrupted_turn_with_its_call(claude: ClaudeCli, tmp_path: Path) -> None:
    def talk_over(talk: Talk) -> None:
        talk.say("[s:bash:touch began; sleep 30]")
        until((claude.cwd / "began").exists)
        talk.control("stop", subtype="interrupt")
        talk.until_a("result")
        talk.say("[s:tool]")
        talk.until_a("result")

    # No hook tells of it: the turn ends with the next prompt.
    tree = seen(claude, tmp_path, talk_over, "--allowedTools", "Bash", unseen=("hook",))
    assert turns(tree) == ["completed", "interrupted"]


def test_a_compaction_is_in_the_turn_that_asked_for_it(claude: ClaudeCli, tmp_path: Path) -> None:
    def talk_over(talk: Talk) -> None:
        for prompt in ("[s:tool]", "/compact", "[s:parallel]"):
            talk.say(prompt)
            talk.until_a("result")

    tree = seen(claude, tmp_path, talk_over)
    assert [name for kind, name, _ in calls(tree) if kind == "compaction"] == ["Compaction"]


def test_a_crash_leaves_its_call_abandoned(claude: ClaudeCli, tmp_path: Path) -> None:
    def talk_over(talk: Talk) -> None:
        talk.say("[s:tool]")
        talk.until_a("result")
        talk.say("[s:bash:touch began; until test -e go; do sleep 0.1; done; touch ended]")
        talk.until(lambda line: bool(blocks([line], "tool_use")))
        until((claude.cwd / "began").exists)
        until(lambda: "touch began" in "".join(path.read_text() for path in transcripts(claude)))
        os.kill(talk.process.pid, signal.SIGKILL)
        talk.process.wait(60)
        (claude.cwd / "go").touch()
        until((claude.cwd / "ended").exists)

    tree = seen(claude, tmp_path, talk_over, "--allowedTools", "Bash", how="process_death")
    assert sorted(status for *_, status in calls(tree)) == ["abandoned", "completed"]


def test_calls_of_an_mcp_server_succeed_and_fail(claude: ClaudeCli, tmp_path: Path) -> None:
    server = tmp_path / "server.py"
    server.write_text(ECHO)
    config = {"mcpServers": {"t": {"type": "stdio", "command": sys.executable, "args": [str(server)]}}}

    def talk_over(talk: Talk) -> None:
        for prompt in ("[s:mcp]", "[s:mcp:t__break_down]"):
            talk.say(prompt)
            talk.until_a("result")

    args = ("--strict-mcp-config", "--mcp-config", json.dumps(config), "--allowedTools=mcp__t")
    tree = seen(claude, tmp_path, talk_over, *args)
    assert sorted(status for kind, _, status in calls(tree) if kind == "mcp_call") == ["completed", "failed"]


def test_a_background_shell_runs_on_and_ends_or_is_stopped(claude: ClaudeCli, tmp_path: Path) -> None:
    def talk_over(talk: Talk) -> None:
        talk.say("[s:background-long]")
        talk.until_a("result")
        (claude.cwd / "go").touch()
        talk.until_a("result")
        (claude.cwd / "go").unlink()
        talk.say("[s:background-stop]")
        talk.until_a("result")

    tree = seen(claude, tmp_path, talk_over, "--allowedTools", "Bash")
    assert calls(tree)


@pytest.mark.parametrize("scenario", ["touch", "write", "touch-two"])
def test_a_person_denies_one_call_and_allows_the_next(claude: ClaudeCli, tmp_path: Path, scenario: str) -> None:
    def talk_over(talk: Talk) -> None:
        for answer in ("deny", "allow"):
            talk.say(f"[s:{scenario}]")
            while True:
                line = talk.until(lambda line: line["type"] in ("control_request", "result"))
                if line["type"] == "result":
                    break
                given = line["request"].get("input", {})
                told = {"message": "no"} if answer == "deny" else {"updatedInput": given}
                talk.answer(line["request_id"], {"behavior": answer, **told})

    tree = seen(claude, tmp_path, talk_over)
    assert {status for *_, status in calls(tree)} == {"completed", "denied"}


def test_two_processes_at_once_on_one_session_keep_their_calls(claude: ClaudeCli, tmp_path: Path) -> None:
    out = tmp_path / "hooks.txt"
    args, env = ("--settings", hook_settings(), "--allowedTools", "Bash"), {"OUT": str(out)}
    first = claude.run("[s:hi]", *args, env=env)
    session = str(first.result["session_id"])
    with (
        claude.talk("--resume", session, *args, env=env) as one,
        claude.talk("--resume", session, *args, env=env) as other,
    ):
        for talk, name in ((one, "one"), (other, "other")):
            talk.say(f"[s:bash:touch {name}; until test -e go; do sleep 0.1; done]")
        until(lambda: (claude.cwd / "one").exists() and (claude.cwd / "other").exists())
        (claude.cwd / "go").touch()
        for talk in (one, other):
            talk.until_a("result")
            talk.say("[s:parallel]")
        for talk in (one, other):
            talk.until_a("result")
            assert talk.end() == 0
    told = told_of(claude, first.lines, out)
    told["stream"] = [
        event
        for lines, run in ((first.lines, "first"), (one.lines, "one"), (other.lines, "other"))
        for event in streamed_lines(lines, run)
    ]
    tree = assert_one_tree(told)
    assert [len(turn[3]) for turn in tree[3]] == [0, 1, 1, 2, 2]
