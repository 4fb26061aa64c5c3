"""Keeping checkpoints: names, pins, retention, the store, files to carry, settings."""

from claude_code_mcp.features.checkpoints.errors import (
    BadCheckpointRequest,
    CheckpointNotFound,
    CheckpointPinned,
    CheckpointsClosing,
)
from claude_code_mcp.features.checkpoints.models.care import (
    ExportReply,
    ImportReply,
    KeyReply,
    SettingsReply,
    SweepReply,
    UsageReply,
    VerifyReply,
)
from claude_code_mcp.features.checkpoints.models.replies import CheckpointInfo, DeletedCheckpoints
from claude_code_mcp.features.checkpoints.models.requests import (
    DeleteCheckpoints,
    ExportCheckpoints,
    ImportCheckpoints,
    LabelCheckpoint,
    ManageKeys,
    PinCheckpoint,
    SetCheckpoints,
    ShowUsage,
    Sweep,
    VerifyStore,
)
from claude_code_mcp.features.checkpoints.operations.context import APART, PLACE, STORE, Context
from claude_code_mcp.kernel.operation import Effect, Hints, operation
from claude_code_mcp.platform.blobs.errors import ImportRefused, StoreNeedsRepair
from claude_code_mcp.platform.seal.errors import KeyRefused, KeyUnavailable


@operation(
    "checkpoints.label",
    effect=Effect.WRITE,
    surfaces=APART,
    raises=(CheckpointNotFound,),
    hints=Hints(positional=("checkpoint_id", "label"), idempotent=True),
)
async def label(ctx: Context, wish: LabelCheckpoint) -> CheckpointInfo:
    """Give a checkpoint a short name; retention never forgets one that has a name."""
    return await ctx.checkpoints.label(wish)


@operation(
    "checkpoints.pin",
    effect=Effect.WRITE,
    surfaces=APART,
    raises=(CheckpointNotFound,),
    hints=Hints(positional=("checkpoint_id",), idempotent=True),
)
async def pin(ctx: Context, wish: PinCheckpoint) -> CheckpointInfo:
    """Pin a checkpoint: nothing deletes it until it is unpinned."""
    return await ctx.checkpoints.pin(wish)


@operation(
    "checkpoints.delete",
    effect=Effect.DESTROY,
    surfaces=APART,
    raises=(CheckpointNotFound, CheckpointPinned),
    hints=Hints(positional=("checkpoint_ids",)),
)
async def delete(ctx: Context, wish: DeleteCheckpoints) -> DeletedCheckpoints:
    """Forget checkpoints, all of them or none; what came from one comes from its parent then."""
    return await ctx.checkpoints.delete(wish)


@operation(
    "checkpoints.gc",
    effect=Effect.DESTROY,
    surfaces=APART,
    raises=(*STORE, StoreNeedsRepair, CheckpointsClosing),
    hints=Hints(idempotent=True, search="sweep garbage retention free space"),
)
async def gc(ctx: Context, wish: Sweep) -> SweepReply:
    """Remove from the store what no checkpoint needs; it is done every hour anyway."""
    return await ctx.checkpoints.caring.sweep(wish)


@operation(
    "checkpoints.verify",
    effect=Effect.WRITE,
    surfaces=APART,
    raises=(*STORE, CheckpointsClosing),
    hints=Hints(idempotent=True, search="check damage repair corruption"),
)
async def verify(ctx: Context, wish: VerifyStore) -> VerifyReply:
    """Read and hash every byte of the store; with --repair bring back what is lost from the trees that have it."""
    return await ctx.checkpoints.caring.verify(wish)


@operation(
    "checkpoints.export",
    effect=Effect.WRITE,
    surfaces=APART,
    raises=(*PLACE, *STORE, CheckpointNotFound, BadCheckpointRequest, CheckpointsClosing),
    hints=Hints(positional=("path", "checkpoint_ids"), examples=("claude-code-mcp checkpoints export ~/app.ckpt",)),
)
async def export(ctx: Context, wish: ExportCheckpoints) -> ExportReply:
    """Write a project's checkpoints into one file, to be taken in elsewhere."""
    return await ctx.checkpoints.export_to(wish, ctx.caller)


@operation(
    "checkpoints.import",
    effect=Effect.WRITE,
    surfaces=APART,
    raises=(*PLACE, *STORE, ImportRefused, CheckpointsClosing),
    hints=Hints(positional=("path",), idempotent=True),
)
async def import_(ctx: Context, wish: ImportCheckpoints) -> ImportReply:
    """Take in checkpoints that export wrote, after checking every byte; the tree is not touched."""
    return await ctx.checkpoints.import_from(wish, ctx.caller)


@operation(
    "checkpoints.du",
    effect=Effect.READ,
    surfaces=APART,
    raises=(*STORE, CheckpointsClosing),
    hints=Hints(search="disk usage size"),
)
async def du(ctx: Context, _: ShowUsage) -> UsageReply:
    """Show how much room each project's checkpoints take, and the whole store."""
    return await ctx.checkpoints.caring.usage()


@operation(
    "checkpoints.settings",
    effect=Effect.WRITE,
    surfaces=APART,
    raises=(*PLACE, KeyUnavailable, CheckpointsClosing),
    hints=Hints(
        positional=("project_path",),
        idempotent=True,
        search="strategy ignore retention secrets",
        examples=("claude-code-mcp checkpoints settings --strategy smart --keep-last 100",),
    ),
)
async def settings(ctx: Context, wish: SetCheckpoints) -> SettingsReply:
    """Show or change how a project's checkpoints are taken and kept."""
    return await ctx.checkpoints.set(wish, ctx.caller)


@operation(
    "checkpoints.key",
    effect=Effect.WRITE,
    surfaces=APART,
    raises=(BadCheckpointRequest, KeyUnavailable, KeyRefused, CheckpointsClosing),
    hints=Hints(
        positional=("action", "path"),
        search="seal encrypt secrets keyring",
        examples=("claude-code-mcp checkpoints key", "claude-code-mcp checkpoints key export ~/safe/checkpoints.key"),
    ),
)
async def key(ctx: Context, wish: ManageKeys) -> KeyReply:
    """Show, renew or carry the keys that secrets are sealed with; a reply never holds one, only the file of export."""
    return await ctx.checkpoints.sealing.manage(wish, ctx.caller)


OPERATIONS = (label, pin, delete, gc, verify, export, import_, du, settings, key)
