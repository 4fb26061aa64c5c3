"""What was said: by the user, by the model, and what became of a message that was sent."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class MessageSaid(Fact, frozen=True, kw_only=True):
    """Somebody said something in the conversation. Subject: the message's uuid.

    `role`: "user" or "assistant". `text`: what was said, cut to 256 KiB; `text_bytes`: its whole size in bytes
    when it was cut, else 0. `message_id`: the id of the model's answer, shared by all blocks of it. `model`:
    who answered. `echo`: Claude Code repeats a message of ours because it takes it up now. `synthetic`: Claude
    Code wrote it, no person and no model did. `local_command`: it is the output of a slash command that asked
    no model. `answers`: uuids of the user messages that this answers. `attachments`: media types of what came
    with it, in order. `aborted`: the answer was broken off. `error`: Claude Code's word for the API error that
    the text tells of, and `error_status` its HTTP status.
    """

    kind: ClassVar[str] = "message.said"

    role: str
    text: str = ""
    text_bytes: int = 0
    message_id: str = ""
    model: str = ""
    echo: bool = False
    synthetic: bool = False
    local_command: bool = False
    answers: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    aborted: bool = False
    error: str = ""
    error_status: int | None = None


class ThinkingFinished(Fact, frozen=True, kw_only=True):
    """The model thought. Subject: the line's uuid.

    `text`: the thought, cut to 256 KiB; `text_bytes`: its whole size in bytes when it was cut, else 0.
    `duration_ms`: how long it took, where told. `redacted`: the provider keeps the text to itself.
    `message_id`: the answer that it belongs to.
    """

    kind: ClassVar[str] = "thinking.finished"

    text: str = ""
    text_bytes: int = 0
    duration_ms: int | None = None
    redacted: bool = False
    message_id: str = ""


class TextStreamed(Fact, frozen=True, kw_only=True):
    """A piece of an answer in the making; shown live, not worth keeping. Subject: the answer's id.

    `channel`: "text", "thinking" or "input" (JSON of a tool's input). `text`: the piece. `block`: the number of
    the block in its answer. `message_id`: the answer; the whole text follows in a `message.said` with the same
    id.
    """

    kind: ClassVar[str] = "text.streamed"

    channel: str
    text: str
    block: int = 0
    message_id: str = ""


class MessageQueued(Fact, frozen=True, kw_only=True):
    """A message that was sent with a uuid has arrived and waits. Subject: `message_uuid`."""

    kind: ClassVar[str] = "message.queued"

    message_uuid: str


class MessageStarted(Fact, frozen=True, kw_only=True):
    """A sent message is being worked on; from here it is never run again. Subject: `message_uuid`."""

    kind: ClassVar[str] = "message.started"

    message_uuid: str


class MessageCompleted(Fact, frozen=True, kw_only=True):
    """A sent message was worked on to the end, well or not. Subject: `message_uuid`."""

    kind: ClassVar[str] = "message.completed"

    message_uuid: str


class MessageCancelled(Fact, frozen=True, kw_only=True):
    """A sent message will not be worked on. Subject: `message_uuid`.

    `how`: "cancelled" (withdrawn), "discarded" or "refused" by Claude Code.
    """

    kind: ClassVar[str] = "message.cancelled"

    message_uuid: str
    how: str = "cancelled"
