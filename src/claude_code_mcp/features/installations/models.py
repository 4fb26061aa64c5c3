"""Requests and replies about installations."""

from typing import Annotated

from pydantic import Field

from claude_code_mcp.kernel.file_change import FileChange
from claude_code_mcp.kernel.operation import Reply, Request
from claude_code_mcp.platform.clients.host import PROGRAM
from claude_code_mcp.platform.clients.places import Client, Scope

ServerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Profile = Annotated[str, Field(pattern=r"^[a-z0-9_,-]{1,200}$")]


class _Target(Request):
    client: Client
    """The MCP client."""
    scope: Scope = Scope.USER
    """user: everywhere; project: for everybody in one project; local: for you in one project (claude-code only)."""
    name: ServerName = PROGRAM
    """What the client calls the server."""
    project_path: str | None = None
    """The project of scopes project and local; the working directory when unset."""
    config_file: str | None = None
    """The client's file, where it is not in the documented place."""
    force: bool = False
    """Also when another server has that name."""
    backup: bool = False
    """Keep a copy of the old file beside it."""
    dry_run: bool = False
    """Only show the change."""


class AddInstallation(_Target):
    """Add this program to a client's list of servers."""

    profile: Profile | None = None
    """Which tools the client sees: core, full, readonly or a feature's name; full for claude-code, else core."""
    env: dict[str, str] = Field(default_factory=dict)
    """Variables that the client sets for the server, as NAME=VALUE."""


class RemoveInstallation(_Target):
    """Take this program out of a client's list of servers."""


class ListInstallations(Request):
    """Look into the lists of all clients."""

    project_path: str | None = None
    """The project whose lists count too; the working directory when unset."""


class InstallationChange(FileChange):
    """What was done, or would be, to one list."""

    client: Client
    """The MCP client."""
    scope: Scope
    """Whose list."""
    name: str
    """What the client calls the server."""

    def about(self) -> str:
        """Return what was written there."""
        return f"{self.name} for {self.client.value} ({self.scope.value} scope)"


class Installation(Reply):
    """One client's list, as far as it concerns us."""

    client: Client
    """The MCP client."""
    scope: Scope
    """Whose list."""
    file: str
    """The file that holds it; empty where it is not known."""
    names: list[str] = Field(default_factory=list)
    """The servers in it that are this program."""
    problem: str | None = None
    """What is wrong with it, and how it is mended."""


class InstallationList(Reply):
    """The lists of all clients."""

    items: list[Installation]
    """One for each client and scope."""

    def text(self) -> str:
        """Return one line for each list."""
        return "\n".join(_line(item) for item in self.items)


def _line(item: Installation) -> str:
    state = f"installed as {', '.join(item.names)}" if item.names else "not installed"
    problem = f"\n  ! {item.problem}" if item.problem else ""
    return f"{item.client.value} ({item.scope.value}): {state}; {item.file or 'place unknown'}{problem}"
