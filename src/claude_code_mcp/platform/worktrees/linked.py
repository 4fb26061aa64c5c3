"""A git worktree beside a repository: made at its HEAD, without running anything that the repository names."""

import os
import subprocess
from pathlib import Path

from claude_code_mcp.platform.worktrees.errors import WorktreeRefused

_WAIT_S = 120.0
_NO_HOOKS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")


def add_worktree(project: Path, folder: Path, branch: str | None) -> Path:
    """Make a worktree at `folder`, of the repository that `project` is in; return where `project` is in it.

    Nothing is checked out: whoever asked puts the files there. Without `branch` its HEAD is detached. Blocks.

    Raises:
        WorktreeRefused: the project is in no repository, there is no commit yet, or git said no; its words are told.
    """
    top = Path(_git(project, "rev-parse", "--show-toplevel"))
    where = ("-b", branch) if branch else ("--detach",)
    _git(project, "worktree", "add", "--no-checkout", "--quiet", *where, "--", str(folder), "HEAD")
    # The index is filled from HEAD, so that what is put there shows up as changes against it.
    _git(folder, "reset", "--quiet", "--mixed", refused_is_fine=True)
    inside = folder / Path(os.path.realpath(project)).relative_to(os.path.realpath(top))
    inside.mkdir(parents=True, exist_ok=True)
    return inside


def _git(cwd: Path, *words: str, refused_is_fine: bool = False) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *_NO_HOOKS, *words], cwd=cwd, env={**env, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_WAIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise WorktreeRefused(f"git could not be run in {cwd}: {exc}.", remedy="Fork into a folder instead.") from exc
    if done.returncode and not refused_is_fine:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise WorktreeRefused(
            f"git made no worktree of {cwd}: {said}",
            remedy="Fork into a folder instead, or name another path or branch.",
        )
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")
