"""Taking a project, bringing it back, and all of that in the one tool of the second document."""

from claude_code_mcp.features.checkpoints.errors import (
    BadCheckpointRequest,
    CheckpointNotFound,
    CheckpointPinned,
    CheckpointsClosing,
    ConfigurationChange,
    ConversationCompacted,
    NothingToRedo,
    TreeInUse,
)
from claude_code_mcp.features.checkpoints.models.replies import CheckpointInfo, ManagedCheckpoints, RestoreReply
from claude_code_mcp.features.checkpoints.models.requests import (
    CreateCheckpoint,
    DeleteCheckpoints,
    DiffCheckpoints,
    ListCheckpoints,
    ManageCheckpoints,
    RedoRestore,
    RestoreCheckpoint,
)
from claude_code_mcp.features.checkpoints.operations.context import APART, PLACE, STORE, TREE, Context
from claude_code_mcp.features.sessions.errors import SessionNotFound
from claude_code_mcp.kernel.operation import Effect, Hints, operation
from claude_code_mcp.platform.seal.errors import KeyUnavailable, SealBroken
from claude_code_mcp.platform.worktrees.errors import (
    ContentMissing,
    RestoreBlocked,
    RestoreConflict,
    RestoreFailed,
    TreeMoved,
)

RESTORE = (
    *(TreeInUse, ConfigurationChange, RestoreBlocked, RestoreConflict, TreeMoved, ContentMissing, RestoreFailed),
    *(BadCheckpointRequest, CheckpointsClosing, KeyUnavailable, SealBroken),
)


@operation(
    "checkpoints.create",
    tool="create_checkpoint",
    effect=Effect.WRITE,
    raises=(*PLACE, *STORE, *TREE, CheckpointsClosing, SessionNotFound),
    hints=Hints(
        positional=("message",),
        shown=("project_path", "message", "include_files", "label"),
        idempotent=True,
        search="snapshot save undo backup version",
        examples=(
            "claude-code-mcp checkpoints create 'Before the refactoring'",
            "claude-code-mcp checkpoints create --label good --pin",
        ),
    ),
)
async def create(ctx: Context, wish: CreateCheckpoint) -> CheckpointInfo:
    """Take the whole project tree as a checkpoint, whoever changed it; where nothing changed, the last one is it."""
    return await ctx.checkpoints.create(wish, ctx.caller)


@operation(
    "checkpoints.restore",
    tool="restore_checkpoint",
    effect=Effect.DESTROY,
    raises=(*PLACE, *STORE, *TREE, *RESTORE, CheckpointNotFound, ConversationCompacted),
    hints=Hints(
        positional=("checkpoint_id", "paths"),
        shown=("project_path", "checkpoint_id", "create_backup", "paths", "dry_run", "what", "allow_config", "force"),
        search="undo rewind go back revert",
        examples=(
            "claude-code-mcp checkpoints restore 0197… --dry-run",
            "claude-code-mcp checkpoints restore 0197… src/app.py",
        ),
    ),
)
async def restore(ctx: Context, wish: RestoreCheckpoint) -> RestoreReply:
    """Bring a project back to a checkpoint: wholly or not at all, what was there is kept first. See dry_run."""
    return await ctx.checkpoints.restore(wish, ctx.caller)


@operation(
    "checkpoints.redo",
    effect=Effect.DESTROY,
    surfaces=APART,
    raises=(*PLACE, *STORE, *TREE, *RESTORE, NothingToRedo),
    hints=Hints(search="undo restore forward", examples=("claude-code-mcp checkpoints redo",)),
)
async def redo(ctx: Context, wish: RedoRestore) -> RestoreReply:
    """Take the last restore back: the tree is again what it was before it. Call again for the restore before that."""
    return await ctx.checkpoints.redo(wish, ctx.caller)


@operation(
    "checkpoints.manage",
    tool="claude_checkpoint",
    effect=Effect.DESTROY,
    raises=(*PLACE, *STORE, *TREE, *RESTORE, CheckpointNotFound, CheckpointPinned, SessionNotFound),
    hints=Hints(
        cli=("checkpoints", "manage"),
        positional=("action",),
        shown=("action", "session_id", "checkpoint_id", "compare_with", "label", "project_path"),
        search="checkpoint create list restore compare delete",
    ),
)
async def manage(ctx: Context, wish: ManageCheckpoints) -> ManagedCheckpoints:
    """Create, list, restore, compare or delete checkpoints."""
    return await _ACTIONS[wish.action](ctx, await _placed(ctx, wish))


async def _placed(ctx: Context, wish: ManageCheckpoints) -> ManageCheckpoints:
    """Return the wish with the project of its session, or of its checkpoint, where it names none."""
    if wish.action in {"restore", "compare", "delete"} and wish.checkpoint_id is None:
        raise BadCheckpointRequest(f"{wish.action} needs checkpoint_id.", remedy="List them with action list.")
    project = wish.project_path
    if project is None and wish.checkpoint_id is not None:
        project = ctx.checkpoints.book.checkpoint(wish.checkpoint_id).project
    elif project is None and wish.session_id is not None:
        project = (await ctx.sessions.show(wish.session_id, ctx.caller)).project_path
    return wish.model_copy(update={"project_path": project})


async def _create(ctx: Context, wish: ManageCheckpoints) -> ManagedCheckpoints:
    order = CreateCheckpoint(project_path=wish.project_path, label=wish.label, session_id=wish.session_id)
    return ManagedCheckpoints(checkpoint=await ctx.checkpoints.create(order, ctx.caller))


async def _list(ctx: Context, wish: ManageCheckpoints) -> ManagedCheckpoints:
    order = ListCheckpoints(project_path=wish.project_path, session_id=wish.session_id)
    return ManagedCheckpoints(checkpoints=ctx.checkpoints.list(order, ctx.caller))


async def _restore(ctx: Context, wish: ManageCheckpoints) -> ManagedCheckpoints:
    order = RestoreCheckpoint(
        project_path=wish.project_path,
        checkpoint_id=wish.checkpoint_id or "",
        allow_config=wish.allow_config,
        force=wish.force,
    )
    return ManagedCheckpoints(restored=await ctx.checkpoints.restore(order, ctx.caller))


async def _compare(ctx: Context, wish: ManageCheckpoints) -> ManagedCheckpoints:
    order = DiffCheckpoints(
        project_path=wish.project_path, checkpoint_id=wish.checkpoint_id, compare_with=wish.compare_with
    )
    return ManagedCheckpoints(diff=await ctx.checkpoints.diff(order, ctx.caller))


async def _delete(ctx: Context, wish: ManageCheckpoints) -> ManagedCheckpoints:
    order = DeleteCheckpoints(checkpoint_ids=[wish.checkpoint_id or ""])
    return ManagedCheckpoints(deleted=await ctx.checkpoints.delete(order))


_ACTIONS = {"create": _create, "list": _list, "restore": _restore, "compare": _compare, "delete": _delete}

OPERATIONS = (create, restore, redo, manage)
