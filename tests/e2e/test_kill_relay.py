"""kill -9 of the relay while a call waits, with the official client of both eras: nobody else is touched."""

import contextlib
import sys
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from mcp import Client, StdioServerParameters

from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import Terminal
from tests.support.processes import is_alive, running, until

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
Era = Literal["legacy", "auto"]


def relay(terminal: Terminal, era: Era) -> Client:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "claude_code_mcp", "serve"], env=terminal.env, cwd=str(terminal.cwd)
    )
    return Client(server, mode=era)


def text(result: Any) -> str:
    return "\n".join(block.text for block in result.content)


async def asking(terminal: Terminal, era: Era, prompt: str) -> None:
    """Ask, and take whatever the client makes of its server's death."""
    with contextlib.suppress(Exception, BaseExceptionGroup):
        async with relay(terminal, era) as client:
            await client.call_tool("claude_ask", {"prompt": prompt, "wait_s": 60})


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_a_relay_that_is_killed_in_a_call_harms_nobody_and_the_next_one_sees_everything(
    terminal: Terminal, model: ScriptedModel, home: Path, era: Era
) -> None:
    daemon = terminal.pid
    async with anyio.create_task_group() as group:
        group.start_soon(asking, terminal, era, "[s:midway:gate]")
        await anyio.to_thread.run_sync(lambda: model.gate("gate").reached().result(60))
        (process,) = running(home, "serve")
        process.kill()
        await anyio.to_thread.run_sync(lambda: until(lambda: not is_alive(process)))
        group.cancel_scope.cancel()
    (session,) = terminal.call("sessions.list")["items"]
    assert (terminal.pid, session["status"]) == (daemon, "running")
    until(lambda: terminal.call("daemon.status")["connections"] == 1)
    async with relay(terminal, era) as client:
        session_id = session["session_id"]
        assert "running" in text(await client.call_tool("session_status", {"session_id": session_id}))
        model.gate("gate").open()
        done = text(await client.call_tool("session_wait", {"session_id": session_id, "wait_s": 60}))
        assert "Started and then finished." in done
        listed = await client.call_tool("session_events", {"session_id": session_id})
        assert text(listed).count("turn.finished") == 1
    assert [(one.scenario, one.step) for one in model.seen()] == [("midway", 1)]
