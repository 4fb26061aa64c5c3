"""What a session is told of its job, in which words; each thing once."""

import signal
from collections.abc import Mapping

from claude_code_mcp.features.jobs.models.things import Alert, Job, JobState, Telling
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.command_secrets import command_shown

TITLE = 200


def remember(job: Job, alert: Alert, said: str, place: str = "") -> None:
    """Note that the job's session is to be told, where it wishes to be; lines that fit while one of them is still to
    be told are not told one by one."""
    waits = alert is Alert.MATCH and any(one.alert is alert for one in job.untold)
    key = f"{job.attempt}:{alert}:{place}"
    if job.session_id is not None and alert in job.alerts and not waits and all(one.key != key for one in job.untold):
        job.untold.append(Telling(alert, key, said))


def remember_end(job: Job, state: JobState, pause_s: float | None) -> None:
    """Note the end of an attempt; who wishes to hear of failures and of every end hears of a failure once."""
    failed = state is not JobState.COMPLETED
    alert = Alert.FAILURE if failed and Alert.FAILURE in job.alerts else Alert.EXIT
    how = f"{state.value}{_how(job.exit or {})}"
    why = f" ({job.reason})" if job.reason else ""
    next_ = "" if pause_s is None else f"; it is started again in {pause_s:g} s"
    remember(job, alert, f"{'failed' if alert is Alert.FAILURE else 'ended'}: {how}{why}{next_}", state.value)


def message(job: Job, telling: Telling) -> str:
    """Return what a session is sent: what happened, to which job, and how to look closer."""
    called = one_line(command_shown(job.title), TITLE)
    return (
        f"[background job] {called} {telling.said}.\n"
        f'job_id: {job.id}. Look with job_tail(job_id="{job.id}") or job_status; this message is automatic.'
    )


def _how(found: Mapping[str, object]) -> str:
    number, code = found.get("signal"), found.get("code")
    if isinstance(number, int):
        named = next((one.name for one in signal.Signals if one == number), str(number))
        return f", signal {named}"
    return f", exit code {code}" if code is not None else ""
