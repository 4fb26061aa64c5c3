"""Nodes as the lines of the document: one line a node, drawn as a tree; nothing in them acts on a terminal."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from claude_code_mcp.features.activity.models import ActivityNode, DisplayAction, NodeStatus, NodeType
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.rules.phrases import PLAIN, LineStyle, ending, phrase, warning
from claude_code_mcp.features.activity.rules.view import OPEN, WHOLE, View, wanted

__all__ = ["PLAIN", "Line", "LineStyle", "phrase", "tree_lines", "updates"]

_MOST_WARNINGS = 3
_LAST = ("\uffff", "")
_SLOW_TYPES = (NodeType.TOOL, NodeType.MCP)
_PARTS = {True: ("├─ ", "└─ ", "│   ", "    "), False: ("|- ", "`- ", "|   ", "    ")}


class Line(NamedTuple):
    """One line: its name, its text with indentation, how deep it is, and the node that it shows.

    `depth`: 0 for what is right below the session. `action`: what to do with it. A task has a second line for its end
    (`…/end`), a slow call one for the warning (`…/slow`), what a view leaves out one that counts it (`…/more`).
    """

    line_id: str
    text: str
    depth: int
    node: ActivityNode
    action: DisplayAction = DisplayAction.APPEND


def tree_lines(root: ActivityNode, style: LineStyle = LineStyle()) -> list[Line]:  # noqa: B008 - frozen
    """Return the lines of a tree from the session's turns down, drawn with `├─`, `│` and `└─`."""
    lines: list[Line] = []
    for child in root.children:
        lines.append(Line(child.id, phrase(child, style), 0, child))
        lines += _inside(child, style, "  ", 1)
        if child.type is NodeType.TASK:
            lines.append(_end_line(child, style))
            slow = sorted(_slow_in(child), key=lambda node: -(node.duration_ms or 0))
            lines += [_warning_line(node, style) for node in slow[:_MOST_WARNINGS]]
    return lines


def updates(
    fold: SessionFold,
    since: int,
    now: datetime,
    view: View = WHOLE,
    style: LineStyle = LineStyle(),  # noqa: B008 - frozen
) -> list[Line]:
    """Return the lines that changed after the mark `since`, in the order of the tree; O(changed).

    More may still come below any of them, so none is drawn as the last but a task's end.
    `append` is a line that did not exist then, `update` one that did, `replace` one that takes the place of itself
    and of what was in it (a part that has ended and whose inside the view leaves out).
    """
    shown: dict[str, ActivityNode | None] = {}
    placed: list[tuple[tuple[tuple[str, str], ...], Line]] = []
    for node_id in fold.changed_since(since):
        path = fold.path(node_id)[1:]
        if not path or (view.max_depth is not None and len(path) > view.max_depth):
            continue
        for above in path:
            if above not in shown:
                shown[above] = fold.glance(above, now, view)
        nodes = [node for above in path if (node := shown[above]) is not None and wanted(node, view)]
        if len(nodes) == len(path) and (view.include_completed or nodes[-1].status in OPEN):
            key = tuple((node.started_at or "~", node.id) for node in nodes)
            placed += _placed(nodes[-1], key, style)
    placed.sort(key=lambda one: one[0])
    return [line._replace(action=_action(fold, line, since, view)) for _, line in placed]


def _placed(
    node: ActivityNode, key: tuple[tuple[str, str], ...], style: LineStyle
) -> Iterator[tuple[tuple[tuple[str, str], ...], Line]]:
    """Yield the lines of a changed node with where they stand among others: a task's end after all that is in it."""
    depth = len(key) - 1
    middle, _, bar, _ = _PARTS[style.emoji]
    indent = "  " + bar * (depth - 1) + middle if depth else ""
    yield key, Line(node.id, indent + phrase(node, style), depth, node)
    if node.type is NodeType.TASK:
        yield (*key, _LAST), _end_line(node, style)
    elif _is_slow(node):
        yield (*key, _LAST), _warning_line(node, style)


def _action(fold: SessionFold, line: Line, since: int, view: View) -> DisplayAction:
    node = line.node
    if fold.born_after(node.id, since) or line.line_id.endswith("/slow"):
        return DisplayAction.APPEND
    folded = view.max_depth == line.depth + 1 and node.hidden and node.status not in OPEN
    return DisplayAction.REPLACE if folded else DisplayAction.UPDATE


def _inside(node: ActivityNode, style: LineStyle, indent: str, depth: int) -> Iterator[Line]:
    """Yield the lines below a node. While it goes on, and below a task, more may come, so no line is the last."""
    middle, last, bar, gap = _PARTS[style.emoji]
    open_ = node.status in OPEN or node.type is NodeType.TASK
    for place, child in enumerate(node.children):
        ends = not open_ and place == len(node.children) - 1 and not node.hidden
        yield Line(child.id, f"{indent}{last if ends else middle}{phrase(child, style)}", depth, child)
        yield from _inside(child, style, indent + (gap if ends else bar), depth + 1)
    if node.hidden:
        more = f"{indent}{middle if open_ else last}{'…' if style.emoji else '...'} {node.hidden} more"
        yield Line(f"{node.id}/more", more, depth, node)


def _end_line(node: ActivityNode, style: LineStyle) -> Line:
    return Line(f"{node.id}/end", f"  {_PARTS[style.emoji][1]}{ending(node, style)}", 1, node)


def _warning_line(node: ActivityNode, style: LineStyle) -> Line:
    return Line(f"{node.id}/slow", warning(node, style), 0, node)


def _slow_in(node: ActivityNode) -> Iterator[ActivityNode]:
    for child in node.children:
        if _is_slow(child):
            yield child
        yield from _slow_in(child)


def _is_slow(node: ActivityNode) -> bool:
    return node.slow and node.type in _SLOW_TYPES and node.status is NodeStatus.COMPLETED and not node.background
