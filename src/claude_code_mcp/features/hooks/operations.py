"""What a person may ask about our hooks; a model has no business in Claude Code's settings."""

from typing import Protocol

from claude_code_mcp.features.hooks.errors import HooksProjectMissing, PluginFolderTaken
from claude_code_mcp.features.hooks.models import (
    HookChange,
    HookPlugin,
    HookSettings,
    HookStatus,
    InstallHooks,
    MakeHookPlugin,
    PrintHooks,
    ShowHooks,
    UninstallHooks,
)
from claude_code_mcp.features.hooks.service import Hooks
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, Surface, operation
from claude_code_mcp.platform.files.errors import FileBroken, FileBusy, FileRefused, FileUnavailable

_FILE_ERRORS = (FileBroken, FileRefused, FileBusy, FileUnavailable)


class Context(Protocol):
    """What these operations need."""

    @property
    def hooks(self) -> Hooks:
        """Our hooks in Claude Code's settings."""
        ...

    @property
    def caller(self) -> Caller:
        """Whose home and working directory count."""
        ...


@operation(
    "hooks.install",
    effect=Effect.WRITE,
    raises=(HooksProjectMissing, *_FILE_ERRORS),
    surfaces=(Surface.CLI,),
    hints=Hints(idempotent=True, examples=("hooks install", "hooks install --scope project --dry-run")),
)
async def install(ctx: Context, wish: InstallHooks) -> HookChange:
    """Add our hooks to Claude Code's settings, so that every session tells what it does, also those started elsewhere.

    Shows the change. Your own hooks and everything else in the file stay as they are, byte for byte; a broken file is
    left alone. Each tool call takes some milliseconds longer. Running it again renews the hooks, or changes nothing.
    """
    return await ctx.hooks.install(wish, ctx.caller)


@operation(
    "hooks.uninstall",
    effect=Effect.WRITE,
    raises=(HooksProjectMissing, *_FILE_ERRORS),
    surfaces=(Surface.CLI,),
    hints=Hints(idempotent=True, examples=("hooks uninstall", "hooks uninstall --dry-run")),
)
async def uninstall(ctx: Context, wish: UninstallHooks) -> HookChange:
    """Take our hooks out of Claude Code's settings again; nothing else changes."""
    return await ctx.hooks.uninstall(wish, ctx.caller)


@operation(
    "hooks.status",
    effect=Effect.READ,
    raises=(HooksProjectMissing,),
    surfaces=(Surface.CLI,),
    hints=Hints(examples=("hooks status",)),
)
async def status(ctx: Context, wish: ShowHooks) -> HookStatus:
    """Show where our hooks are installed, whether they are current, and when one told something last."""
    return await ctx.hooks.status(wish, ctx.caller)


@operation(
    "hooks.settings",
    effect=Effect.READ,
    surfaces=(Surface.CLI,),
    hints=Hints(examples=("hooks settings",)),
)
async def settings(ctx: Context, _: PrintHooks) -> HookSettings:
    """Print our hooks as JSON for one run: claude --settings "$(claude-code-mcp hooks settings)"."""
    return await ctx.hooks.settings()


@operation(
    "hooks.plugin",
    effect=Effect.WRITE,
    raises=(PluginFolderTaken,),
    surfaces=(Surface.CLI,),
    hints=Hints(idempotent=True, examples=("hooks plugin --out ~/watched",)),
)
async def plugin(ctx: Context, wish: MakeHookPlugin) -> HookPlugin:
    """Write our hooks as a plugin of Claude Code, for `claude --plugin-dir` or a marketplace of your own."""
    return await ctx.hooks.plugin(wish, ctx.caller)


OPERATIONS = (install, uninstall, status, settings, plugin)
