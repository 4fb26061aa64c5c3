"""What changed in a session since a cursor, as lines: made once for all followers of the same view."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from claude_code_mcp.features.activity.models import (
    ActivityUpdate,
    DisplayAction,
    DisplaySettings,
    OutputFormat,
    StreamActivity,
    StreamRecord,
    StreamReply,
)
from claude_code_mcp.features.activity.rules.exporting import node_event
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.rules.lines import Line, updates
from claude_code_mcp.features.activity.rules.news import alone, news
from claude_code_mcp.features.activity.rules.view import OPEN, View
from claude_code_mcp.features.activity.service.showing import style_of, view_of

_ALONE = View(max_depth=0)


@dataclass(frozen=True, slots=True)
class Look:
    """How one follower looks; those with the same look and cursor get the same reply."""

    output_format: OutputFormat
    show_progress: bool
    collapse_completed: bool
    limit: int

    @classmethod
    def of(cls, wish: StreamActivity) -> "Look":
        """Return the look that is wished."""
        return cls(wish.output_format, wish.show_progress, wish.collapse_completed, wish.limit)


def stream_reply(
    session_id: str, fold: SessionFold, since: int, now: datetime, look: Look, settings: DisplaySettings
) -> StreamReply:
    """Return what changed after `since`; where that is more than the limit, what has been as it is for longest."""
    style = style_of(settings, emoji=look.output_format is OutputFormat.CLAUDE_CODE)
    view = view_of(settings)
    lines = (news if since and alone(view) else updates)(fold, since, now, view, style)
    cursor = fold.mark
    if len(lines) > look.limit:
        cursor, lines = _first(fold, since, lines, look.limit)
    shown = [line for line in lines if look.show_progress or line.node.status not in OPEN]
    if look.collapse_completed:
        shown = list(_collapsed(fold, shown, now))
    # Constructed, not validated: these are our own values, and there may be thousands.
    records = [StreamRecord.model_construct(activity_update=_update(session_id, fold, line, look)) for line in shown]
    return StreamReply.model_construct(session_id=session_id, updates=records, cursor=cursor, more=cursor < fold.mark)


def _first(fold: SessionFold, since: int, lines: list[Line], limit: int) -> tuple[int, list[Line]]:
    """Return a cursor between `since` and now, and the lines that changed last before it, with those above them.

    All that one event changed comes together, so there may be some more than the limit.
    """
    low, high = since + 1, fold.mark
    changed = len(fold.changed_since(since))
    while low < high:
        middle = (low + high) // 2
        if changed - len(fold.changed_since(middle)) >= limit:
            high = middle
        else:
            low = middle + 1
    later = set(fold.changed_since(low))
    now = {line.node.id for line in lines if line.node.id not in later}
    above = {above for node_id in now for above in fold.path(node_id)}
    return low, [line for line in lines if line.node.id in now or line.node.id in above]


def _collapsed(fold: SessionFold, lines: list[Line], now: datetime) -> Iterator[Line]:
    """Yield the lines without those inside of something that has ended; its own line replaces them."""
    ended: dict[str, bool] = {}

    def over(node_id: str) -> bool:
        if node_id not in ended:
            node = fold.node(node_id, now, _ALONE)
            ended[node_id] = node is not None and node.status not in OPEN
        return ended[node_id]

    for line in lines:
        # The session itself has no line, and its end folds nothing away.
        if any(over(above) for above in fold.path(line.node.id)[1:-1]):
            continue
        inside = line.node.children or line.node.hidden
        yield line._replace(action=DisplayAction.REPLACE) if inside and line.node.status not in OPEN else line


def _update(session_id: str, fold: SessionFold, line: Line, look: Look) -> ActivityUpdate:
    path = fold.path(line.node.id)
    event = node_event(line.node, session_id, path[-2] if len(path) > 1 else None, max(0, len(path) - 1))
    text = event.model_dump_json() if look.output_format is OutputFormat.JSON else line.text
    return ActivityUpdate.model_construct(
        formatted_line=text, raw_event=event, display_action=line.action, line_id=line.line_id
    )
