"""What of a tree is wanted: asked before a node is built, so that what is left out costs next to nothing."""

from dataclasses import dataclass

from claude_code_mcp.features.activity.models import ActivityNode, NodeStatus, NodeType

OPEN = frozenset((NodeStatus.RUNNING, NodeStatus.WAITING))
"""Not ended."""
WRONG = frozenset((NodeStatus.FAILED, NodeStatus.DENIED))
"""Ended as nobody wished."""
_NEVER_FAST = frozenset((NodeType.TASK, NodeType.SUBAGENT, NodeType.BACKGROUND))


@dataclass(frozen=True, slots=True)
class View:
    """Which nodes are shown.

    `max_depth`: levels below the one that is asked for, None for all. `include_completed`: with what has ended;
    without, only what runs or waits and what it is part of. `collapse_fast_ms`: what ended well in less is left out
    and counted in `hidden`; 0 leaves nothing out. `slow_ms`: from which duration on a call is slow.
    `highlight_errors`: what went wrong is never left out for being fast.
    """

    max_depth: int | None = None
    include_completed: bool = True
    collapse_fast_ms: int = 0
    slow_ms: int = 500
    highlight_errors: bool = True


def wanted(node: ActivityNode, view: View) -> bool:
    """Tell whether a node that has just been made is shown, what is in it aside."""
    fast = view.collapse_fast_ms
    if fast <= 0 or node.status in OPEN or node.type in _NEVER_FAST or node.duration_ms is None:
        return True
    return node.duration_ms >= fast or (node.status in WRONG and view.highlight_errors)


WHOLE = View()
"""Everything."""
