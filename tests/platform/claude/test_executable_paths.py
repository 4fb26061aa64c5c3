"""Which paths are told before they are restored, since what they hold may run."""

import pytest

from claude_code_mcp.platform.claude.executable_paths import what_it_runs


@pytest.mark.parametrize(
    "path",
    [
        b".claude/settings.json", b".claude/settings.local.json", b"sub/.CLAUDE/Settings.json", b".claude/hooks/a.sh",
        b".claude/agents/a.md", b".claude/skills/x/run.py", b".claude/scheduled_tasks.json", b".claude", b".mcp.json",
        b"deep/in/.mcp.json", b"CLAUDE.md", b"x/claude.local.md", b"AGENTS.md", b".git/hooks/pre-commit",
        b".git/config", b"sub/.git/config", b".gitmodules", b".husky/pre-commit", b".pre-commit-config.yaml", b".envrc",
        b".vscode/tasks.json", b"new\nline/.mcp.json",
    ],
)  # fmt: skip
def test_what_may_run_or_steer_is_told(path: bytes) -> None:
    assert what_it_runs(path)


@pytest.mark.parametrize(
    "path",
    [b"src/main.py", b"README.md", b"claude.py", b"my.claude.md", b".github/x.yml", b"x.mcp.json", b".gitignore"],
)  # fmt: skip
def test_what_is_like_any_other_is_not(path: bytes) -> None:
    assert not what_it_runs(path)
