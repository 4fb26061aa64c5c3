"""When a live session is next to be looked at: it may be idle for too long, or busy for too long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from claude_code_mcp.features.sessions.models import Session, SessionState
from claude_code_mcp.kernel.clock import parse


@dataclass(frozen=True, slots=True)
class Deadline:
    """When, and why the process is then ended: `idle` or `timeout`."""

    at: datetime
    reason: str


def deadline(session: Session, quiet_since: datetime, *, idle_s: float, timeout_s: float) -> Deadline | None:
    """Return the next deadline of a session whose last line came at `quiet_since`.

    A session that waits for a person is not busy, and one with background tasks is not idle: neither is ended.
    """
    if session.state is SessionState.RUNNING and session.busy_since is not None:
        return Deadline(parse(session.busy_since) + timedelta(seconds=timeout_s), "timeout")
    if session.state is SessionState.IDLE and not session.background:
        return Deadline(quiet_since + timedelta(seconds=idle_s), "idle")
    return None
