"""One hook payload to facts. Pure: no clock, no disk, and nothing is ever raised."""

from collections.abc import Callable, Mapping
from datetime import datetime

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.hooks import sessions, tasks, tools
from claude_code_mcp.platform.claude.hooks.agents import AgentMeta
from claude_code_mcp.platform.claude.hooks.hook import Hook
from claude_code_mcp.platform.claude.hooks.payload import Payload, Process
from claude_code_mcp.platform.claude.hooks.unknown import unknown, unread

_BY_EVENT: Mapping[str, Callable[[Hook], None]] = {
    "PreToolUse": tools.started,
    "PostToolUse": tools.finished,
    "PostToolUseFailure": tools.failed,
    "PostToolBatch": sessions.nothing,
    "PermissionRequest": tools.asked,
    "PermissionDenied": tools.denied,
    "Elicitation": tools.elicited,
    "ElicitationResult": tools.elicitation_answered,
    "SessionStart": sessions.opened,
    "Setup": sessions.opened,
    "SessionEnd": sessions.closed,
    "UserPromptSubmit": sessions.prompted,
    "UserPromptExpansion": sessions.expanded,
    "Stop": sessions.stopped,
    "StopFailure": sessions.broke,
    "Notification": sessions.needed,
    "PreCompact": sessions.compacting,
    "PostCompact": sessions.compacted,
    "PreModelSwitch": sessions.nothing,
    "PostModelSwitch": sessions.switched,
    "MessageDisplay": sessions.nothing,
    "CwdChanged": sessions.moved,
    "ConfigChange": sessions.touched,
    "FileChanged": sessions.touched,
    "DirectoryAdded": sessions.touched,
    "InstructionsLoaded": sessions.touched,
    "WorktreeCreate": sessions.touched,
    "WorktreeRemove": sessions.touched,
    "TeammateIdle": sessions.idle,
    "SubagentStart": tasks.agent_started,
    "SubagentStop": tasks.agent_stopped,
    "TaskCreated": tasks.todo_created,
    "TaskCompleted": tasks.todo_done,
}

EVENTS = tuple(_BY_EVENT)
"""All events of Claude Code 2.1.328."""


def events_of(
    payload: Payload, *, stem: str, at: datetime, meta: AgentMeta | None = None, process: Process | None = None
) -> list[Event]:
    """Return what `payload` says happened.

    `stem` names this hook among all, so that telling it again gives the same keys; `at` is when it came. `meta` is what
    is written about its agent, `process` what a command hook knows of its Claude Code.
    """
    hook = Hook(payload, stem=stem, at=at, meta=meta, process=process)
    if not payload.event:
        unread(hook) if payload.garbage else unknown(hook)
    else:
        _BY_EVENT.get(payload.event, unknown)(hook)
        tasks.linked(hook)
    return hook.events
