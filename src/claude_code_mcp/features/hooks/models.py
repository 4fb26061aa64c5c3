"""Requests and replies about our hooks in Claude Code's settings."""

import json
from typing import Any

from claude_code_mcp.kernel.file_change import FileChange
from claude_code_mcp.kernel.operation import Reply, Request
from claude_code_mcp.platform.clients.places import Scope


class _Target(Request):
    scope: Scope = Scope.USER
    """user: all your sessions; project: everybody's in one project; local: yours in one project."""
    project_path: str | None = None
    """The project of scopes project and local; the working directory when unset."""
    backup: bool = False
    """Keep a copy of the old file beside it."""
    dry_run: bool = False
    """Only show the change."""


class InstallHooks(_Target):
    """Add our hooks to Claude Code's settings."""


class UninstallHooks(_Target):
    """Take our hooks out of Claude Code's settings."""


class ShowHooks(Request):
    """Look where our hooks are installed."""

    project_path: str | None = None
    """The project whose settings count too; the working directory when unset."""


class PrintHooks(Request):
    """Print our hooks as settings for one run."""


class MakeHookPlugin(Request):
    """Write our hooks as a plugin."""

    out: str
    """The folder of the plugin; made where there is none."""


class HookChange(FileChange):
    """What was done, or would be, to one settings file."""

    scope: Scope
    """Whose settings."""
    events: int = 0
    """How many events of Claude Code are told to us from now on."""
    port: int
    """The port of this machine that they are told to."""

    def about(self) -> str:
        """Return what was written there."""
        return f"hooks ({self.scope.value} scope)"


class HookPlace(Reply):
    """One settings file, as far as it concerns us."""

    scope: Scope
    """Whose settings."""
    file: str
    """The settings file."""
    events: int = 0
    """How many events have a hook of ours in it."""
    current: bool = False
    """They are as they would be installed now."""
    problem: str | None = None
    """What is wrong, and how it is mended."""


class HookStatus(Reply):
    """Where our hooks are, and whether they tell anything."""

    items: list[HookPlace]
    """The settings files of the user and of the project."""
    port: int
    """The port of this machine that hooks tell."""
    listening: bool
    """Somebody listens there now."""
    last_event_at: str | None = None
    """When a hook told something last, UTC; none where none ever did."""
    kept_bytes: int = 0
    """How much waits in the spool to be read."""

    def text(self) -> str:
        """Return one line for each file, and one for what comes in."""
        heard = f"last heard at {self.last_event_at}" if self.last_event_at else "nothing heard yet"
        door = "listening" if self.listening else "not listening"
        return "\n".join([*(_line(item) for item in self.items), f"port {self.port}: {door}, {heard}"])


class HookSettings(Reply):
    """Our hooks as settings for one run."""

    settings: dict[str, Any]
    """What `claude --settings` takes."""

    def text(self) -> str:
        """Return the JSON alone, so that it can be handed on."""
        return json.dumps(self.settings, ensure_ascii=False)


class HookPlugin(Reply):
    """The plugin that was written."""

    directory: str
    """Its folder."""
    files: list[str]
    """What is in it."""

    def text(self) -> str:
        """Return where it is and how it is used."""
        return "\n".join(
            [f"Written: {name}" for name in self.files]
            + [f"Use it for one run with: claude --plugin-dir {self.directory}"]
        )


def _line(item: HookPlace) -> str:
    state = "not installed" if not item.events else f"installed ({item.events} events)"
    problem = f"\n  ! {item.problem}" if item.problem else ""
    return f"{item.scope.value}: {state}; {item.file}{problem}"
