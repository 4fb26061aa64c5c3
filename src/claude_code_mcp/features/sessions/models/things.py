"""A session as the store keeps it, the messages that wait for it, and the processes that ran it."""

from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from claude_code_mcp.kernel.ids import MessageId, RunId, SessionId


class SessionState(StrEnum):
    """What a session is doing.

    `idle` needs no process: a session whose process has ended after its work takes the next message all the
    same. `stopped` was ended on purpose, `failed` could not go on by itself; both can be resumed.
    """

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    IDLE = "idle"
    STOPPED = "stopped"
    FAILED = "failed"


class Origin(StrEnum):
    """How we came to know the session."""

    STARTED = "started"
    FORKED = "forked"
    ADOPTED = "adopted"


class MessageState(StrEnum):
    """How far a message of ours has come: in our queue, in the CLI's, in a turn, answered, or never to be run."""

    PENDING = "pending"
    SENT = "sent"
    STARTED = "started"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Session(msgspec.Struct, kw_only=True):
    """One session. `conversation_id` is what Claude Code calls it now; `/clear` changes it, our `id` stays."""

    id: SessionId
    conversation_id: str
    project_path: str
    origin: Origin
    state: SessionState
    priority: int
    created_at: str
    updated_at: str
    launch: dict[str, Any] = msgspec.field(default_factory=dict)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    left_out: list[str] = msgspec.field(default_factory=list)
    parent_id: SessionId | None = None
    title: str | None = None
    model: str | None = None
    permission_mode: str = "default"
    trusted: bool = False
    turns: int = 0
    cost_microusd: int = 0
    background: int = 0
    busy_since: str | None = None
    run_id: RunId | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    crashes: int = 0


class Message(msgspec.Struct, kw_only=True):
    """One message of ours to a session; `id` is the uuid that Claude Code deduplicates by."""

    id: MessageId
    session_id: SessionId
    position: int
    text: str
    steering: str
    state: MessageState
    created_at: str
    run_id: RunId | None = None


class RunRecord(msgspec.Struct, kw_only=True):
    """One process of a session: how far we read its output, and how it ended.

    `generation` counts how often its output file was cut to nothing under it: offsets begin at 0 again then.
    """

    id: RunId
    session_id: SessionId
    created_at: str
    offset: int = 0
    generation: int = 0
    stream: bytes = b""
    ended_at: str | None = None
    exit: dict[str, Any] | None = None
    stopping: str | None = None


class SessionProcess(NamedTuple):
    """A session of ours that has a process: Claude Code's pid and its supervisor's, None before they are known."""

    session_id: SessionId
    run_id: str
    pid: int | None
    supervisor_pid: int | None


class ConversationPlace(NamedTuple):
    """Where a session's conversation is kept: Claude Code's id of it, and its transcript, None before it has one.

    `borrowed`: it is that of the session which this one is a copy of, until Claude Code makes the copy; `at`: the copy
    will end after this message, None for all of it. `cost_microusd`: what the session came to until now.
    """

    session_id: str
    project_path: str
    conversation_id: str
    transcript: Path | None
    borrowed: bool = False
    at: str | None = None
    cost_microusd: int | None = None
