"""Looking at checkpoints: lists, the timeline, differences, files."""

from claude_code_mcp.features.checkpoints.errors import BadCheckpointRequest, CheckpointNotFound, CheckpointsClosing
from claude_code_mcp.features.checkpoints.models.replies import (
    CheckpointInfo,
    CheckpointList,
    DiffReply,
    FileList,
    Timeline,
)
from claude_code_mcp.features.checkpoints.models.requests import (
    DiffCheckpoints,
    ListCheckpoints,
    ListFiles,
    OneCheckpoint,
    ShowTimeline,
)
from claude_code_mcp.features.checkpoints.operations.context import APART, PLACE, STORE, TREE, Context
from claude_code_mcp.kernel.operation import Effect, Hints, operation
from claude_code_mcp.platform.worktrees.errors import TreeMoved


@operation(
    "checkpoints.list",
    effect=Effect.READ,
    surfaces=APART,
    raises=(*PLACE, CheckpointNotFound),
    hints=Hints(positional=("project_path",), search="snapshots history"),
)
async def list_(ctx: Context, wish: ListCheckpoints) -> CheckpointList:
    """List checkpoints, the newest first; a star marks where the project stands."""
    return ctx.checkpoints.list(wish, ctx.caller)


@operation(
    "checkpoints.timeline",
    tool="checkpoint_timeline",
    effect=Effect.READ,
    raises=PLACE,
    hints=Hints(positional=("project_path",), search="checkpoint list history branches tree"),
)
async def timeline(ctx: Context, wish: ShowTimeline) -> Timeline:
    """Show a project's checkpoints as a tree: branches, where it stands, and what redo would bring back."""
    return ctx.checkpoints.timeline(wish, ctx.caller)


@operation(
    "checkpoints.diff",
    tool="checkpoint_diff",
    effect=Effect.READ,
    raises=(*PLACE, *STORE, *TREE, CheckpointNotFound, BadCheckpointRequest, TreeMoved, CheckpointsClosing),
    hints=Hints(
        positional=("checkpoint_id", "compare_with"),
        search="compare changes since checkpoint",
        examples=(
            "claude-code-mcp checkpoints diff",
            "claude-code-mcp checkpoints diff 0197… 0198… --format unified --paths src",
        ),
    ),
)
async def diff(ctx: Context, wish: DiffCheckpoints) -> DiffReply:
    """Compare two checkpoints, or one and the working tree."""
    return await ctx.checkpoints.diff(wish, ctx.caller)


@operation(
    "checkpoints.show",
    effect=Effect.READ,
    surfaces=APART,
    raises=(CheckpointNotFound,),
    hints=Hints(positional=("checkpoint_id",), search="details"),
)
async def show(ctx: Context, wish: OneCheckpoint) -> CheckpointInfo:
    """Show one checkpoint: what is in it, what is not, and the point in the conversation."""
    return ctx.checkpoints.show(wish)


@operation(
    "checkpoints.files",
    effect=Effect.READ,
    surfaces=APART,
    raises=(*STORE, CheckpointNotFound, BadCheckpointRequest, CheckpointsClosing),
    hints=Hints(positional=("checkpoint_id", "paths"), search="list contents"),
)
async def files(ctx: Context, wish: ListFiles) -> FileList:
    """List the files in a checkpoint."""
    return await ctx.checkpoints.files(wish)


OPERATIONS = (list_, timeline, diff, show, files)
