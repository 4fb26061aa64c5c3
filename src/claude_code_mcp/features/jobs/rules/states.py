"""The states of a job as a table: what may follow what, and what a run's end makes of it."""

from collections.abc import Mapping

from claude_code_mcp.features.jobs.models.things import Job, JobState
from claude_code_mcp.kernel.ids import RunId

S = JobState
_ENDS = frozenset({S.COMPLETED, S.FAILED, S.KILLED, S.TIMED_OUT, S.OVER_LIMIT, S.LOST})
NEXT: Mapping[JobState, frozenset[JobState]] = {
    S.WAITING: frozenset({S.STARTING, S.KILLED, S.FAILED}),
    S.STARTING: frozenset({S.RUNNING, S.RESTARTING}) | _ENDS,
    S.RUNNING: frozenset({S.RESTARTING, S.STARTING}) | _ENDS,
    S.RESTARTING: frozenset({S.STARTING, S.KILLED, S.FAILED}),
    **{end: frozenset({S.STARTING, S.WAITING}) for end in _ENDS},
}
"""From each state, those that may follow; an ended job comes back only by being restarted."""

DOCUMENT: Mapping[JobState, str] = {
    S.WAITING: "running",
    S.STARTING: "running",
    S.RUNNING: "running",
    S.RESTARTING: "running",
    S.COMPLETED: "completed",
    S.FAILED: "failed",
    S.OVER_LIMIT: "failed",
    S.LOST: "failed",
    S.KILLED: "killed",
    S.TIMED_OUT: "killed",
}
"""The four words of the background-job server (running, completed, failed, killed)."""

STOPS: Mapping[str, JobState] = {"killed": S.KILLED, "timed_out": S.TIMED_OUT, "over_limit": S.OVER_LIMIT}


ATTEMPTS_KEPT = 3
"""Of so many attempts, the last one included, the output is kept."""


class ImpossibleStep(AssertionError):
    """A job was to go from a state into one that cannot follow: a bug of ours."""


def moved(before: JobState, after: JobState) -> JobState:
    """Return `after`, which must be able to follow `before`.

    Raises:
        ImpossibleStep: it cannot.
    """
    if after is not before and after not in NEXT[before]:
        raise ImpossibleStep(f"a job went from {before} to {after}")
    return after


def end_of(stopping: str | None, code: int | None, *, lost: bool) -> JobState:
    """Return what the end of a job's process makes of the job. `stopping`: why we ended it, None where we did not."""
    if stopping is not None and stopping in STOPS:
        return STOPS[stopping]
    if lost:
        return S.LOST
    return S.COMPLETED if code == 0 else S.FAILED


def begin(job: Job, run_id: RunId, now: str) -> None:
    """Make ready for another attempt: what was said of the last one goes."""
    if job.cuts:
        kept = {n: cuts for n, cuts in job.past_cuts.items() if n > job.attempt - ATTEMPTS_KEPT}
        job.past_cuts = {**kept, job.attempt: job.cuts}
    job.run_id = run_id
    job.attempt += 1
    job.started_at = now
    job.ready_at = job.ended_at = job.next_at = job.exit = None
    job.reason = ""
    job.overdue = False
    job.matched = []
    job.cuts = {}
