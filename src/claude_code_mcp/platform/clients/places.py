"""Where each MCP client keeps its list of servers, as its vendor documents it.

Claude Code: code.claude.com/docs/en/mcp ("MCP installation scopes"). Claude Desktop:
modelcontextprotocol.io/docs/develop/connect-local-servers (Linux: as its packages do). Cursor:
cursor.com/docs/context/mcp ("Configuration locations"). VS Code:
code.visualstudio.com/docs/agents/reference/mcp-configuration; its user profile is the directory `Code/User`.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from claude_code_mcp.kernel.errors import Invalid, NotFound
from claude_code_mcp.platform.claude.global_config import global_config, project_key
from claude_code_mcp.platform.clients.host import Host, System


class Client(StrEnum):
    """An MCP client that we know how to configure."""

    CLAUDE_CODE = "claude-code"
    CLAUDE_DESKTOP = "claude-desktop"
    CURSOR = "cursor"
    VSCODE = "vscode"


class Scope(StrEnum):
    """For whom a server is listed: the user everywhere, everybody in one project, or the user in one project."""

    USER = "user"
    PROJECT = "project"
    LOCAL = "local"


class ScopeUnsupported(Invalid):
    """The client has no list of that scope."""

    code = "scope_unsupported"


class PlaceUnknown(NotFound):
    """We cannot tell where the client keeps its list on this machine."""

    code = "client_place_unknown"


SCOPES: dict[Client, tuple[Scope, ...]] = {
    Client.CLAUDE_CODE: (Scope.USER, Scope.PROJECT, Scope.LOCAL),
    Client.CLAUDE_DESKTOP: (Scope.USER,),
    Client.CURSOR: (Scope.USER, Scope.PROJECT),
    Client.VSCODE: (Scope.USER, Scope.PROJECT),
}

_PROJECT_FILES = {
    Client.CLAUDE_CODE: ".mcp.json",
    Client.CURSOR: ".cursor/mcp.json",
    Client.VSCODE: ".vscode/mcp.json",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A list of servers: the object at `keys` in the JSON file `path`.

    `comments`: the client reads JSON with comments. `peer`: Claude Code locks the file. `shared`: others read it
    too, from version control. `windows`: the client runs on Windows and reaches us through `wsl.exe`. `home` is the
    directory that exists when the client is installed.
    """

    client: Client
    scope: Scope
    path: Path
    keys: tuple[str, ...]
    home: Path
    comments: bool = False
    peer: bool = False
    shared: bool = False
    windows: bool = False


def place(host: Host, client: Client, scope: Scope, project: Path, *, named: Path | None = None) -> Place:
    """Return where `client` lists servers for `scope`, for the scopes of one project those of `project`.

    `named` is the file where it is not in the documented place.

    Raises:
        ScopeUnsupported: the client has no such scope.
        PlaceUnknown: it runs on Windows beside us, and we cannot tell whose it is.
    """
    if scope not in SCOPES[client]:
        raise ScopeUnsupported(
            f"{client.value} has no servers of {scope.value} scope.",
            remedy=f"Use --scope {' or '.join(known.value for known in SCOPES[client])}.",
        )
    path = named or _documented(host, client, scope, project)
    keys = ("servers",) if client is Client.VSCODE else ("mcpServers",)
    shared = scope is Scope.PROJECT
    return Place(
        client,
        scope,
        path,
        ("projects", project_key(project), *keys) if scope is Scope.LOCAL else keys,
        project if shared else path.parent,
        comments=client is Client.VSCODE,
        peer=client is Client.CLAUDE_CODE and not shared,
        shared=shared,
        windows=host.system is System.WSL and path.is_relative_to(host.windows_users),
    )


def _documented(host: Host, client: Client, scope: Scope, project: Path) -> Path:
    if scope is Scope.PROJECT:
        return project / _PROJECT_FILES[client]
    if client is Client.CLAUDE_CODE:
        return global_config(host.home, host.env)
    found = _on_windows(host, client) if host.system is System.WSL else None
    if found is not None:
        return found
    macos = host.system is System.MACOS
    base = host.home / "Library" / "Application Support" if macos else host.config_home
    return {
        Client.CLAUDE_DESKTOP: base / "Claude" / "claude_desktop_config.json",
        Client.CURSOR: host.home / ".cursor" / "mcp.json",
        Client.VSCODE: base / "Code" / "User" / "mcp.json",
    }[client]


def _on_windows(host: Host, client: Client) -> Path | None:
    inside = {
        Client.CLAUDE_DESKTOP: ("AppData/Roaming/Claude", "claude_desktop_config.json"),
        Client.CURSOR: (".cursor", "mcp.json"),
        Client.VSCODE: ("AppData/Roaming/Code/User", "mcp.json"),
    }[client]
    try:
        users = sorted(host.windows_users.iterdir())
    except OSError:
        users = []
    found = [user / inside[0] / inside[1] for user in users if (user / inside[0]).is_dir()]
    if len(found) > 1:
        raise PlaceUnknown(
            f"{len(found)} Windows users have {client.value}: {', '.join(_user(host, path) for path in found)}.",
            remedy="Name the file with --config-file.",
        )
    if not found and client is Client.CLAUDE_DESKTOP:
        raise PlaceUnknown(
            f"No Claude Desktop was found below {host.windows_users}.",
            remedy="Start it once on Windows, or name its claude_desktop_config.json with --config-file.",
        )
    return found[0] if found else None


def _user(host: Host, path: Path) -> str:
    return path.relative_to(host.windows_users).parts[0]
