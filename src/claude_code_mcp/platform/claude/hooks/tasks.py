"""Hooks of subagents, of background work that ended, and of the model's own list of things to do."""

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import (
    AgentLinked,
    SubagentFinished,
    SubagentStarted,
    TaskFinished,
    TaskStarted,
)
from claude_code_mcp.platform.claude.fields import text_of, word_of
from claude_code_mcp.platform.claude.hooks.hook import Hook
from claude_code_mcp.platform.claude.hooks.unknown import unknown
from claude_code_mcp.platform.claude.transcript.notices import TaskNotice

TODO = "todo"


def agent_started(hook: Hook) -> None:
    """Take the start of a subagent, and which call launched it where that is written down already."""
    agent = hook.agent_id
    if agent is None:
        unknown(hook)
        return
    meta = hook.meta
    fact = SubagentStarted(
        task_id=agent,
        agent_type=word_of(hook.obj, "agent_type"),
        description=meta.description if meta else "",
        background=meta.background if meta else False,
        depth=meta.depth if meta else 1,
        parent_task_id=meta.parent_agent_id if meta else "",
        prompt_id=hook.prompt_id,
    )
    hook.emit(fact, agent, call=(meta.call if meta else "") or None)


def agent_stopped(hook: Hook) -> None:
    """Take the end of a subagent; one without a type never began, that is how a compaction shows."""
    agent = hook.agent_id
    if agent is None or (not word_of(hook.obj, "agent_type") and hook.meta is None):
        return
    call = (hook.meta.call if hook.meta else "") or None
    said = clip(text_of(hook.obj, "last_assistant_message"), NOTE_BYTES)[0]
    hook.emit(SubagentFinished(task_id=agent, status="completed", summary=said), agent, call=call)


def notified(hook: Hook, notice: TaskNotice) -> None:
    """Take the end of background work, as Claude Code tells the model of it."""
    call = notice.tool_use_id or None
    if notice.subagent:
        fact = SubagentFinished(
            task_id=notice.task_id,
            status=notice.status,
            summary=notice.result or notice.summary,
            output_file=notice.output_file,
            total_tokens=notice.total_tokens,
            tool_uses=notice.tool_uses,
            duration_ms=notice.duration_ms,
        )
        hook.emit(fact, notice.task_id, call=call, agent_id=notice.task_id)
        return
    finished = TaskFinished(
        task_id=notice.task_id, status=notice.status, summary=notice.summary, output_file=notice.output_file
    )
    hook.emit(finished, notice.task_id, call=call)


def todo_created(hook: Hook) -> None:
    """Take a new entry of the model's list of things to do."""
    task_id = _todo(hook)
    described = clip(text_of(hook.obj, "task_subject"), NOTE_BYTES)[0]
    hook.emit(TaskStarted(task_id=task_id, task_type=TODO, description=described), task_id)


def todo_done(hook: Hook) -> None:
    """Take that an entry of the list is done."""
    task_id = _todo(hook)
    subject = clip(text_of(hook.obj, "task_subject"), NOTE_BYTES)[0]
    hook.emit(TaskFinished(task_id=task_id, status="completed", summary=subject), task_id)


def _todo(hook: Hook) -> str:
    return f"{TODO}:{word_of(hook.obj, 'task_id')}"


def linked(hook: Hook) -> None:
    """Take which call launched the agent of the payload, once for each agent, where that is written down."""
    meta, agent = hook.meta, hook.agent_id
    if meta is None or agent is None or not meta.call:
        return
    fact = AgentLinked(
        agent_type=meta.agent_type or word_of(hook.obj, "agent_type"),
        description=meta.description,
        parent_agent_id=meta.parent_agent_id,
        depth=meta.depth,
    )
    hook.emit(fact, agent, call=meta.call, key=f"hook:{hook.session}:agent:{agent}")
