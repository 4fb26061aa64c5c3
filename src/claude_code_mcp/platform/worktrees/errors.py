"""Why a tree was not read, or was left as it is."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class TreeNotFound(NotFound):
    """There is no directory at the root that was named."""

    code = "tree_not_found"


class TreeBusy(Conflict):
    """Another restore is at work in this tree, or somebody keeps it locked; nothing was changed."""

    code = "tree_busy"


class ManifestRefused(Invalid):
    """A manifest is not one of ours, is damaged, or names a path that no tree can have; nothing was written."""

    code = "manifest_refused"


class RestoreBlocked(Conflict):
    """What the restore would need to replace is none of the files that it may touch; nothing was changed."""

    code = "restore_blocked"


class RestoreConflict(Conflict):
    """Files were changed since the state that the caller knows; nothing was changed by us."""

    code = "restore_conflict"


class TreeMoved(Conflict):
    """Files were changed by somebody else while the restore was prepared; nothing was changed by us."""

    code = "tree_moved"


class ContentMissing(Unavailable):
    """The store lacks, or cannot vouch for, content that the restore needs; the tree was left as it is."""

    code = "content_missing"


class RestoreFailed(Unavailable):
    """The disk would not take the restored files; the tree was left as it is."""

    code = "restore_failed"


class WorktreeRefused(Conflict):
    """git made no worktree; nothing was changed."""

    code = "worktree_refused"
