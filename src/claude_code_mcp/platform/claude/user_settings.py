"""The user's own settings of Claude Code, as far as they run something in every session."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from claude_code_mcp.platform.claude.fields import dict_of, dicts_of
from claude_code_mcp.platform.claude.home import ClaudeHome

_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class UserHooks:
    """How many hooks there are by event, in which file; `problem` where that cannot be read."""

    path: Path
    events: dict[str, int]
    problem: str = ""


def user_hooks(home: ClaudeHome) -> UserHooks:
    """Return the hooks in the user's `settings.json`; a missing file has none."""
    path = home.config_dir / "settings.json"
    try:
        with path.open("rb") as file:
            value = msgspec.json.decode(file.read(_BYTES))
    except FileNotFoundError:
        return UserHooks(path, {})
    except (OSError, ValueError, RecursionError) as exc:
        return UserHooks(path, {}, str(exc))
    if not isinstance(value, dict):
        return UserHooks(path, {}, "it is no JSON object")
    hooks = dict_of(value, "hooks")
    counts = {event: sum(len(dicts_of(entry, "hooks")) for entry in dicts_of(hooks, event)) for event in hooks}
    return UserHooks(path, {event: count for event, count in counts.items() if count})
