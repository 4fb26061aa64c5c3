"""Hooks of a session as a whole: opened and closed, prompts, turns, its memory, its surroundings."""

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import (
    BackgroundChanged,
    BackgroundTask,
    CompactionStarted,
    ContextCompacted,
    ModelFellBack,
    PersonNeeded,
    PromptTaken,
    SessionClosed,
    SessionOpened,
    TurnStopped,
)
from claude_code_mcp.platform.claude.fields import dicts_of, path_of, text_of, word_of
from claude_code_mcp.platform.claude.hooks.hook import Hook
from claude_code_mcp.platform.claude.hooks.tasks import notified
from claude_code_mcp.platform.claude.transcript.notices import command, task_notice

_TASKS = 100
_ASKED_FOR = "manual"


def opened(hook: Hook) -> None:
    """Take that a process begins to work on a session."""
    obj = hook.obj
    fact = SessionOpened(
        how=word_of(obj, "source") or word_of(obj, "trigger"),
        model=word_of(obj, "model"),
        cwd=path_of(obj, "cwd"),
        pid=hook.process.pid or None,
    )
    hook.emit(fact, hook.session)


def closed(hook: Hook) -> None:
    """Take that a process ends its work on a session in good order."""
    hook.emit(SessionClosed(reason=word_of(hook.obj, "reason")), hook.session)


def prompted(hook: Hook) -> None:
    """Take a prompt of a person, or what Claude Code says in their name when background work has ended."""
    text = text_of(hook.obj, "prompt")
    notice = task_notice(text) if text.startswith("<task-notification>") else None
    origin = "task-notification" if notice else command(text)[1]
    hook.emit(_prompt(hook, text, origin), hook.prompt_id or hook.session)
    if notice:
        notified(hook, notice)


def expanded(hook: Hook) -> None:
    """Take a slash command that becomes a prompt."""
    hook.emit(_prompt(hook, text_of(hook.obj, "prompt"), "command"), hook.prompt_id or hook.session)


def stopped(hook: Hook) -> None:
    """Take the end of a turn, and what runs on; then more turns follow."""
    running = tuple(
        BackgroundTask(
            task_id=word_of(task, "id"),
            task_type=word_of(task, "type"),
            description=clip(text_of(task, "description"), NOTE_BYTES)[0],
            agent_type=word_of(task, "agent_type"),
        )
        for task in dicts_of(hook.obj, "background_tasks")[:_TASKS]
        if word_of(task, "status") in ("", "running", "pending")
    )
    hook.emit(_stop(hook, background=len(running)), hook.prompt_id or hook.session)
    if "background_tasks" in hook.obj:
        hook.emit(BackgroundChanged(tasks=running), hook.session)


def broke(hook: Hook) -> None:
    """Take the end of a turn by an error of the API."""
    error = word_of(hook.obj, "error") or "unknown"
    hook.emit(_stop(hook, error=error), hook.prompt_id or hook.session)


def needed(hook: Hook) -> None:
    """Take what Claude Code told the person."""
    text = clip(text_of(hook.obj, "message"), NOTE_BYTES)[0]
    hook.emit(PersonNeeded(what=word_of(hook.obj, "notification_type"), text=text), hook.session)


def compacting(hook: Hook) -> None:
    """Take that the conversation is about to be shortened; who asks for it does so in a turn of its own."""
    if word_of(hook.obj, "trigger") == _ASKED_FOR:
        wish = text_of(hook.obj, "custom_instructions")
        hook.emit(_prompt(hook, f"/compact {wish}".strip(), "command"), hook.prompt_id or hook.session)
    hook.emit(CompactionStarted(trigger=word_of(hook.obj, "trigger")), hook.session)


def compacted(hook: Hook) -> None:
    """Take that it was; how much shorter is in the transcript."""
    trigger = word_of(hook.obj, "trigger")
    hook.emit(ContextCompacted(trigger=trigger), hook.session)
    if trigger == _ASKED_FOR:
        hook.emit(_stop(hook), hook.prompt_id or hook.session)


def switched(hook: Hook) -> None:
    """Take that another model goes on."""
    obj = hook.obj
    fact = ModelFellBack(
        trigger=word_of(obj, "source"),
        original_model=word_of(obj, "from_model"),
        fallback_model=word_of(obj, "to_model"),
    )
    hook.emit(fact, hook.session)


def moved(hook: Hook) -> None:
    """Take the session's new working directory."""
    hook.notice(path_of(hook.obj, "new_cwd"), "cwd_changed")


def touched(hook: Hook) -> None:
    """Take a change of a file or folder that Claude Code looks after, or that it read instructions."""
    obj = hook.obj
    tag = {
        "ConfigChange": "config_change",
        "FileChanged": "file_changed",
        "DirectoryAdded": "directory_added",
        "InstructionsLoaded": "instructions_loaded",
        "WorktreeCreate": "worktree_create",
        "WorktreeRemove": "worktree_remove",
    }[hook.payload.event]
    what = (
        path_of(obj, "file_path") or path_of(obj, "directory") or path_of(obj, "worktree_path") or path_of(obj, "name")
    )
    how = word_of(obj, "source") or word_of(obj, "event") or word_of(obj, "load_reason")
    hook.notice(f"{how}: {what}" if how else what, tag)


def idle(hook: Hook) -> None:
    """Take that a teammate has nothing to do."""
    hook.notice(word_of(hook.obj, "teammate_name") or word_of(hook.obj, "agent_type"), "teammate_idle")


def nothing(_: Hook) -> None:
    """Take what is told better elsewhere: pieces of answers, batches of calls, what is only about to happen."""


def _prompt(hook: Hook, text: str, origin: str) -> PromptTaken:
    return PromptTaken(
        prompt_id=hook.prompt_id,
        text=clip(text, NOTE_BYTES)[0],
        origin=origin,
        permission_mode=word_of(hook.obj, "permission_mode"),
        cwd=path_of(hook.obj, "cwd"),
    )


def _stop(hook: Hook, *, background: int = 0, error: str = "") -> TurnStopped:
    return TurnStopped(
        prompt_id=hook.prompt_id,
        ok=not error,
        error=error,
        background=background,
        last_message=clip(text_of(hook.obj, "last_assistant_message"), NOTE_BYTES)[0],
    )
