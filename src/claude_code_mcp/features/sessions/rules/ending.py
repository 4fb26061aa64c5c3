"""What the end of a process means for its session."""

from dataclasses import dataclass
from typing import Any

from claude_code_mcp.features.sessions.models import Session, SessionState
from claude_code_mcp.features.sessions.rules.states import AT_REST

CRASHES = 3
"""How often in a row a session is brought back by itself to deliver what it has not read yet."""
ON_PURPOSE = {
    "stop": SessionState.STOPPED,
    "kill": SessionState.STOPPED,
    "timeout": SessionState.FAILED,
    "quota": SessionState.FAILED,
}
LIMITS = {
    "timeout": ("timed_out", "It took longer than its time limit."),
    "quota": ("quota_exceeded", "It wrote more than it may, or the disk was about to be full."),
}


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ended: `outcome` exited, failed_to_start, lost or abandoned; `reason` why we ended it, if we did.

    `abandoned`: it was asked for and never ran, because the daemon was killed, or it was stopped, before that.
    """

    outcome: str
    code: int | None = None
    signal: int | None = None
    reason: str = ""
    stderr: str = ""
    spoke: bool = True

    @property
    def orderly(self) -> bool:
        """Whether it ended as it should."""
        return self.outcome == "exited" and self.code == 0

    @property
    def counts(self) -> bool:
        """Whether it speaks against starting the session again."""
        return not (self.orderly or self.reason or self.outcome == "abandoned")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that follows, and the error to show with it."""

    state: SessionState
    error: dict[str, Any] | None = None


def judge(session: Session, death: Death, *, unread: int) -> Verdict:
    """Return what becomes of `session`; `unread` messages were never taken up by the process that died.

    A turn that had begun is not repeated: only what nobody has read is sent again.
    """
    if death.reason in ON_PURPOSE and (not unread or death.reason in LIMITS):
        # What was sent after a stop was asked for is still wanted: it goes on below.
        error = _error(*LIMITS[death.reason], death) if death.reason in LIMITS else None
        return Verdict(ON_PURPOSE[death.reason], error)
    if unread:
        hopeless = death.outcome == "failed_to_start" or (not death.spoke and death.signal is None and death.code)
        if not hopeless and (session.crashes < CRASHES or death.outcome == "abandoned"):
            return Verdict(SessionState.QUEUED)
        return Verdict(SessionState.FAILED, _failure(death))
    if session.state in AT_REST:
        return Verdict(session.state, session.error)
    if death.orderly or death.outcome == "abandoned":
        return Verdict(SessionState.IDLE)
    return Verdict(SessionState.FAILED, _failure(death))


def _failure(death: Death) -> dict[str, Any]:
    if death.outcome == "failed_to_start":
        return _error("claude_not_started", "Claude Code could not be started.", death)
    if death.outcome == "lost":
        return _error("run_lost", "The process is gone and left no word (a kill, or a reboot).", death)
    if not death.spoke:
        return _error("claude_refused_to_run", "Claude Code ended before it said anything.", death)
    return _error("claude_crashed", "Claude Code ended in the middle of its work.", death)


def _error(code: str, message: str, death: Death) -> dict[str, Any]:
    how = f"signal {death.signal}" if death.signal else f"exit code {death.code}"
    said = f" It said: {death.stderr.strip()[-2000:]}" if death.stderr.strip() else ""
    ended = f" ({how})" if death.outcome == "exited" else ""
    return {"code": code, "message": f"{message}{ended}{said}", "remedy": "claude_resume goes on from there."}
