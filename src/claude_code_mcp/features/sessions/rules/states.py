"""The states of a session, as a table: what may follow what."""

from collections.abc import Mapping

from claude_code_mcp.features.sessions.models import SessionState as S

NEXT: Mapping[S, frozenset[S]] = {
    S.QUEUED: frozenset({S.STARTING, S.IDLE, S.STOPPED, S.FAILED}),
    S.STARTING: frozenset({S.RUNNING, S.WAITING, S.IDLE, S.QUEUED, S.STOPPED, S.FAILED}),
    S.RUNNING: frozenset({S.WAITING, S.IDLE, S.QUEUED, S.STOPPED, S.FAILED}),
    S.WAITING: frozenset({S.RUNNING, S.IDLE, S.QUEUED, S.STOPPED, S.FAILED}),
    S.IDLE: frozenset({S.QUEUED, S.RUNNING, S.WAITING, S.STOPPED, S.FAILED}),
    S.STOPPED: frozenset({S.QUEUED}),
    S.FAILED: frozenset({S.QUEUED, S.STOPPED}),
}
"""A session that has ended comes back only through the queue: a late line of a dead process cannot wake it."""

AT_REST = frozenset({S.IDLE, S.STOPPED, S.FAILED})
BUSY = frozenset({S.RUNNING, S.WAITING})
SAID: Mapping[str, S] = {"running": S.RUNNING, "requires_action": S.WAITING, "idle": S.IDLE}
"""Claude Code's words for what a session does."""


def may_move(before: S, after: S) -> bool:
    """Tell whether `after` may follow `before`; staying is no move."""
    return after in NEXT[before]
