"""The session as a whole: its state, name, memory and hooks, and what Claude Code remarks.

The subject is the session, unless said otherwise.
"""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class SessionStateChanged(Fact, frozen=True, kw_only=True):
    """The session is busy, waits for an answer, or is idle; the truth about it, background work included.

    `state`: "running", "requires_action" or "idle".
    """

    kind: ClassVar[str] = "session.state_changed"

    state: str


class SessionTitled(Fact, frozen=True, kw_only=True):
    """The session has another name. `title`: the new one."""

    kind: ClassVar[str] = "session.titled"

    title: str


class PermissionModeChanged(Fact, frozen=True, kw_only=True):
    """From now on tools are allowed by another rule. `mode`: the new permission mode; `previous`: the old one."""

    kind: ClassVar[str] = "session.mode_changed"

    mode: str
    previous: str = ""


class ConversationReset(Fact, frozen=True, kw_only=True):
    """The conversation was thrown away and a new one begins in the same process.

    `trigger`: "clear", "plan_mode_exit" or another cause. `message_uuid`: the message that asked for it.
    """

    kind: ClassVar[str] = "conversation.reset"

    trigger: str = ""
    message_uuid: str = ""


class SessionIdChanged(Fact, frozen=True, kw_only=True):
    """The same process now writes under another session id (after `/clear`). The event's session is the new one.

    `previous`: the id until now.
    """

    kind: ClassVar[str] = "session.id_changed"

    previous: str


class CompactionStarted(Fact, frozen=True, kw_only=True):
    """Claude Code began to shorten the conversation. `trigger`: "manual" or "auto", "" where not told."""

    kind: ClassVar[str] = "compaction.started"

    trigger: str = ""


class ContextCompacted(Fact, frozen=True, kw_only=True):
    """The conversation was replaced by a summary.

    `trigger`: "manual" or "auto". `pre_tokens`, `post_tokens`: its size before and after. `duration_ms`: how
    long it took.
    """

    kind: ClassVar[str] = "context.compacted"

    trigger: str = ""
    pre_tokens: int = 0
    post_tokens: int = 0
    duration_ms: int = 0


class CompactionFailed(Fact, frozen=True, kw_only=True):
    """The conversation could not be shortened. `error`: why."""

    kind: ClassVar[str] = "compaction.failed"

    error: str = ""


class HookStarted(Fact, frozen=True, kw_only=True):
    """A hook of the user's settings began. Subject: `hook_id`. `name`: event and matcher; `event`: which event."""

    kind: ClassVar[str] = "hook.started"

    hook_id: str
    name: str = ""
    event: str = ""


class HookFinished(Fact, frozen=True, kw_only=True):
    """A hook ended. Subject: `hook_id`.

    `name`: event and matcher; `event`: which hook event. `outcome`: "success", "error" or "cancelled".
    `exit_code`: of the command, or the HTTP status. `output`: what it printed, cut to 4 KiB; `output_bytes`:
    its whole size in bytes when it was cut, else 0.
    """

    kind: ClassVar[str] = "hook.finished"

    hook_id: str
    name: str = ""
    event: str = ""
    outcome: str = ""
    exit_code: int | None = None
    output: str = ""
    output_bytes: int = 0


class NoticeShown(Fact, frozen=True, kw_only=True):
    """Claude Code remarks something for the person to read.

    `text`: the remark, cut to 4 KiB. `level`: "info", "notice", "suggestion" or "warning". `tag`: what kind of
    remark it is, where Claude Code says so.
    """

    kind: ClassVar[str] = "notice.shown"

    text: str
    level: str = "info"
    tag: str = ""


class CommandsChanged(Fact, frozen=True, kw_only=True):
    """Other slash commands and skills can be used now. `names`: all of them, at most 200."""

    kind: ClassVar[str] = "commands.changed"

    names: tuple[str, ...] = ()


class WritesLost(Fact, frozen=True, kw_only=True):
    """Claude Code could not save part of its transcript or settings, because the disk was full.

    `error`: "ENOSPC" or "EDQUOT". `lost`: "transcript", "global_config" or both.
    """

    kind: ClassVar[str] = "session.writes_lost"

    error: str = ""
    lost: tuple[str, ...] = ()
