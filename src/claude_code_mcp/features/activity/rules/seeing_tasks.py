"""Subagents and background tasks, as they are seen. A subagent and the call that launched it are one node."""

from claude_code_mcp.features.activity.rules import wording
from claude_code_mcp.features.activity.rules.book import COMPLETED, FAILED, INTERRUPTED
from claude_code_mcp.features.activity.rules.records import Task, best, least, most
from claude_code_mcp.features.activity.rules.sight import Sight
from claude_code_mcp.platform.claude.facts import (
    AgentLinked,
    BackgroundChanged,
    SubagentFinished,
    SubagentProgressed,
    SubagentStarted,
    TaskAbandoned,
    TaskChanged,
    TaskFinished,
    TaskProgressed,
    TaskStarted,
)

_STATUS = {"completed": COMPLETED, "failed": FAILED, "stopped": INTERRUPTED, "killed": INTERRUPTED}
_TODO = "todo"


def agent_started(sight: Sight) -> None:
    """Take the beginning of a subagent."""
    task = _task(sight)
    if task is None:
        return
    task.subagent = task.started = True
    _begun(sight, task, sight.text("agent_type"), sight.text("parent_task_id"))


def task_started(sight: Sight) -> None:
    """Take the beginning of a task; an entry of the model's own list is none, it takes no time."""
    if sight.text("task_type") == _TODO:
        return
    task = _task(sight)
    if task is None:
        return
    task.started = True
    parent = sight.text("parent_task_id") or (sight.event.agent_id or "")
    _begun(sight, task, sight.text("task_type"), parent)


def linked(sight: Sight) -> None:
    """Take which call launched a subagent."""
    task_id = sight.event.subject or sight.event.agent_id
    if not task_id:
        return
    task = sight.book.task(task_id)
    task.subagent = True
    _about(sight, task, sight.text("agent_type"))
    _place(sight, task, sight.text("parent_agent_id"))
    sight.touch(task)


def progressed(sight: Sight) -> None:
    """Take what a subagent or task does now."""
    task = _task(sight)
    if task is not None:
        task.doing = best(task.doing, (sight.at, wording.short(sight.text("doing"))))
        sight.touch(task)


def finished(sight: Sight) -> None:
    """Take the end of a subagent or task. One that never began is none: a compaction ends such a one."""
    task = _task(sight)
    if task is None:
        return
    if sight.event.kind == SubagentFinished.kind:
        task.subagent = True
    status = _STATUS.get(sight.text("status") or "completed", FAILED)
    _over(sight, task, status, sight.text("summary"), sight.ranks.task_end)
    call = sight.event.tool_use_id
    if call:
        sight.book.launch(task, sight.book.call(call), sight.ranks.task_about)
        sight.touch(sight.book.call(call))


def changed(sight: Sight) -> None:
    """Take another state of a subagent or task; its end is told better by its own event."""
    task = _task(sight)
    if task is None:
        return
    if sight.payload.get("background") is True:
        task.background = True
    if sight.text("description"):
        task.about = best(task.about, (-1, "", wording.short(sight.text("description")), ""))
    status = _STATUS.get(sight.text("status"))
    if status:
        _over(sight, task, status, sight.text("error"), -1)
    sight.touch(task)


def abandoned(sight: Sight) -> None:
    """Take a task that will not report any more."""
    task = _task(sight)
    if task is not None:
        task.abandoned = least(task.abandoned, sight.at)
        sight.touch(task)


def background(sight: Sight) -> None:
    """Take the list of what runs in the background now."""
    listed = sight.payload.get("tasks")
    for entry in listed if isinstance(listed, (list, tuple)) else ():
        task_id = entry.get("task_id")
        if not task_id or entry.get("ambient"):
            continue
        task = sight.book.task(task_id)
        if not task.background:
            task.background = True
            sight.touch(task)


def _task(sight: Sight) -> Task | None:
    task_id = sight.text("task_id") or sight.event.subject
    return sight.book.task(task_id) if task_id else None


def _begun(sight: Sight, task: Task, sort: str, parent: str) -> None:
    task.start = best(task.start, (sight.ranks.task_start, -sight.at))
    task.again = most(task.again, sight.at)
    if sight.payload.get("background") is True:
        task.background = True
    _about(sight, task, sort)
    _place(sight, task, parent)
    sight.touch(task)


def _about(sight: Sight, task: Task, sort: str) -> None:
    claim = (
        sight.ranks.task_about if sort or sight.text("description") else 0,
        sort,
        wording.short(sight.text("description")),
        wording.short(sight.text("prompt")),
    )
    task.about = best(task.about, claim)


def _place(sight: Sight, task: Task, parent: str) -> None:
    call_id = sight.event.tool_use_id or (sight.event.parent if sight.event.parent != task.id else "") or ""
    if call_id:
        call = sight.book.call(call_id)
        sight.book.launch(task, call, sight.ranks.task_about)
        if parent:
            sight.book.thread(call, parent)
        sight.touch(call)
    if parent:
        sight.place(task, parent)
    elif not sight.event.agent_id or sight.event.agent_id == task.id:
        sight.place(task, None, prompt_id=sight.text("prompt_id"))


def _over(sight: Sight, task: Task, status: str, report: str, rank: int) -> None:
    task.ended = best(task.ended, (rank, sight.at, status, wording.report_of(report)))
    sight.book.unended.pop(task, None)
    sight.touch(task)


SEEN = {
    SubagentStarted.kind: agent_started,
    SubagentProgressed.kind: progressed,
    SubagentFinished.kind: finished,
    TaskStarted.kind: task_started,
    TaskProgressed.kind: progressed,
    TaskFinished.kind: finished,
    TaskChanged.kind: changed,
    TaskAbandoned.kind: abandoned,
    AgentLinked.kind: linked,
    BackgroundChanged.kind: background,
}
