"""Facts of our own doing; what Claude Code itself says stands in `platform.claude.facts`."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from claude_code_mcp.kernel.events import Fact


class SessionStarted(Fact, frozen=True, kw_only=True):
    """A session was accepted; its process starts when there is a place."""

    kind: ClassVar[str] = "session.started"
    project_path: str
    origin: str
    permission_mode: str
    trusted: bool
    model: str | None = None
    parent_id: str | None = None
    left_out: tuple[str, ...] = ()
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)


class MessageSubmitted(Fact, frozen=True, kw_only=True):
    """A message of ours is to be sent; `text` is cut at 8,000 characters, `size` is the whole in bytes."""

    kind: ClassVar[str] = "message.submitted"
    message_id: str
    text: str
    size: int
    steering: str


class RunStarted(Fact, frozen=True, kw_only=True):
    """A process was started for the session, or the session's process was found again."""

    kind: ClassVar[str] = "run.started"
    run_id: str
    binary: str
    cli_version: str
    pid: int | None = None


class RunAttached(Fact, frozen=True, kw_only=True):
    """A new daemon took up a process that went on without one."""

    kind: ClassVar[str] = "run.attached"
    run_id: str
    offset: int


class RunExited(Fact, frozen=True, kw_only=True):
    """The process ended. `reason` is ours (idle, stop, kill, timeout …) or empty when it ended by itself."""

    kind: ClassVar[str] = "run.exited"
    run_id: str
    outcome: str
    code: int | None = None
    signal: int | None = None
    reason: str = ""
    stderr: str = ""


class SessionStateMoved(Fact, frozen=True, kw_only=True):
    """The session came into another state by our doing."""

    kind: ClassVar[str] = "session.state_moved"
    before: str
    after: str
    why: str = ""


class SessionAborted(Fact, frozen=True, kw_only=True):
    """Somebody asked to stop."""

    kind: ClassVar[str] = "session.aborted"
    mode: str
    reason: str = ""


class SessionChanged(Fact, frozen=True, kw_only=True):
    """Model, permission mode, title, priority or labels were changed."""

    kind: ClassVar[str] = "session.changed"
    changed: dict[str, Any]


class SessionFailed(Fact, frozen=True, kw_only=True):
    """The session could not go on."""

    kind: ClassVar[str] = "session.failed"
    code: str
    message: str


class SessionTimedOut(Fact, frozen=True, kw_only=True):
    """A busy period took longer than the session's `timeout_s` allows."""

    kind: ClassVar[str] = "session.timed_out"
    timeout_s: float


class SessionOverQuota(Fact, frozen=True, kw_only=True):
    """A process was ended because it wrote too much, or because the disk was about to be full."""

    kind: ClassVar[str] = "session.over_quota"
    written_bytes: int
    limit_bytes: int
    free_bytes: int


class DiskRanLow(Fact, frozen=True, kw_only=True):
    """Free space fell under the limit; nothing new is started until there is more."""

    kind: ClassVar[str] = "disk.ran_low"
    free_bytes: int
    limit_bytes: int


class DiskRecovered(Fact, frozen=True, kw_only=True):
    """There is space again."""

    kind: ClassVar[str] = "disk.recovered"
    free_bytes: int
