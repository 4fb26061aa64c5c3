"""A session as lines: the console log of the document, and plain text."""

from collections.abc import Iterator, Sequence

from claude_code_mcp.features.activity.models import ActivityNode, NodeType, SessionActivity
from claude_code_mcp.features.activity.rules.lines import Line, LineStyle, tree_lines
from claude_code_mcp.features.activity.rules.rows import session_row
from claude_code_mcp.kernel.display import visible


def console_log(root: ActivityNode, style: LineStyle) -> Iterator[str]:
    """Yield the session as Claude Code's console would show it: what was asked, then what was done for it."""
    for number, (turn, lines) in enumerate(_turns(tree_lines(root, style))):
        yield "\n" if number else ""
        if turn.type is NodeType.TASK:
            yield f"user: {visible(turn.name)}\n\n"
        for line in lines:
            yield f"{line.text}\n"


def plain_text(session: SessionActivity, root: ActivityNode, style: LineStyle) -> Iterator[str]:
    """Yield a head with the session's counts and its tree, in ASCII words where ours."""
    times = session.times
    yield f"{session_row(session)}\nproject {visible(session.project_path)}\n"
    yield f"began {session.start_time or 'unseen'}, last heard of {session.last_event_at or 'never'}\n"
    yield f"time {times.total_ms} ms: model {times.model_ms}, tools {times.tools_ms}, person {times.person_ms}\n\n"
    for line in tree_lines(root, style):
        yield f"{line.text}\n"


def _turns(lines: Sequence[Line]) -> Iterator[tuple[ActivityNode, list[Line]]]:
    """Yield the lines of each child of the session, in order."""
    top = min((line.depth for line in lines), default=0)
    group: list[Line] = []
    for line in lines:
        if group and line.depth == top and line.node.id != group[0].node.id:
            yield group[0].node, group
            group = []
        group.append(line)
    if group:
        yield group[0].node, group
