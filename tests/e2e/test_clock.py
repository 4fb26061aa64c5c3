"""A machine whose clock is set, or which sleeps: sessions are timed by what they work, questions by the hour."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from claude_code_mcp.app import App, opened
from claude_code_mcp.features.approvals.models import ListApprovals
from claude_code_mcp.features.daemon.service import Host
from claude_code_mcp.features.sessions.models import SetSession, StartSession, WaitSession, WaitUntil
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.files.private import private_dir
from claude_code_mcp.platform.settings.sources import load
from claude_code_mcp.testing import ScriptedModel

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]


class SetClock:
    """The machine's clock, and how far somebody has set it wrong."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


@asynccontextmanager
async def app_with(clock: SetClock, env: dict[str, str], directory: Path) -> AsyncGenerator[App]:
    """Open the application in this process; its sessions end with the test."""
    private_dir(directory)
    host = Host(clock.now(), lambda: 0, lambda _: None)
    async with opened(load(env, {"state_dir": str(directory)}, client_env=False), host, clock) as app:
        try:
            yield app
        finally:
            await app.supervisor.stop_all()


def caller(env: dict[str, str], project: Path) -> Caller:
    return Caller(cwd=str(project), env=env, client="test", surface=Surface.CLI)


@pytest.mark.parametrize("days", [2, -2], ids=["forward", "back"])
async def test_a_working_session_does_not_run_out_of_time_when_the_clock_is_set(
    daemon_env: dict[str, str], project: Path, tmp_path: Path, model: ScriptedModel, days: int
) -> None:
    clock, asks = SetClock(), caller(daemon_env, project)
    async with app_with(clock, daemon_env, tmp_path / "state") as app:
        sessions = app.services.sessions
        handle = await sessions.start(StartSession(prompt="[s:held-tool:gate]", timeout_s=3600, idle_s=3600), asks)
        await model.gate("gate").wait_reached(timeout_s=30)
        clock.off = timedelta(days=days)
        # Any news makes the daemon look at its deadlines anew.
        await sessions.set(SetSession(session_id=handle.session_id, title="A title"), asks)
        model.gate("gate").open()
        done = await sessions.wait(WaitSession(session_id=handle.session_id, wait_s=60), asks)
        assert (done.status, done.outcome is not None and done.outcome.ok) == ("idle", True)
        ended = await sessions.wait(
            WaitSession(session_id=handle.session_id, cursor=done.cursor, until=WaitUntil.EVENT, wait_s=0.5), asks
        )
        assert not ended.reached, "a warm process was ended because the clock was set"


async def test_a_question_whose_hour_has_come_is_denied_when_the_clock_is_set_forward(
    daemon_env: dict[str, str], project: Path, tmp_path: Path
) -> None:
    clock, asks = SetClock(), caller(daemon_env, project)
    env = {**daemon_env, "CLAUDE_CODE_MCP_APPROVAL_TIMEOUT_S": "3600"}
    async with app_with(clock, env, tmp_path / "state") as app:
        sessions = app.services.sessions
        handle = await sessions.start(StartSession(prompt="[s:touch]"), asks)
        asked = await sessions.wait(WaitSession(session_id=handle.session_id, wait_s=60), asks)
        assert len(asked.needs) == 1
        clock.off = timedelta(hours=2)
        await sessions.set(SetSession(session_id=handle.session_id, title="A title"), asks)
        with anyio.fail_after(60):
            done = await sessions.wait(
                WaitSession(session_id=handle.session_id, until=WaitUntil.RESULT, cursor=asked.cursor, wait_s=30), asks
            )
            while done.needs:
                done = await sessions.wait(
                    WaitSession(session_id=handle.session_id, until=WaitUntil.EVENT, cursor=done.cursor, wait_s=30),
                    asks,
                )
        (answered,) = app.services.approvals.find(ListApprovals(session_id=handle.session_id, all=True)).items
        assert (answered.decision, answered.by) == ("deny", "policy")
    assert not (project / "made-by-bash.txt").exists()
