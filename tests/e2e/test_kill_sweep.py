"""kill -9 of the daemon at any step of a session's life, on the real Claude Code: the log tells the same story.

More seeds: CLAUDE_CODE_MCP_SWEEP_SEEDS=200; some of them: CLAUDE_CODE_MCP_SWEEP_SEEDS=17-19.
"""

import difflib
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import CallFailed, Terminal
from tests.support.sweeping import Fates, Played, Story, mortal, plays, story

pytestmark = pytest.mark.e2e

KILLS = 10
NAMES = ("play-1", "play-2", "play-3")
START = (
    "after commit:1",  # there is no store yet: this is in the middle of making it
    "before mkfifo:1",  # accepted and noted; the run's directory is half made
    "after mkfifo:1",
    "after rename:1",  # whole, and nothing was started
    "before spawn:1",  # of the process that starts runs
    "after spawn:1",
    "before write:5",  # of the order to start
    "after write:5",
    "before commit:4",
    "after commit:4",
    "before write:3",  # of our first lines to Claude Code
    "after write:3",
    "after write:4",
    "after commit:3",
)


def seeds() -> range:
    first, _, last = os.environ.get("CLAUDE_CODE_MCP_SWEEP_SEEDS", "4").rpartition("-")
    return range(int(first or 0), int(last) + (1 if first else 0))


def lives(seed: int) -> list[int]:
    """Return after how many steps each daemon is killed: as often in its start and recovery as in the long rest."""
    chance = random.Random(seed)
    return [int(2 ** chance.uniform(0, 8.5)) for _ in range(KILLS)]


def played(terminal: Terminal, model: ScriptedModel, fates: Fates, *names: str) -> list[Played]:
    with plays(terminal, model, fates, names) as all_plays, ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(lambda play: play.run(), all_plays))


def differences(found: Story, wanted: Story) -> str:
    """Return what differs, source by source: `+` is too much, `-` is missing."""
    return "\n".join(
        line
        for source, told in wanted.items()
        for line in difflib.unified_diff(told, found[source], lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    )


@pytest.mark.parametrize("seed", seeds())
def test_kill_9_of_the_daemon_at_any_step_leaves_the_same_story(
    terminal: Terminal, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(terminal.cwd)
    (wanted,) = played(terminal, model, Fates([], tmp_path / "undisturbed"), "play-0")
    terminal.stop()
    fates = Fates(lives(seed), tmp_path / "fates")
    found = played(terminal, model, fates, *NAMES)
    told = fates.told()
    assert sum("killed" in line for line in told) >= KILLS // 2, told
    for one in found:
        assert differences(story(one.events), story(wanted.events)) == "", told
        assert one.asked == wanted.asked, told
        assert [approval["state"] for approval in one.approvals] == ["delivered"]


def test_a_start_that_is_killed_at_each_of_its_steps_in_turn_runs_the_prompt_once(
    terminal: Terminal, model: ScriptedModel, tmp_path: Path
) -> None:
    fates = Fates(START, tmp_path / "fates")
    with plays(terminal, model, fates, ["play-1"]) as (play,):
        session_id = play.start("[s:tool]")
        done = play.client.insist("sessions.wait", session_id=session_id, wait_s=60)
    assert (done["status"], done["outcome"]["answer"]) == ("idle", "All done now."), fates.told()
    assert [(one.scenario, one.step) for one in model.seen()] == [("tool", 1), ("tool", 2)]
    assert sum("killed" in line for line in fates.told()) >= len(START) // 2, fates.told()


def test_an_answer_that_is_killed_at_each_of_its_steps_in_turn_arrives_once(
    terminal: Terminal, model: ScriptedModel, tmp_path: Path
) -> None:
    session_id = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)["session_id"]
    (need,) = terminal.finish(session_id)["needs"]
    terminal.kill_daemon()
    fates = Fates(range(14, 50, 2), tmp_path / "fates")
    with mortal(terminal, fates) as client:
        while True:
            try:
                client.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
            except (ConnectionError, Refused) as exc:
                client.again(exc)
            except CallFailed as exc:
                if exc.code != "approval_settled":
                    raise
                break
        done = client.insist("sessions.wait", session_id=session_id, wait_s=60)
    told = fates.told()
    assert (done["status"], done["outcome"]["answer"]) == ("idle", "Touched."), told
    assert len(terminal.events(session_id, "approval.answered")) == 1, told
    assert [(one.scenario, one.step) for one in model.seen()] == [("touch", 1), ("touch", 2)]
    assert sum("killed" in line for line in told) >= 8, told
