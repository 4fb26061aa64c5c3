"""Lines about subagents and background work."""

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import (
    BackgroundChanged,
    BackgroundTask,
    SubagentFinished,
    SubagentProgressed,
    SubagentStarted,
    TaskChanged,
    TaskFinished,
    TaskProgressed,
    TaskStarted,
)
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, id_of, int_of, path_of, text_of, word_of
from claude_code_mcp.platform.claude.stream.state import Line, OpenTask, added, without
from claude_code_mcp.platform.claude.stream.unknown import unknown_line

_AGENT = "local_agent"


def task_started(line: Line) -> None:
    """Take the start of a subagent or task; a foreground command that takes longer than some seconds is one too."""
    obj = line.obj
    task_id = id_of(obj, "task_id")
    if task_id is None:
        unknown_line(line)
        return
    call = id_of(obj, "tool_use_id")
    description, _ = clip(text_of(obj, "description"), NOTE_BYTES)
    parent_task = word_of(obj, "parent_task_id")
    background = obj.get("is_backgrounded") is True
    subagent = obj.get("task_type") == _AGENT
    line.change(tasks=added(line.state.tasks, task_id, OpenTask(subagent=subagent, tool_use_id=call)))
    if subagent:
        fact = SubagentStarted(
            task_id=task_id,
            agent_type=word_of(obj, "subagent_type"),
            description=description,
            prompt=clip(text_of(obj, "prompt"), NOTE_BYTES)[0],
            background=background,
            depth=int_of(obj, "spawn_depth") or 1,
            parent_task_id=parent_task,
        )
        line.emit(fact, task_id, tool_use_id=call, parent=call, agent_id=task_id)
        return
    started = TaskStarted(
        task_id=task_id,
        task_type=word_of(obj, "task_type"),
        description=description,
        background=background,
        parent_task_id=parent_task,
    )
    line.emit(started, task_id, tool_use_id=call, parent=call, agent_id=parent_task or None)


def task_progress(line: Line) -> None:
    """Take how far a subagent or task is."""
    obj = line.obj
    task_id = id_of(obj, "task_id")
    if task_id is None:
        unknown_line(line)
        return
    call = id_of(obj, "tool_use_id")
    usage = dict_of(obj, "usage")
    doing, _ = clip(text_of(obj, "summary") or text_of(obj, "description"), NOTE_BYTES)
    duration = int_of(usage, "duration_ms") or 0
    if not _is_subagent(line, task_id):
        fact = TaskProgressed(task_id=task_id, doing=doing, duration_ms=duration)
        line.emit(fact, task_id, tool_use_id=call, parent=call)
        return
    progressed = SubagentProgressed(
        task_id=task_id,
        doing=doing,
        last_tool=word_of(obj, "last_tool_name"),
        total_tokens=int_of(usage, "total_tokens") or 0,
        tool_uses=int_of(usage, "tool_uses") or 0,
        duration_ms=duration,
    )
    line.emit(progressed, task_id, tool_use_id=call, parent=call, agent_id=task_id)


def task_updated(line: Line) -> None:
    """Take a change of a task's state. Its end is told once more, with a report, by a notification."""
    task_id = id_of(line.obj, "task_id")
    if task_id is None:
        unknown_line(line)
        return
    patch = dict_of(line.obj, "patch")
    background = patch.get("is_backgrounded")
    fact = TaskChanged(
        task_id=task_id,
        status=word_of(patch, "status"),
        description=clip(text_of(patch, "description"), NOTE_BYTES)[0],
        background=background if isinstance(background, bool) else None,
        error=clip(text_of(patch, "error"), NOTE_BYTES)[0],
    )
    known = line.state.tasks.get(task_id)
    call = known.tool_use_id if known else None
    line.emit(fact, task_id, tool_use_id=call, parent=call, agent_id=task_id if known and known.subagent else None)


def task_notification(line: Line) -> None:
    """Take the end of a subagent or task."""
    obj = line.obj
    task_id = id_of(obj, "task_id")
    if task_id is None:
        unknown_line(line)
        return
    known = line.state.tasks.get(task_id)
    call = id_of(obj, "tool_use_id") or (known.tool_use_id if known else None)
    usage = dict_of(obj, "usage")
    summary, _ = clip(text_of(obj, "summary"), NOTE_BYTES)
    status, output = word_of(obj, "status"), path_of(obj, "output_file")
    # Only subagents report usage, so one whose start was not seen is still told apart.
    if known.subagent if known else bool(usage):
        fact = SubagentFinished(
            task_id=task_id,
            status=status,
            summary=summary,
            output_file=output,
            total_tokens=int_of(usage, "total_tokens") or 0,
            tool_uses=int_of(usage, "tool_uses") or 0,
            duration_ms=int_of(usage, "duration_ms") or 0,
        )
        line.emit(fact, task_id, tool_use_id=call, parent=call, agent_id=task_id)
    else:
        finished = TaskFinished(task_id=task_id, status=status, summary=summary, output_file=output)
        line.emit(finished, task_id, tool_use_id=call, parent=call)
    if known:
        line.change(tasks=without(line.state.tasks, task_id))


def background_changed(line: Line) -> None:
    """Take the whole list of what runs in the background."""
    tasks = tuple(
        BackgroundTask(
            task_id=word_of(task, "task_id"),
            task_type=word_of(task, "task_type"),
            description=clip(text_of(task, "description"), NOTE_BYTES)[0],
            agent_type=word_of(task, "subagent_type"),
            ambient=task.get("ambient") is True,
        )
        for task in dicts_of(line.obj, "tasks")[:100]
    )
    line.emit(BackgroundChanged(tasks=tasks), line.session)


def _is_subagent(line: Line, task_id: str) -> bool:
    known = line.state.tasks.get(task_id)
    return known.subagent if known else "subagent_type" in line.obj
