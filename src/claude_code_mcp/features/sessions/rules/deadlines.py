"""When a live session is next to be looked at: it may be idle for too long, or busy for too long."""

from dataclasses import dataclass

from claude_code_mcp.features.sessions.models import Session, SessionState


@dataclass(frozen=True, slots=True)
class Deadline:
    """In how many seconds (none are left: at once), and why the process is then ended: `idle` or `timeout`."""

    in_s: float
    reason: str


def deadline(session: Session, *, quiet_s: float, running_s: float, idle_s: float, timeout_s: float) -> Deadline | None:
    """Return the next deadline of a session that said nothing for `quiet_s` and has been working for `running_s`.

    A session that waits for a person is not busy, and one with background tasks is not idle: neither is ended.
    """
    if session.state is SessionState.RUNNING:
        return Deadline(max(0.0, timeout_s - running_s), "timeout")
    if session.state is SessionState.IDLE and not session.background:
        return Deadline(max(0.0, idle_s - quiet_s), "idle")
    return None
