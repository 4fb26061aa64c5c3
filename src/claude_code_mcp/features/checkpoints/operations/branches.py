"""Going on from a checkpoint in several ways, and comparing them."""

from typing import Protocol

from claude_code_mcp.features.checkpoints.errors import (
    BadCheckpointRequest,
    CheckpointNotFound,
    CheckpointsClosing,
    ConfigurationChange,
    ConversationCompacted,
    TreeInUse,
)
from claude_code_mcp.features.checkpoints.models.branches import (
    BranchComparison,
    CompareBranches,
    ForkCheckpoint,
    ForkedCheckpoint,
)
from claude_code_mcp.features.checkpoints.operations.context import STORE, TREE
from claude_code_mcp.features.checkpoints.service import Branching
from claude_code_mcp.features.sessions.errors import BadPrompt, EmptyPrompt, SessionNotFound
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, operation
from claude_code_mcp.platform.worktrees.errors import (
    ContentMissing,
    RestoreBlocked,
    RestoreConflict,
    RestoreFailed,
    TreeMoved,
    WorktreeRefused,
)


class Context(Protocol):
    """What these operations need."""

    @property
    def branches(self) -> Branching:
        """Branches."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "checkpoints.fork",
    tool="checkpoint_fork",
    effect=Effect.DESTROY,
    raises=(
        CheckpointNotFound, BadCheckpointRequest, WorktreeRefused, TreeInUse, ConfigurationChange,
        ConversationCompacted, RestoreBlocked, RestoreConflict, RestoreFailed, TreeMoved, ContentMissing,
        SessionNotFound, EmptyPrompt, BadPrompt, CheckpointsClosing, *STORE, *TREE,
    ),
    hints=Hints(
        positional=("checkpoint_id", "prompt"),
        open_world=True,
        shown=("checkpoint_id", "prompt", "into", "title"),
        search="branch worktree try another way conversation cut",
        examples=("claude-code-mcp checkpoints fork 0197… 'Try it with SQLite' --into worktree --title sqlite",),
    ),
)  # fmt: skip
async def fork(ctx: Context, wish: ForkCheckpoint) -> ForkedCheckpoint:
    """Go on from a checkpoint in a new session whose history ends there, in place or in a folder of its own."""
    return await ctx.branches.fork(wish, ctx.caller)


@operation(
    "checkpoints.branch_compare",
    tool="checkpoint_compare",
    effect=Effect.WRITE,
    raises=(CheckpointNotFound, BadCheckpointRequest, RestoreBlocked, RestoreFailed, ContentMissing,
            CheckpointsClosing, *STORE, *TREE),
    hints=Hints(
        cli=("checkpoints", "branch-compare"),
        positional=("branches",),
        open_world=True,
        task=True,
        search="compare branches tests cost diff side by side",
        examples=("claude-code-mcp checkpoints branch-compare 0197… 0198… --command 'make test'",),
    ),
)  # fmt: skip
async def branch_compare(ctx: Context, wish: CompareBranches) -> BranchComparison:
    """Compare branches side by side: files, lines, turns, cost, time, and how a test command ends in each."""
    return await ctx.branches.compare(wish, ctx.caller)


OPERATIONS = (fork, branch_compare)
