"""Which paths of a project hold what may run, or steer, when Claude Code, git or an editor is started there."""

import re

_RULES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(rb"(?:.*/)?" + pattern, re.IGNORECASE | re.DOTALL), does)
    for pattern, does in (
        (rb"\.claude/settings(?:\.local)?\.json", "settings of Claude Code: hooks, environment, permissions"),
        (rb"\.claude/(?:hooks|plugins|workflows|routines)/.+", "is run by Claude Code"),
        (rb"\.claude/(?:agents|commands|skills|output-styles)/.+", "may run commands, or names tools as allowed"),
        (rb"\.claude/scheduled_tasks\.json", "runs by itself"),
        (rb"\.claude/rules/.+", "is read as instructions"),
        (rb"\.claude", "is where Claude Code's configuration is"),
        (rb"\.mcp\.json", "starts MCP servers"),
        (rb"(?:CLAUDE|CLAUDE\.local|AGENTS)\.md", "is read as instructions"),
        (rb"\.git(?:/.+)?", "is part of a git repository: hooks and configuration run commands"),
        (rb"\.gitmodules", "names what git fetches"),
        (rb"\.(?:husky|githooks)/.+", "is run by git"),
        (rb"\.pre-commit-config\.ya?ml", "is run by git"),
        (rb"\.envrc", "is run by a shell that enters the folder"),
        (rb"\.vscode/(?:tasks|settings|launch)\.json", "is run by an editor"),
    )
)


_HINT = re.compile(rb"\.claude|claude\.|agents\.md|\.mcp|\.git|\.husky|\.pre-commit|\.envrc|\.vscode", re.IGNORECASE)
"""Most paths of a tree hold none of these, and need not be compared with every rule."""


def what_it_runs(path: bytes) -> str:
    """Return what a file at `path` (relative to the project) may do, empty where it is like any other.

    Letters count in either case, since some file systems take them so. Doubt counts as yes.
    """
    if _HINT.search(path) is None:
        return ""
    return next((does for pattern, does in _RULES if pattern.fullmatch(path)), "")
