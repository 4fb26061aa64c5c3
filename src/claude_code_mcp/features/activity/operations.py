"""What the world may ask about activity."""

from typing import Protocol

from claude_code_mcp.features.activity.errors import (
    ActivityNotFound,
    ExportRefused,
    ExportTooBig,
    NodeNotFound,
    SessionAmbiguous,
)
from claude_code_mcp.features.activity.models import (
    ActivityList,
    Configured,
    ConfigureDisplay,
    Exported,
    ExportSession,
    ListActivity,
    NodeDetail,
    ShowNode,
    ShowTree,
    StreamActivity,
    StreamReply,
    TreeReply,
)
from claude_code_mcp.features.activity.service import Activity
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, operation

_WHICH = (ActivityNotFound, SessionAmbiguous)


class Context(Protocol):
    """What these operations need."""

    @property
    def activity(self) -> Activity:
        """Activity."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "activity.sessions",
    effect=Effect.READ,
    hints=Hints(
        shown=("scope", "project_path", "cursor", "wait_s"),
        search="watch live observe sessions machine who works waits",
        examples=("claude-code-mcp activity sessions --scope live", "claude-code-mcp activity sessions --json"),
    ),
)
async def sessions(ctx: Context, wish: ListActivity) -> ActivityList:
    """List what every Claude Code on this machine does: live sessions first, ours and anybody's."""
    return await ctx.activity.sessions(wish, ctx.caller)


@operation(
    "activity.tree",
    tool="get_activity_tree",
    effect=Effect.READ,
    raises=_WHICH,
    hints=Hints(
        positional=("session_id",),
        max_result_chars=200_000,
        search="activity tree tasks tools subagents slow errors",
        examples=("claude-code-mcp activity tree", "claude-code-mcp activity tree 0197 --no-include-completed"),
    ),
)
async def tree(ctx: Context, wish: ShowTree) -> TreeReply:
    """Show a session as a tree: turns, tools, MCP calls, subagents, with times and errors."""
    return await ctx.activity.tree(wish, ctx.caller)


@operation(
    "activity.stream",
    tool="stream_activity",
    effect=Effect.READ,
    raises=_WHICH,
    hints=Hints(
        positional=("session_id",),
        shown=("session_id", "output_format", "show_progress", "collapse_completed", "cursor", "wait_s"),
        max_result_chars=200_000,
        search="follow live updates progress monitor watch",
        examples=(
            "claude-code-mcp activity stream 0197 --follow --wait-s 600",
            "claude-code-mcp activity stream 0197 --cursor 812 --output-format json --json",
        ),
    ),
)
async def stream(ctx: Context, wish: StreamActivity) -> StreamReply:
    """Follow a session: lines that changed after the cursor; call again with the new cursor."""
    return await ctx.activity.stream(wish, ctx.caller)


@operation(
    "activity.configure",
    tool="configure_display",
    effect=Effect.WRITE,
    raises=_WHICH,
    hints=Hints(
        shown=("session_id", "settings", "reset"),
        idempotent=True,
        search="display settings threshold slow collapse depth",
        examples=(
            "claude-code-mcp activity configure --threshold-slow-ms 2000",
            "claude-code-mcp activity configure --session-id 0197 --max-tree-depth 3 --collapse-fast-ops",
        ),
    ),
)
async def configure(ctx: Context, wish: ConfigureDisplay) -> Configured:
    """Change how activity is shown, for one session or by default; without settings, show them."""
    return await ctx.activity.configure(wish, ctx.caller)


@operation(
    "activity.export",
    tool="export_session",
    effect=Effect.WRITE,
    raises=(*_WHICH, ExportTooBig, ExportRefused),
    hints=Hints(
        positional=("session_id",),
        max_result_chars=500_000,
        search="export log report html json otlp trace",
        examples=(
            "claude-code-mcp activity export 0197 > session.log",
            "claude-code-mcp activity export 0197 --format html --out session.html",
        ),
    ),
)
async def export(ctx: Context, wish: ExportSession) -> Exported:
    """Export a session: console log, text, JSON, one HTML file, or OTLP spans."""
    return await ctx.activity.export(wish, ctx.caller)


@operation(
    "activity.show",
    effect=Effect.READ,
    raises=(*_WHICH, NodeNotFound),
    hints=Hints(
        positional=("id",),
        max_result_chars=200_000,
        search="tool call raw input output detail",
        examples=("claude-code-mcp activity show toolu_01A09q90qw90lq917835lq9",),
    ),
)
async def show(ctx: Context, wish: ShowNode) -> NodeDetail:
    """Show one node with its whole raw input and output, by its id or tool_use_id."""
    return await ctx.activity.show(wish, ctx.caller)


OPERATIONS = (sessions, tree, stream, configure, export, show)
