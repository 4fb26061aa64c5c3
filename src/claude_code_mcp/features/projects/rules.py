"""When a project is trusted: somebody said so, and what can run code is as it was then."""

from collections.abc import Iterable, Mapping

from claude_code_mcp.features.projects.models import Standing
from claude_code_mcp.platform.claude.executable_config import ExecutablePart

USER, CLAUDE = "user", "claude"
LOCAL = ".claude/settings.local.json"
RULES = "changes what is allowed without asking"
HOW = "To use them: look at them, then `claude-code-mcp projects trust` (MCP: project_trust, or trust_project: true)."


def judge(fingerprint: str, *, runs_code: bool, pinned: tuple[str, str, str] | None, accepted: bool) -> Standing:
    """Return how far a project with this `fingerprint` is trusted, without what is left out.

    `runs_code`: something in it can. `pinned`: fingerprint, who and when of a trust that was kept here. `accepted`: the
    user accepted Claude Code's own trust dialog for it; the first sight of that is pinned when a session starts.
    """
    if not runs_code:
        return Standing(True, "nothing in it can run code", fingerprint)
    if pinned is not None and pinned[0] == fingerprint:
        who = "trusted here" if pinned[1] == USER else "trusted in Claude Code"
        return Standing(True, f"{who}, unchanged since {pinned[2][:10]}", fingerprint)
    if pinned is not None:
        return Standing(False, f"what can run code in it changed since it was trusted on {pinned[2][:10]}", fingerprint)
    if accepted:
        return Standing(True, "trusted in Claude Code", fingerprint, first_seen=True)
    return Standing(False, "nobody said that it is trusted", fingerprint)


def only_local(before: Iterable[ExecutablePart], after: Iterable[ExecutablePart]) -> bool:
    """Tell whether two looks at a project differ in nothing but the rules of its local settings.

    Claude Code writes allowed tools there; a hook or a variable in the same file would be another thing.
    """
    was, now = ({part.path: part for part in parts} for parts in (before, after))
    changed = {path for path in was.keys() | now.keys() if was.get(path) != now.get(path)}
    return changed <= {LOCAL} and set(now[LOCAL].does if LOCAL in now else ()) <= {*_did(was), RULES}


def _did(parts: Mapping[str, ExecutablePart]) -> tuple[str, ...]:
    return parts[LOCAL].does if LOCAL in parts else ()


def left_out(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the notes for a handle: what the run goes without, and how to change that."""
    if not names:
        return ()
    shown = "; ".join(names[:8]) + (f"; and {len(names) - 8} more" if len(names) > 8 else "")
    return (f"The project is not trusted, so this was left out: {shown}. {HOW}",)
