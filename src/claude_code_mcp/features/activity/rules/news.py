"""What changed, as lines, without growing the tree around it: what a follower gets costs the same in a long turn."""

from collections.abc import Iterator
from datetime import datetime

from claude_code_mcp.features.activity.models import ActivityNode, DisplayAction, NodeStatus, NodeType
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.rules.lines import Line
from claude_code_mcp.features.activity.rules.phrases import LineStyle, ending, phrase, warning
from claude_code_mcp.features.activity.rules.view import View

_BRANCH, _BAR, _LAST = {True: "├─ ", False: "|- "}, {True: "│   ", False: "|   "}, {True: "└─ ", False: "`- "}
_CALLS = (NodeType.TOOL, NodeType.MCP)


def alone(view: View) -> bool:
    """Tell whether what a view shows of a node depends on nothing but the node itself, as `news` needs it."""
    return view.include_completed and view.collapse_fast_ms <= 0


def news(fold: SessionFold, since: int, now: datetime, view: View, style: LineStyle) -> list[Line]:
    """Return the lines of the nodes that changed after the mark `since`, in the order of their starts.

    They are drawn as in a tree to which more may come: no line is the last of its part. The view must be one that
    shows nodes as they are (`alone`).
    """
    one = View(0, slow_ms=view.slow_ms)
    found: list[tuple[str, int, ActivityNode]] = []
    for node_id in fold.changed_since(since):
        depth = len(fold.path(node_id)) - 2
        if depth < 0 or (view.max_depth is not None and depth >= view.max_depth):
            continue
        node = fold.node(node_id, now, one)
        if node is not None:
            found.append((node.started_at or "~", depth, node))
    found.sort(key=lambda entry: (entry[0], entry[1], entry[2].id))
    return [line for _, depth, node in found for line in _lines(fold, node, depth, since, style)]


def _lines(fold: SessionFold, node: ActivityNode, depth: int, since: int, style: LineStyle) -> Iterator[Line]:
    new = fold.born_after(node.id, since)
    action = DisplayAction.APPEND if new else DisplayAction.UPDATE
    indent = "" if depth == 0 else "  " + _BAR[style.emoji] * (depth - 1) + _BRANCH[style.emoji]
    yield Line(node.id, f"{indent}{phrase(node, style)}", depth, node, action)
    if node.type is NodeType.TASK and depth == 0:
        yield Line(f"{node.id}/end", f"  {_LAST[style.emoji]}{ending(node, style)}", 1, node, action)
    if node.slow and node.type in _CALLS and node.status is NodeStatus.COMPLETED and not node.background:
        yield Line(f"{node.id}/slow", warning(node, style), 0, node)
