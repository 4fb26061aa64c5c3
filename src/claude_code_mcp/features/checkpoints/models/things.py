"""A checkpoint, a project that has some, and a restore that is under way."""

from enum import StrEnum

import msgspec

from claude_code_mcp.kernel.ids import CheckpointId


class Trigger(StrEnum):
    """Why a checkpoint was taken. `safety`: before a restore; `fork`: as the beginning of a branch."""

    MANUAL = "manual"
    PER_PROMPT = "per_prompt"
    PER_TOOL_USE = "per_tool_use"
    SMART = "smart"
    INTERVAL = "interval"
    SAFETY = "safety"
    FORK = "fork"
    IMPORT = "import"


AUTOMATIC = frozenset({Trigger.PER_PROMPT, Trigger.PER_TOOL_USE, Trigger.SMART, Trigger.INTERVAL, Trigger.SAFETY})
"""What nobody asked for by name: only these are forgotten by retention."""


class Strategy(StrEnum):
    """When checkpoints of a project are taken by themselves; `manual`: never."""

    MANUAL = "manual"
    PER_PROMPT = "per_prompt"
    PER_TOOL_USE = "per_tool_use"
    SMART = "smart"
    INTERVAL = "interval"


class SecretsPolicy(StrEnum):
    """What is done with `.env` and its like: kept although git ignores them (as they are, or sealed with a key from the
    keyring), left out, or treated as git does."""

    KEEP = "keep"
    SEAL = "seal"
    LEAVE_OUT = "leave_out"
    AS_GIT = "as_git"


class Point(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A point in a conversation.

    `session_id` is ours (for somebody else's session, Claude Code's), `conversation_id` what Claude Code calls it.
    `message_uuid` is the last line of the transcript that belongs to it, `transcript_bytes` where that line ends.
    """

    session_id: str | None = None
    conversation_id: str | None = None
    message_uuid: str | None = None
    transcript_path: str | None = None
    transcript_bytes: int | None = None
    prompt_id: str | None = None
    cost_microusd: int | None = None


class Checkpoint(msgspec.Struct, kw_only=True):
    """One checkpoint. `manifest` is the SHA-256 of the tree's manifest in the object store, in hexadecimal.

    `torn`: files that changed during every try to read them, so they are not in it; `retried`: those that were caught
    in a later try. `left_out` counts what else is not in it, by reason. `stored_bytes`: what it added to the store.
    `cause`: the moment that an automatic one belongs to (such as "after_tool:<tool_use_id>"), taken once for each.
    `remarks`: what must be known to judge it, such as that it came late.
    """

    id: CheckpointId
    project: str
    manifest: str
    trigger: Trigger
    created_at: str
    parent: CheckpointId | None = None
    message: str = ""
    label: str | None = None
    pinned: bool = False
    point: Point = msgspec.field(default_factory=Point)
    files: int = 0
    content_bytes: int = 0
    stored_bytes: int = 0
    took_ms: int = 0
    torn: list[str] = msgspec.field(default_factory=list)
    retried: list[str] = msgspec.field(default_factory=list)
    left_out: dict[str, int] = msgspec.field(default_factory=dict)
    cause: str = ""
    remarks: list[str] = msgspec.field(default_factory=list)
    client: str = ""

    @property
    def digest(self) -> bytes:
        """The manifest's name in the object store."""
        return bytes.fromhex(self.manifest)


class Keep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which automatic checkpoints stay: the `last` so many, one for each of so many hours and days.

    `stored_bytes`: above so much of the store, the oldest of them go as well; None sets no bound.
    """

    last: int = 50
    hourly: int = 48
    daily: int = 30
    stored_bytes: int | None = None


class TreeSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a project's checkpoints are taken and kept."""

    strategy: Strategy = Strategy.MANUAL
    interval_s: float = 600.0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    defaults: bool = True
    git: bool = True
    secrets: SecretsPolicy = SecretsPolicy.KEEP
    secret_files: tuple[str, ...] = ()
    most_file_bytes: int = 2 * 1024 * 1024 * 1024
    keep: Keep = msgspec.field(default_factory=Keep)


class Project(msgspec.Struct, kw_only=True):
    """A project that has checkpoints: the one that its tree stands on, and what redo would bring back, newest last."""

    path: str
    position: CheckpointId | None = None
    redo: list[CheckpointId] = msgspec.field(default_factory=list)
    settings: TreeSettings = msgspec.field(default_factory=TreeSettings)


class PendingRestore(msgspec.Struct, frozen=True, kw_only=True):
    """A restore that has begun: what is to be noted when it is found finished after a crash.

    `paths`: what of the tree is meant; empty for the whole.
    """

    id: str
    project: str
    target: CheckpointId
    safety: CheckpointId | None
    redo: bool
    begun_at: str
    paths: tuple[bytes, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the whole tree is meant."""
        return not self.paths
