"""When a live session is next to be looked at: it may be idle for too long, or busy for too long."""

from dataclasses import dataclass

from claude_code_mcp.features.sessions.models import Session, SessionState

SILENCE_S = 120.0
"""How long a working session may say nothing before it is asked; its tools may well take longer."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """In how many seconds (none are left: at once) something is due, and why: `idle` and `timeout` end the process,
    at `silence` it is asked how it stands."""

    in_s: float
    reason: str


def deadline(session: Session, *, quiet_s: float, running_s: float, idle_s: float, timeout_s: float) -> Deadline | None:
    """Return the next deadline of a session that said nothing for `quiet_s` and has been working for `running_s`.

    A session that waits for a person is not busy, and one with background tasks is not idle: neither is ended.
    """
    if session.state is SessionState.RUNNING:
        # A disk that was full may have swallowed the very line that says it has finished.
        limit, silence = Deadline(timeout_s - running_s, "timeout"), Deadline(SILENCE_S - quiet_s, "silence")
        due = min(limit, silence, key=lambda one: one.in_s)
        return Deadline(max(0.0, due.in_s), due.reason)
    if session.state is SessionState.IDLE and not session.background:
        return Deadline(max(0.0, idle_s - quiet_s), "idle")
    return None
