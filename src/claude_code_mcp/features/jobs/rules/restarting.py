"""When a job that ended is started again."""

from claude_code_mcp.features.jobs.models.things import JobState, Policy, Restart

STABLE_S = 60.0
"""A job that ran for so long was well: what failed before does not count against it."""
_NEVER = frozenset({JobState.KILLED, JobState.OVER_LIMIT})


def pause_s(policy: Policy, state: JobState, failures: int) -> float | None:
    """Return how long to wait before the next attempt, None for no other. `failures`: attempts in a row that ended
    before they were stable, this one included."""
    wished = {
        JobState.LOST: policy.after_reboot,
        JobState.COMPLETED: policy.when is Restart.ALWAYS,
    }.get(state, policy.when is not Restart.NO)
    if state in _NEVER or not wished:
        return None
    if policy.attempts is not None and failures > policy.attempts:
        return None
    # The exponent is bounded: a job may fail for years.
    return min(policy.most_s, policy.pause_s * 2.0 ** min(max(0, failures - 1), 32))


def failures_after(failures: int, ran_s: float) -> int:
    """Return the attempts in a row that were not stable, after one that ran for `ran_s`."""
    return 1 if ran_s >= STABLE_S else failures + 1
