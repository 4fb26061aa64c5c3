"""Where Claude Code keeps what holds for all projects, and by which key it knows one project in it.

Seen on 2.1.327: `claude mcp add-json` in plain directories, linked ones, subdirectories, worktrees, submodules.
"""

import os
from collections.abc import Mapping
from pathlib import Path


def global_config(home: Path, env: Mapping[str, str]) -> Path:
    """Return Claude Code's global file: `~/.claude.json`, or `.claude.json` in `CLAUDE_CONFIG_DIR`.

    A `.config.json` in the configuration directory, as old versions made it, is still preferred where it exists.
    """
    named = env.get("CLAUDE_CONFIG_DIR", "")
    old = (Path(named) if named else home / ".claude") / ".config.json"
    if old.is_file():
        return old
    return (Path(named) if named else home) / ".claude.json"


def project_key(directory: Path) -> str:
    """Return the key of `directory` among `projects` of the global file.

    It is the real path of the git repository's root, for a linked worktree that of the main one (of the bare
    repository itself where that is one), and outside of git the real path of the directory.
    """
    real = Path(os.path.realpath(directory))
    for parent in (real, *real.parents):
        marker = parent / ".git"
        if marker.is_dir():
            return str(parent)
        if marker.is_file():
            return str(_main_worktree(marker) or parent)
    return str(real)


def _main_worktree(marker: Path) -> Path | None:
    """Return the root that the worktree of the `.git` file `marker` belongs to; None where it is no true worktree."""
    try:
        word, _, named = marker.read_text().strip().partition(": ")
        git_dir = Path(os.path.realpath(marker.parent / named))
        common = Path(os.path.realpath(git_dir / (git_dir / "commondir").read_text().strip()))
        # A directory may claim any repository; only the repository can say that the worktree is its own.
        back = Path(os.path.realpath((git_dir / "gitdir").read_text().strip()))
    except (OSError, UnicodeDecodeError):
        return None
    if word != "gitdir" or back != marker or git_dir.parent.parent != common:
        return None
    return common.parent if common.name == ".git" else common
