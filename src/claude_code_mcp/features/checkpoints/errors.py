"""What can go wrong with a checkpoint."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound


class CheckpointNotFound(NotFound):
    """There is no checkpoint of this id, or it is another project's."""

    code = "checkpoint_not_found"


class CheckpointPinned(Conflict):
    """It is pinned, so it is not deleted."""

    code = "checkpoint_pinned"


class TreeInUse(Conflict):
    """A session or job is at work in the tree; nothing was changed."""

    code = "tree_in_use"


class ConfigurationChange(Conflict):
    """The restore would change files that can run something; nothing was changed."""

    code = "configuration_change"


class NothingToRedo(Conflict):
    """No restore has been made that could be taken back."""

    code = "nothing_to_redo"


class BadCheckpointRequest(Invalid):
    """The wish does not fit together; nothing was changed."""

    code = "bad_checkpoint_request"


class CheckpointsClosing(Conflict):
    """The daemon is shutting down; nothing was kept."""

    code = "checkpoints_closing"


class ConversationCompacted(Conflict):
    """The conversation was compacted since, and Claude Code cannot go back to before that; nothing was changed."""

    code = "conversation_compacted"
