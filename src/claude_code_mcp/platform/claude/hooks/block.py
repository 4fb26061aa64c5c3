"""What stands in Claude Code's settings so that it tells us what it does, and how we recognise it there.

JSON has no comments to mark a block with. An entry of ours posts to an address that ends in `?from=claude-code-mcp`, or
runs a command that ends in the shell comment `# claude-code-mcp`.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_code_mcp.platform.claude.hooks.read import EVENTS
from claude_code_mcp.platform.claude.hooks.script import SCRIPT
from claude_code_mcp.platform.ipc.port import HOST

TOKEN_HEADER = "X-Claude-Code-Mcp-Token"  # noqa: S105 - the name of a header
HTTP_TIMEOUT_S = 2
COMMAND_TIMEOUT_S = 5
ALWAYS_KEPT = ("SessionStart", "Setup")
"""Events that are never posted: Claude Code skips http hooks for them."""
KEPT_AWAY = (
    "SessionEnd",
    "PermissionRequest",
    "PermissionDenied",
    "Notification",
    "StopFailure",
    "Elicitation",
    "ElicitationResult",
)
"""Rare events that transcripts do not tell: kept in the spool while nobody listens."""
NEVER = frozenset(("WorktreeCreate", "MessageDisplay", "PreModelSwitch", "PostToolBatch"))
"""Events without a hook of ours.

A hook on WorktreeCreate takes the place of git; MessageDisplay and PreModelSwitch are waited for while a person looks
on; PostToolBatch costs as much as a call, and what it tells beyond its calls, that one was refused, shows without it.
"""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d{1,5}/hooks\?from=claude-code-mcp\Z")
_ANYBODYS = (
    'd="${CLAUDE_CODE_MCP_HOME:-${XDG_STATE_HOME:-$HOME/.local/state}/claude-code-mcp}";'
    ' [ -d "$d" ] || d="$HOME/Library/Application Support/claude-code-mcp"'
)


@dataclass(frozen=True, slots=True)
class Block:
    """Where our hooks lead: to `port` of this machine, and to the script in `state_dir`.

    Without `state_dir` each user's own is found when the hook runs (files that are shared). `token`: shown to the
    listener, "" for none.
    """

    port: int
    state_dir: Path | None = None
    token: str = field(default="", repr=False)

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return the entry of each event that we want to hear of."""
        return {event: {"hooks": self._handlers(event)} for event in EVENTS if event not in NEVER}

    def added_to(self, settings: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return `settings` for one run with our entries beside what hooks they have."""
        found = dict(settings or {})
        hooks = dict(found.get("hooks") or {})
        for event, entry in self.entries().items():
            hooks[event] = [*hooks.get(event, ()), entry]
        return {**found, "hooks": hooks}

    def _handlers(self, event: str) -> list[dict[str, Any]]:
        handlers: list[dict[str, Any]] = []
        if event not in ALWAYS_KEPT:
            handlers.append(self._http())
        if event in (*ALWAYS_KEPT, *KEPT_AWAY):
            handlers.append(self._command("always" if event in ALWAYS_KEPT else "away"))
        return handlers

    def _http(self) -> dict[str, Any]:
        url = f"http://{HOST}:{self.port}/hooks?from=claude-code-mcp"
        headers = {"headers": {TOKEN_HEADER: self.token}} if self.token else {}
        return {"type": "http", "url": url, "timeout": HTTP_TIMEOUT_S, **headers}

    def _command(self, when: str) -> dict[str, Any]:
        directory = f"d={shlex.quote(str(self.state_dir))}" if self.state_dir else _ANYBODYS
        # Where the program was removed, nothing is there to run, and that is no failure.
        command = f'{directory}; w={when}; [ ! -r "$d/{SCRIPT}" ] || . "$d/{SCRIPT}" # claude-code-mcp'
        return {"type": "command", "command": command, "timeout": COMMAND_TIMEOUT_S}


def is_ours(handler: Any) -> bool:
    """Tell whether one handler in a settings file is ours, of whatever version."""
    if not isinstance(handler, Mapping):
        return False
    url, command = handler.get("url"), handler.get("command")
    if handler.get("type") == "http":
        return isinstance(url, str) and _ADDRESS.match(url) is not None
    return isinstance(command, str) and command.rstrip().endswith("# claude-code-mcp")
