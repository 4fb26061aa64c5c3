"""What a session is told of its job: each thing once, in words that say what to do."""

import msgspec
import pytest

from claude_code_mcp.features.jobs.models import Alert, Job, JobState
from claude_code_mcp.features.jobs.rules.telling import message, remember, remember_end
from claude_code_mcp.kernel.ids import JobId, SessionId

SESSION = SessionId("01234567-89ab-4def-8123-456789abcdef")
PLAIN = Job(
    id=JobId("0197f3a0-1111-7000-8000-000000000000"),
    state=JobState.RUNNING,
    created_at="2026-11-20T09:00:00.000000Z",
    updated_at="2026-11-20T09:00:00.000000Z",
    cwd="/",
    command="app --password=hunter2",
    session_id=SESSION,
    attempt=1,
)


def job(*alerts: Alert, **more: object) -> Job:
    return msgspec.structs.replace(PLAIN, alerts=list(alerts), untold=[], **more)


def test_only_what_was_wished_is_told_and_only_to_a_session() -> None:
    wished, other, nobody = job(Alert.READY), job(Alert.MATCH), job(Alert.READY, session_id=None)
    for one in (wished, other, nobody):
        remember(one, Alert.READY, "is ready")
        remember(one, Alert.READY, "is ready")
    assert [len(one.untold) for one in (wished, other, nobody)] == [1, 0, 0]


def test_lines_are_told_together_while_one_waits_and_again_afterwards() -> None:
    found = job(Alert.MATCH)
    remember(found, Alert.MATCH, "printed a line", "stdout:0")
    remember(found, Alert.MATCH, "printed a line", "stdout:9")
    assert [one.key for one in found.untold] == ["1:match:stdout:0"]
    found.untold = []
    remember(found, Alert.MATCH, "printed a line", "stdout:20")
    assert [one.key for one in found.untold] == ["1:match:stdout:20"]


@pytest.mark.parametrize(
    ("alerts", "state", "told"),
    [
        ((Alert.EXIT,), JobState.COMPLETED, "ended: completed, exit code 0"),
        ((Alert.EXIT,), JobState.FAILED, "ended: failed, exit code 0"),
        ((Alert.EXIT, Alert.FAILURE), JobState.FAILED, "failed: failed, exit code 0"),
        ((Alert.FAILURE,), JobState.COMPLETED, None),
        ((Alert.FAILURE,), JobState.LOST, "failed: lost, exit code 0"),
    ],
)
def test_an_end_is_told_once_as_what_it_is(alerts: tuple[Alert, ...], state: JobState, told: str | None) -> None:
    found = job(*alerts, exit={"code": 0, "signal": None})
    remember_end(found, state, None)
    assert [one.said for one in found.untold] == ([told] if told else [])


def test_each_attempt_has_its_own_end_and_says_when_the_next_comes() -> None:
    found = job(Alert.FAILURE, exit={"code": None, "signal": 9}, reason="it used up the memory that it may use")
    remember_end(found, JobState.FAILED, 2.0)
    found.attempt = 2
    remember_end(found, JobState.FAILED, None)
    first, second = found.untold
    assert first.key != second.key
    assert first.said == (
        "failed: failed, signal SIGKILL (it used up the memory that it may use); it is started again in 2 s"
    )


def test_a_message_names_the_job_without_its_secrets_and_how_to_look() -> None:
    found = job(Alert.READY)
    remember(found, Alert.READY, "is ready")
    said = message(found, found.untold[0])
    assert said.startswith("[background job] app --password=[redacted] is ready.\n")
    assert f'job_tail(job_id="{found.id}")' in said
