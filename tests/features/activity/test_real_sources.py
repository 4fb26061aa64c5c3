"""Sessions of the real Claude Code, each seen by its stream, its transcript and its hooks: they are one tree."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.features.activity.three_sources import assert_one_tree, hook_settings, told_of
from tests.support.claude_cli import ClaudeCli

pytestmark = pytest.mark.e2e

SITUATIONS: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "tool": ((), {}),
    "parallel": ((), {}),
    "fail": ((), {}),
    "agent": ((), {}),
    "agent-foreground": ((), {}),
    "agents-two": ((), {}),
    "background": ((), {}),
    "write": (("--permission-mode", "acceptEdits"), {}),
    "big-output": ((), {}),
    "agent-nested": ((), {"stream": "The stream does not print what a subagent's subagent calls."}),
    "bad-tool": ((), {"hook": "A tool that does not exist fires no hook."}),
    "touch": ((), {}),
}
"""Arguments of each, and which source cannot see it whole, and why."""


@pytest.mark.parametrize("name", SITUATIONS)
def test_three_sources_of_a_real_session_agree(name: str, claude: ClaudeCli, tmp_path: Path) -> None:
    args, unseen = SITUATIONS[name]
    out = tmp_path / "hooks.txt"
    done = claude.run(f"x [s:{name}]", "--settings", hook_settings(), *args, env={"OUT": str(out)})
    assert_one_tree(told_of(claude, done.lines, out), unseen=tuple(unseen))
