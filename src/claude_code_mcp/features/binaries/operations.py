"""What the world may ask about Claude Code binaries."""

from typing import Protocol

from claude_code_mcp.features.binaries.errors import BinaryNotFound, BinaryTooOld, BinaryUnusable
from claude_code_mcp.features.binaries.models import BinaryFound, CheckUpdates, FindBinary, UpdateReport, UseBinary
from claude_code_mcp.features.binaries.service import Binaries
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, operation

_FIND = (BinaryNotFound, BinaryUnusable, BinaryTooOld)


class Context(Protocol):
    """What these operations need."""

    @property
    def binaries(self) -> Binaries:
        """Claude binaries."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "binaries.find",
    tool="find_claude_binary",
    effect=Effect.READ,
    raises=_FIND,
    hints=Hints(cli=("claude", "find"), search="discover claude code installation version path", structured=True),
)
async def find(ctx: Context, wish: FindBinary) -> BinaryFound:
    """Find Claude Code on this machine: binary_path, version, source, and every other candidate."""
    return await ctx.binaries.find(ctx.caller.env, refresh=wish.refresh)


@operation(
    "binaries.updates",
    tool="check_claude_updates",
    effect=Effect.READ,
    raises=_FIND,
    hints=Hints(cli=("claude", "updates"), open_world=True, search="update newest release npm", structured=True),
)
async def updates(ctx: Context, _: CheckUpdates) -> UpdateReport:
    """Check for a newer Claude Code: current_version, latest_version, update_available, update_command."""
    return await ctx.binaries.updates(ctx.caller.env)


@operation(
    "binaries.use",
    tool="use_claude_binary",
    effect=Effect.WRITE,
    raises=_FIND,
    hints=Hints(
        cli=("claude", "use"),
        positional=("path",),
        idempotent=True,
        search="prefer choose claude binary",
        examples=("claude-code-mcp claude use ~/.local/bin/claude",),
    ),
)
async def use(ctx: Context, wish: UseBinary) -> BinaryFound:
    """Prefer one Claude Code binary from now on, or forget the preference."""
    return await ctx.binaries.use(wish.path, ctx.caller.env)


OPERATIONS = (find, updates, use)
