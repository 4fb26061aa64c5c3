"""What the world may ask of processes."""

from typing import Protocol

from claude_code_mcp.features.processes.models import (
    ActiveSessions,
    History,
    ListActiveSessions,
    ListProcesses,
    ProcessTree,
    Reaped,
    ReapProcesses,
    ShowHistory,
)
from claude_code_mcp.features.processes.service import Processes
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, Surface, operation


class Context(Protocol):
    """What these operations need."""

    @property
    def processes(self) -> Processes:
        """Processes."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "processes.list",
    tool="ps",
    effect=Effect.READ,
    hints=Hints(
        cli=("ps",),
        search="processes shells mcp servers memory cpu ports orphans",
        max_result_chars=100_000,
        examples=("claude-code-mcp ps", "claude-code-mcp ps --project-path . --json"),
    ),
)
async def list_(ctx: Context, wish: ListProcesses) -> ProcessTree:
    """Show one tree of everything Claude: sessions (anybody's), their shells and MCP servers, background jobs."""
    return await ctx.processes.list(wish)


@operation(
    "processes.sessions",
    tool="list_active_sessions",
    effect=Effect.READ,
    hints=Hints(cli=("ps-sessions",), structured=True, announced=False, search="registry running claude pid"),
)
async def sessions(ctx: Context, wish: ListActiveSessions) -> ActiveSessions:  # noqa: ARG001 - every operation has a request
    """List the Claude Code sessions that run on this machine, with process and project."""
    return await ctx.processes.sessions()


@operation(
    "processes.reap",
    tool="processes_reap",
    effect=Effect.DESTROY,
    hints=Hints(
        cli=("reap",),
        search="orphans zombies left over kill clean",
        examples=("claude-code-mcp reap", "claude-code-mcp reap --apply", "claude-code-mcp reap --apply --pids 4711"),
    ),
)
async def reap(ctx: Context, wish: ReapProcesses) -> Reaped:
    """Show what is left of sessions and jobs that are gone; with apply, end what is proven to be."""
    return await ctx.processes.reap(wish)


@operation(
    "processes.history",
    tool="processes_history",
    effect=Effect.READ,
    surfaces=(Surface.CLI, Surface.HTTP),
    hints=Hints(cli=("ps-history",), positional=("subject",)),
)
async def history(ctx: Context, wish: ShowHistory) -> History:
    """Show what a session or job of ours has used over time."""
    return await ctx.processes.history(wish)


OPERATIONS = (list_, sessions, reap, history)
