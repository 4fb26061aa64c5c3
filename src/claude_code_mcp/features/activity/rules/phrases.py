"""A node in words: icon, what it is, how long it took, how it stands; hostile text is made visible on the way."""

from collections.abc import Mapping
from dataclasses import dataclass

from claude_code_mcp.features.activity.models import ActivityNode, NodeStatus, NodeType
from claude_code_mcp.features.activity.rules.view import OPEN
from claude_code_mcp.kernel.display import one_line


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How lines look.

    `emoji`: the document's icons; without, plain ASCII words. `timings`: with how long things took. `errors`: with
    the message of what failed. `slow_ms`: from which duration on a warning follows. `width`: longest line in
    characters, indentation not counted.
    """

    emoji: bool = True
    timings: bool = True
    errors: bool = True
    slow_ms: int = 500
    width: int = 160


PLAIN = LineStyle(emoji=False)
"""Without icons, for terminals that have none."""

_SIGNS: Mapping[NodeStatus, tuple[str, str]] = {
    NodeStatus.RUNNING: ("🔄", "[running]"),
    NodeStatus.WAITING: ("⏳", "[waiting]"),
    NodeStatus.COMPLETED: ("✅", "[ok]"),
    NodeStatus.FAILED: ("❌", "[error]"),
    NodeStatus.DENIED: ("⛔", "[denied]"),
    NodeStatus.INTERRUPTED: ("⏹️", "[interrupted]"),
    NodeStatus.ABANDONED: ("❔", "[end unseen]"),
}
_TOOLS: Mapping[str, tuple[str, str]] = {
    "Read": ("📁", "Reading"),
    "Glob": ("🔍", "Looking for"),
    "Grep": ("🔍", "Searching"),
    "Edit": ("🔧", "Editing"),
    "MultiEdit": ("🔧", "Editing"),
    "NotebookEdit": ("🔧", "Editing"),
    "Write": ("🔧", "Writing"),
    "Bash": ("🔧", "Running"),
    "WebFetch": ("🌐", "Fetching"),
    "WebSearch": ("🌐", "Searching the web for"),
    "AskUserQuestion": ("❓", "Asking"),
    "ExitPlanMode": ("📋", "Proposing a plan:"),
}
_OTHERS: Mapping[NodeType, tuple[str, str]] = {
    NodeType.SESSION: ("📂", "Session:"),
    NodeType.TASK: ("🔄", "Task:"),
    NodeType.MCP: ("📡", "MCP:"),
    NodeType.SUBAGENT: ("🤖", "Subagent:"),
    NodeType.BACKGROUND: ("⏱️", "Background:"),
    NodeType.APPROVAL: ("🔐", "Permission:"),
    NodeType.COMPACTION: ("🗜️", ""),
    NodeType.RETRY: ("🔁", ""),
    NodeType.NOTICE: ("💬", ""),
}
_LABELS = ("file: ", "command: ", "url: ", "query: ", "pattern: ", "skill: ")
_ENDINGS: Mapping[NodeStatus, str] = {
    NodeStatus.COMPLETED: "Task completed",
    NodeStatus.FAILED: "Task failed",
    NodeStatus.DENIED: "Task denied",
    NodeStatus.INTERRUPTED: "Task interrupted",
    NodeStatus.ABANDONED: "Task without an end",
}
_CLOSED = {
    "turn_end": "the turn ended",
    "session_end": "the session ended",
    "process_death": "its process is gone",
    "next_prompt": "the next prompt came",
}


def duration(ms: int) -> str:
    """Return a duration as `245ms`, `1.2s`, `2m 05s` or `1h 02m`."""
    if ms < 1000:
        return f"{ms}ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f}s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m {seconds:02d}s"


def icon_of(node: ActivityNode) -> str:
    """Return the node's icon."""
    if node.type is NodeType.TOOL:
        return _TOOLS.get(node.name, ("🔧", ""))[0]
    return _OTHERS[node.type][0]


def phrase(node: ActivityNode, style: LineStyle = LineStyle()) -> str:
    """Return the node in one line without indentation: icon, what it is, how long, how it stands."""
    tail = _tail(node, style)
    room = max(20, style.width - len(tail) - 6)
    what = one_line(_what(node), room)
    icon = f"{icon_of(node)} " if style.emoji else ""
    return f"{icon}{what}{tail}"


def ending(node: ActivityNode, style: LineStyle) -> str:
    """Return the last line of a task: how it ended, or that it goes on."""
    if node.status in OPEN:
        waits = f" (waiting for {one_line(node.waiting_for, 60)})" if node.waiting_for else ""
        return f"...continuing{waits}"
    sign = _SIGNS[node.status][0] + " " if style.emoji else ""
    took = f" ({duration(node.duration_ms)} total)" if style.timings and node.duration_ms is not None else ""
    return f"{sign}{_ENDINGS[node.status]}{took}{_why(node, style)}"


def warning(node: ActivityNode, style: LineStyle) -> str:
    """Return the warning about a slow call."""
    name = one_line(node.name, 60)
    took = f"{duration(node.duration_ms or 0)} > {duration(style.slow_ms)} threshold"
    return f"{'⚠️  ' if style.emoji else '! '}Slow operation detected: {name} ({took})"


def _what(node: ActivityNode) -> str:
    about = _stripped(node.input_summary)
    if node.type is NodeType.TOOL:
        verb = _TOOLS.get(node.name)
        if verb is not None and about:
            return f"{verb[1]} {about}"
        return f"Tool: {node.name}" + (f" → {about}" if about else "")
    label = _OTHERS[node.type][1]
    name = f"{label} {node.name}".strip()
    if node.type is NodeType.MCP:
        return name + (f" → {about}" if about else "")
    if node.type is NodeType.APPROVAL:
        return name + (f" {about}" if about else "")
    rest = node.description if node.type not in (NodeType.TASK, NodeType.SESSION) else ""
    return name + (f" · {rest}" if rest and rest != node.name else "")


def _tail(node: ActivityNode, style: LineStyle) -> str:
    if node.type is NodeType.TASK:
        return f" ({_waiting(node)})" if node.status is NodeStatus.WAITING else ""
    if node.type is NodeType.NOTICE:
        return ""
    sign = _SIGNS[node.status][0 if style.emoji else 1]
    if node.status is NodeStatus.WAITING:
        return f" ({_waiting(node)}) {sign}"
    if node.status is NodeStatus.RUNNING:
        return f" (running...) {sign}"
    took = f" ({duration(node.duration_ms)})" if style.timings and node.duration_ms is not None else ""
    return f"{took} {sign}{_why(node, style)}"


def _waiting(node: ActivityNode) -> str:
    return f"waiting for {one_line(node.waiting_for, 60)}" if node.waiting_for else "waiting"


def _why(node: ActivityNode, style: LineStyle) -> str:
    if node.closed_by:
        return f" ({_CLOSED.get(node.closed_by, node.closed_by)})"
    return f" {one_line(node.error_message, 80)}" if style.errors and node.error_message else ""


def _stripped(summary: str) -> str:
    for label in _LABELS:
        if summary.startswith(label):
            return summary.removeprefix(label)
    return summary
