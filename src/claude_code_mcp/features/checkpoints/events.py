"""Facts about checkpoints. The subject of each is the checkpoint's id, or the project's path."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class CheckpointTaken(Fact, frozen=True, kw_only=True):
    """A tree was taken. `trigger` says why; `torn` counts files that changed while they were read."""

    kind: ClassVar[str] = "checkpoint.taken"

    checkpoint_id: str
    project_path: str
    trigger: str
    parent_id: str | None = None
    message: str = ""
    files: int = 0
    content_bytes: int = 0
    stored_bytes: int = 0
    torn: int = 0


class CheckpointRestored(Fact, frozen=True, kw_only=True):
    """A tree was made what a checkpoint says, or the part of it that was asked for (`whole` is false then).

    `safety_id` is what the tree was before. `recovered`: it was found finished after a crash.
    """

    kind: ClassVar[str] = "checkpoint.restored"

    checkpoint_id: str
    project_path: str
    safety_id: str | None = None
    changes: int = 0
    whole: bool = True
    redo: bool = False
    recovered: bool = False


class CheckpointForked(Fact, frozen=True, kw_only=True):
    """A branch was begun: the checkpoint's files are in `folder` (the project itself, or one of the branch's own).

    `session_id`: the session that goes on there, None where none was begun.
    """

    kind: ClassVar[str] = "checkpoint.forked"

    checkpoint_id: str
    project_path: str
    folder: str
    session_id: str | None = None


class CheckpointChanged(Fact, frozen=True, kw_only=True):
    """Its label, its message or its pin is another now."""

    kind: ClassVar[str] = "checkpoint.changed"

    checkpoint_id: str
    label: str | None = None
    pinned: bool = False


class CheckpointDeleted(Fact, frozen=True, kw_only=True):
    """A checkpoint was forgotten: by hand, or by `retention`. Its bytes go with the next sweep."""

    kind: ClassVar[str] = "checkpoint.deleted"

    checkpoint_id: str
    project_path: str
    why: str


class CheckpointSettingsChanged(Fact, frozen=True, kw_only=True):
    """A project's checkpoints are taken or kept in another way from now on."""

    kind: ClassVar[str] = "checkpoint.settings_changed"

    project_path: str
    strategy: str


class CheckpointsImported(Fact, frozen=True, kw_only=True):
    """Checkpoints came in from a file."""

    kind: ClassVar[str] = "checkpoint.imported"

    project_path: str
    checkpoints: int


class CheckpointStoreSwept(Fact, frozen=True, kw_only=True):
    """What no checkpoint needs any more was removed from the object store."""

    kind: ClassVar[str] = "checkpoint.swept"

    freed_bytes: int
    objects_deleted: int


class CheckpointStoreDamaged(Fact, frozen=True, kw_only=True):
    """A look at the whole store found objects that are lost; `healed` were brought back."""

    kind: ClassVar[str] = "checkpoint.store_damaged"

    lost: int
    healed: int
