"""What the world may ask of the daemon."""

from typing import Protocol

from claude_code_mcp.features.daemon.errors import NoHttp
from claude_code_mcp.features.daemon.models import (
    DaemonStatus,
    DaemonStopped,
    HttpAccess,
    ShowDaemon,
    ShowHttp,
    StopDaemon,
)
from claude_code_mcp.features.daemon.service import Daemon
from claude_code_mcp.kernel.operation import Effect, Hints, Surface, operation


class Context(Protocol):
    """What these operations need."""

    @property
    def daemon(self) -> Daemon:
        """The daemon."""
        ...


@operation("daemon.status", effect=Effect.READ, hints=Hints(search="health uptime version memory disk"))
async def status(ctx: Context, _: ShowDaemon) -> DaemonStatus:
    """Show the daemon: version, uptime, memory, disk, clients, sessions by state."""
    return await ctx.daemon.status()


@operation("daemon.stop", effect=Effect.DESTROY, surfaces=(Surface.CLI,))
async def stop(ctx: Context, wish: StopDaemon) -> DaemonStopped:
    """Stop the daemon in good order; running sessions go on and the next daemon takes them up."""
    return await ctx.daemon.stop(sessions=wish.sessions)


@operation(
    "daemon.http",
    effect=Effect.READ,
    surfaces=(Surface.CLI,),
    raises=(NoHttp,),
    hints=Hints(cli=("http",), examples=("http", "http --json")),
)
async def http(ctx: Context, _: ShowHttp) -> HttpAccess:
    """Show where the daemon listens for HTTP, and the token that requests need."""
    return ctx.daemon.http()


OPERATIONS = (status, stop, http)
