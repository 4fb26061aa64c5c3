"""A session in one line."""

from pathlib import PurePath

from claude_code_mcp.features.activity.models import SessionActivity
from claude_code_mcp.kernel.display import one_line

TITLE, NAME = 80, 30


def session_row(session: SessionActivity) -> str:
    """Return the id, where it works, how it stands and what it does, in one line that acts on no terminal."""
    live = f"live pid {session.pid}" if session.pid is not None else "live" if session.live else "not live"
    metrics = session.metrics
    parts = [
        session.id,
        session.status.value,
        live,
        one_line(PurePath(session.project_path).name, NAME),
        one_line(session.root_task, TITLE),
        f"{metrics.total_tools_used} tools",
    ]
    if metrics.error_count:
        parts.append(f"{metrics.error_count} errors")
    if session.waiting_for:
        parts.append(f"waits for {one_line(session.waiting_for, TITLE)}")
    elif session.active_operations:
        parts.append(f"runs {one_line(', '.join(one.name for one in session.active_operations[:3]), TITLE)}")
    if session.cost_microusd is not None:
        parts.append(f"${session.cost_microusd / 1_000_000:.2f}")
    return "  ".join(part for part in parts if part)
