"""What a wish must be to be carried out, and what it comes to."""

from collections.abc import Mapping
from typing import Any

from claude_code_mcp.features.sessions.errors import BadPrompt, EmptyPrompt
from claude_code_mcp.features.sessions.models import (
    LaunchWish,
    Message,
    MessageState,
    Priority,
    SetSession,
    StartSession,
    Steering,
)
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.ids import MessageId, SessionId, is_uuid, uuid7

RANK: Mapping[Priority, int] = {Priority.LOW: 0, Priority.NORMAL: 1, Priority.HIGH: 2}
PROMPT_BYTES = 12 * 1024 * 1024


def prompt(text: str) -> str:
    """Return a prompt that can be sent.

    Raises:
        EmptyPrompt: there is nothing in it.
        BadPrompt: it holds a NUL or half a character, or is too long for one line of input.
    """
    if not text.strip():
        raise EmptyPrompt("The prompt is empty.", remedy="Say what Claude Code shall do.")
    if "\0" in text:
        raise BadPrompt("The prompt holds a NUL character.", remedy="Take it out.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadPrompt("The prompt is not valid Unicode text.", remedy="Send it as UTF-8.") from None
    if size > PROMPT_BYTES:
        raise BadPrompt(
            f"The prompt has {size} bytes; {PROMPT_BYTES} are the most.", remedy="Put it into a file and name that."
        )
    return text


def message(session_id: SessionId, text: str, steering: Steering, message_id: str | None) -> Message:
    """Return a message to keep.

    Raises:
        Invalid: the given id is no UUID.
    """
    if message_id is not None and not is_uuid(message_id.lower()):
        raise Invalid(f"{message_id!r} is not a message id.", remedy="Use a UUID, or leave it out.")
    return Message(
        id=MessageId(message_id.lower() if message_id else uuid7()),
        session_id=session_id,
        position=1,
        text=text,
        steering=steering.value,
        state=MessageState.PENDING,
        created_at="",
    )


def check_rewind(wish: StartSession) -> None:
    """Return when a wish that names a checkpoint names nothing that contradicts it.

    Raises:
        Invalid: it names a session or a message as well.
    """
    if wish.session_id is not None or wish.continue_last or wish.resume_at is not None:
        raise Invalid(
            "A checkpoint has its own conversation.",
            remedy="Give checkpoint_id without session_id, continue_last and resume_at.",
        )


def launch(wish: LaunchWish) -> dict[str, Any]:
    """Return the part of a wish that says how a process is to run; only what was asked for."""
    fields = set(LaunchWish.model_fields)
    return wish.model_dump(mode="json", include=fields, exclude_defaults=True, exclude_none=True)


def changes(wish: SetSession) -> dict[str, Any]:
    """Return what is to be changed.

    Raises:
        Invalid: nothing is.
    """
    wanted = wish.model_dump(mode="json", exclude={"session_id"}, exclude_none=True)
    if not wanted:
        raise Invalid("Nothing to change.", remedy="Give model, permission_mode, title, priority or labels.")
    return wanted
