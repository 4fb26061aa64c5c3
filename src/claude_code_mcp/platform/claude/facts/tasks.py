"""Subagents and background work. The subject is `task_id`, which for a subagent is its agent id.

The event's `tool_use_id` and `parent` are the call that launched it.
"""

from typing import ClassVar

import msgspec

from claude_code_mcp.kernel.events import Fact


class SubagentStarted(Fact, frozen=True, kw_only=True):
    """A subagent began.

    `agent_type`: which agent. `description`: what for, in a few words. `prompt`: what it was told, cut to 4
    KiB. `background`: its caller does not wait for it. `depth`: 1 for one that the main thread started.
    `parent_task_id`: the subagent that started it, "" for the main thread. `prompt_id`: the turn that it began in, ""
    where not told.
    """

    kind: ClassVar[str] = "subagent.started"

    task_id: str
    agent_type: str = ""
    description: str = ""
    prompt: str = ""
    background: bool = False
    depth: int = 1
    parent_task_id: str = ""
    prompt_id: str = ""


class SubagentProgressed(Fact, frozen=True, kw_only=True):
    """A subagent goes on.

    `doing`: what it does now. `last_tool`: the tool that it used last. `total_tokens`, `tool_uses`,
    `duration_ms`: what it took until now.
    """

    kind: ClassVar[str] = "subagent.progressed"

    task_id: str
    doing: str = ""
    last_tool: str = ""
    total_tokens: int = 0
    tool_uses: int = 0
    duration_ms: int = 0


class SubagentFinished(Fact, frozen=True, kw_only=True):
    """A subagent ended.

    `status`: "completed", "failed" or "stopped". `summary`: its report, cut to 4 KiB. `output_file`: where its
    whole output is. `total_tokens`, `tool_uses`, `duration_ms`: what it took.
    """

    kind: ClassVar[str] = "subagent.finished"

    task_id: str
    status: str
    summary: str = ""
    output_file: str = ""
    total_tokens: int = 0
    tool_uses: int = 0
    duration_ms: int = 0


class TaskStarted(Fact, frozen=True, kw_only=True):
    """A shell command, workflow or other task began that Claude Code keeps track of.

    `task_type`: such as "local_bash", or "todo" for an entry of the model's own list. `description`: what for.
    `background`: nothing waits for it; a command that merely takes longer than some seconds is a task too, with
    `background` false. `parent_task_id`: the subagent that started it, "" for the main thread.
    """

    kind: ClassVar[str] = "task.started"

    task_id: str
    task_type: str = ""
    description: str = ""
    background: bool = False
    parent_task_id: str = ""


class TaskProgressed(Fact, frozen=True, kw_only=True):
    """A task that is no subagent goes on. `doing`: what it does now. `duration_ms`: for how long it runs."""

    kind: ClassVar[str] = "task.progressed"

    task_id: str
    doing: str = ""
    duration_ms: int = 0


class TaskFinished(Fact, frozen=True, kw_only=True):
    """A task that is no subagent ended.

    `status`: "completed", "failed" or "stopped". `summary`: how, cut to 4 KiB. `output_file`: where its output
    is.
    """

    kind: ClassVar[str] = "task.finished"

    task_id: str
    status: str
    summary: str = ""
    output_file: str = ""


class TaskChanged(Fact, frozen=True, kw_only=True):
    """A task or subagent is in another state.

    `status`: "pending", "running", "paused", "completed", "failed" or "killed"; "" where something else
    changed. `description`: its new description. `background`: whether something waits for it now, None where
    that did not change. `error`: what went wrong.
    """

    kind: ClassVar[str] = "task.changed"

    task_id: str
    status: str = ""
    description: str = ""
    background: bool | None = None
    error: str = ""


class TaskAbandoned(Fact, frozen=True, kw_only=True):
    """A task or subagent will not report any more: the process that ran it is gone."""

    kind: ClassVar[str] = "task.abandoned"

    task_id: str


class BackgroundTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of `background.changed`: the task, what kind it is, what for, and which agent.

    `ambient`: housekeeping that does not count as work.
    """

    task_id: str
    task_type: str = ""
    description: str = ""
    agent_type: str = ""
    ambient: bool = False


class BackgroundChanged(Fact, frozen=True, kw_only=True):
    """Other work runs in the background now. Subject: the session. `tasks`: all of it, none when none is left."""

    kind: ClassVar[str] = "background.changed"

    tasks: tuple[BackgroundTask, ...] = ()
