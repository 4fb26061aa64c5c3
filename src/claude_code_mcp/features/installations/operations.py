"""What a person may ask about installations; a model has no business in other programs' configuration."""

from typing import Protocol

from claude_code_mcp.features.installations.errors import EntryTaken, ProjectDirectoryMissing
from claude_code_mcp.features.installations.models import (
    AddInstallation,
    InstallationChange,
    InstallationList,
    ListInstallations,
    RemoveInstallation,
)
from claude_code_mcp.features.installations.service import Installations
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, Surface, operation
from claude_code_mcp.platform.clients.places import PlaceUnknown, ScopeUnsupported
from claude_code_mcp.platform.files.errors import FileBroken, FileBusy, FileRefused, FileUnavailable

_FILE_ERRORS = (FileBroken, FileRefused, FileBusy, FileUnavailable)


class Context(Protocol):
    """What these operations need."""

    @property
    def installations(self) -> Installations:
        """The lists of MCP clients."""
        ...

    @property
    def caller(self) -> Caller:
        """Whose home and working directory count."""
        ...


@operation(
    "installations.add",
    effect=Effect.WRITE,
    raises=(EntryTaken, ProjectDirectoryMissing, ScopeUnsupported, PlaceUnknown, *_FILE_ERRORS),
    surfaces=(Surface.CLI,),
    hints=Hints(
        cli=("install",),
        positional=("client",),
        idempotent=True,
        examples=(
            "install claude-code",
            "install cursor --dry-run",
            "install vscode --profile readonly --env CLAUDE_DEFAULT_MODEL=sonnet",
        ),
    ),
)
async def add(ctx: Context, wish: AddInstallation) -> InstallationChange:
    """Add this program to an MCP client: claude-code, claude-desktop, cursor or vscode.

    Shows the change to the client's configuration file. Everything else in the file stays as it is, byte for byte;
    a broken file is left alone. Running it again renews the entry, or changes nothing.
    """
    return await ctx.installations.add(wish, ctx.caller)


@operation(
    "installations.remove",
    effect=Effect.WRITE,
    raises=(EntryTaken, ProjectDirectoryMissing, ScopeUnsupported, PlaceUnknown, *_FILE_ERRORS),
    surfaces=(Surface.CLI,),
    hints=Hints(
        cli=("uninstall",),
        positional=("client",),
        idempotent=True,
        examples=("uninstall claude-code", "uninstall cursor --dry-run"),
    ),
)
async def remove(ctx: Context, wish: RemoveInstallation) -> InstallationChange:
    """Take this program out of an MCP client again; nothing else of its configuration changes."""
    return await ctx.installations.remove(wish, ctx.caller)


@operation(
    "installations.list",
    effect=Effect.READ,
    raises=(ProjectDirectoryMissing,),
    surfaces=(Surface.CLI,),
    hints=Hints(examples=("installations list",)),
)
async def list_(ctx: Context, wish: ListInstallations) -> InstallationList:
    """Show in which MCP clients this program is installed, and what is wrong where it is."""
    return await ctx.installations.all(wish, ctx.caller)


OPERATIONS = (add, remove, list_)
