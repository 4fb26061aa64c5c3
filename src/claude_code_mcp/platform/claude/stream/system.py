"""Lines about the session as a whole: state, title, mode, compaction, hooks, remarks."""

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import (
    CommandsChanged,
    CompactionFailed,
    CompactionStarted,
    ContextCompacted,
    ConversationReset,
    HookFinished,
    HookStarted,
    MessageCancelled,
    MessageCompleted,
    MessageQueued,
    MessageStarted,
    NoticeShown,
    PermissionModeChanged,
    SessionStateChanged,
    SessionTitled,
    ToolProgressed,
    WritesLost,
)
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, id_of, int_of, text_of, word_of, words_of
from claude_code_mcp.platform.claude.stream.state import Line
from claude_code_mcp.platform.claude.stream.unknown import unknown_line


def session_state(line: Line) -> None:
    """Take running, requires_action or idle."""
    told = word_of(line.obj, "state")
    line.change(told=told)
    line.emit(SessionStateChanged(state=told), line.session)


def session_title(line: Line) -> None:
    """Take the session's new name."""
    line.emit(SessionTitled(title=clip(text_of(line.obj, "title"), NOTE_BYTES)[0]), line.session)


def status(line: Line) -> None:
    """Take a change of the permission mode, or a step of a compaction; that a request goes out says nothing."""
    obj = line.obj
    mode = word_of(obj, "permissionMode")
    if mode and mode != line.state.permission_mode:
        line.emit(PermissionModeChanged(mode=mode, previous=line.state.permission_mode), line.session)
        line.change(permission_mode=mode)
    if obj.get("status") == "compacting":
        line.emit(CompactionStarted(), line.session)
    if obj.get("compact_result") == "failed":
        line.emit(CompactionFailed(error=clip(text_of(obj, "compact_error"), NOTE_BYTES)[0]), line.session)


def compact_boundary(line: Line) -> None:
    """Take the point from which on a summary stands for the conversation."""
    meta = dict_of(line.obj, "compact_metadata")
    fact = ContextCompacted(
        trigger=word_of(meta, "trigger"),
        pre_tokens=int_of(meta, "pre_tokens") or 0,
        post_tokens=int_of(meta, "post_tokens") or 0,
        duration_ms=int_of(meta, "duration_ms") or 0,
    )
    line.emit(fact, line.session)


def conversation_reset(line: Line) -> None:
    """Take `/clear` and its like. The new session id is not in this line; the next turn brings it."""
    obj = line.obj
    fact = ConversationReset(trigger=word_of(obj, "trigger"), message_uuid=word_of(obj, "user_message_uuid"))
    line.emit(fact, line.session)


def hook_started(line: Line) -> None:
    """Take the start of a hook of the user's settings."""
    obj = line.obj
    hook_id = word_of(obj, "hook_id")
    line.emit(HookStarted(hook_id=hook_id, name=word_of(obj, "hook_name"), event=word_of(obj, "hook_event")), hook_id)


def hook_finished(line: Line) -> None:
    """Take what a hook of the user's settings printed and came to."""
    obj = line.obj
    output, size = clip(text_of(obj, "output") or text_of(obj, "stderr"), NOTE_BYTES)
    hook_id = word_of(obj, "hook_id")
    fact = HookFinished(
        hook_id=hook_id,
        name=word_of(obj, "hook_name"),
        event=word_of(obj, "hook_event"),
        outcome=word_of(obj, "outcome"),
        exit_code=int_of(obj, "exit_code"),
        output=output,
        output_bytes=size,
    )
    line.emit(fact, hook_id)


def notice(line: Line) -> None:
    """Take a remark for the person."""
    obj = line.obj
    text = text_of(obj, "content") or text_of(obj, "text") or text_of(obj, "summary")
    if not text:
        unknown_line(line)
        return
    tag = word_of(obj, "tag") or word_of(obj, "key")
    subtype = word_of(obj, "subtype") or word_of(obj, "type")
    fact = NoticeShown(
        text=clip(text, NOTE_BYTES)[0],
        level=word_of(obj, "level") or "info",
        tag=tag or ("" if subtype == "informational" else subtype),
    )
    line.emit(fact, line.session, tool_use_id=id_of(obj, "tool_use_id"))


def commands_changed(line: Line) -> None:
    """Take the names of all slash commands; their descriptions are some 20 KB that nobody follows."""
    names = tuple(name for command in dicts_of(line.obj, "commands")[:200] if (name := word_of(command, "name")))
    line.emit(CommandsChanged(names=names), line.session)


def writes_lost(line: Line) -> None:
    """Take the news that Claude Code could not save."""
    fact = WritesLost(error=word_of(line.obj, "error_code"), lost=words_of(line.obj, "lost"))
    line.emit(fact, line.session)


def lifecycle(line: Line) -> None:
    """Take what becomes of a message that was sent with a uuid."""
    message_uuid = id_of(line.obj, "command_uuid")
    state = line.obj.get("state")
    if message_uuid is None:
        unknown_line(line)
    elif state == "queued":
        line.emit(MessageQueued(message_uuid=message_uuid), message_uuid)
    elif state == "started":
        line.emit(MessageStarted(message_uuid=message_uuid), message_uuid)
    elif state == "completed":
        line.emit(MessageCompleted(message_uuid=message_uuid), message_uuid)
    elif state in ("cancelled", "discarded", "refused"):
        line.emit(MessageCancelled(message_uuid=message_uuid, how=str(state)), message_uuid)
    else:
        unknown_line(line)


def tool_progress(line: Line) -> None:
    """Take the heartbeat of a tool that runs."""
    tool_use_id = id_of(line.obj, "tool_use_id")
    if tool_use_id is None:
        unknown_line(line)
        return
    elapsed = int_of(line.obj, "elapsed_time_seconds") or 0
    fact = ToolProgressed(name=word_of(line.obj, "tool_name"), elapsed_s=elapsed)
    line.emit(fact, tool_use_id, tool_use_id=tool_use_id)


def nothing(line: Line) -> None:
    """Take a line that is known to say nothing worth an event."""
    del line
