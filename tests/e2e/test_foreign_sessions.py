"""A real Claude Code that somebody else started is seen with all that it does, without any set-up."""

import asyncio
import contextlib
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.platform.claude.live import live_sessions
from tests.features.captures.machine import Machine
from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import BOUND_S, Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]


@pytest.fixture
def machine(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine whose home the real CLI has."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    made = Machine(tmp_path)
    assert made.home == home
    return made


def _started(claude: ClaudeCli, prompt: str, *args: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [str(claude.binary), "-p", prompt, *args],
        env=dict(claude.env),
        cwd=claude.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _session(machine: Machine) -> str:
    """Return the session that runs now, once it is told of."""
    await machine.until(lambda: bool(machine.app.services.captures.live()))
    (entry,) = machine.app.services.captures.live()
    return entry.session_id


def _one(events: list[Recorded]) -> Recorded:
    (event,) = events
    return event


async def test_a_session_of_somebody_else_is_seen_live_from_its_start_to_its_end(
    machine: Machine, claude: ClaudeCli
) -> None:
    async with machine.looking():
        await machine.caught_up()
        with _started(claude, "go [s:long-bash]", "--allowedTools", "Bash") as process:
            session = await _session(machine)
            await machine.until(lambda: bool(machine.events("tool.started", session=session)))
            call = _one(machine.events("tool.started", session=session))
            assert call.payload["name"] == "Bash"
            assert machine.events("tool.finished", session=session) == []
            opened = machine.events("session.opened", session=session)
            assert process.pid in {event.payload.get("pid") for event in opened}
            (claude.cwd / "go").touch()
            await machine.until(lambda: bool(machine.events("process.gone", session=session)))
            await machine.until(lambda: bool(machine.events("cost.counted", session=session)))
            assert await asyncio.to_thread(process.wait, 20) == 0
        assert _one(machine.events("tool.finished", session=session)).tool_use_id == call.tool_use_id
        assert machine.said(session) == ["go [s:long-bash]"]
        assert _one(machine.events("turn.stopped", session=session)).payload.get("ok", True)
        assert _one(machine.events("cost.counted", session=session)).payload["total_cost_microusd"] > 0
        past = machine.app.services.captures.past(1)[0]
        assert (past.session_id, past.cwd, past.tool_calls) == (session, str(claude.cwd), 1)


async def test_a_killed_session_is_gone_and_its_call_stays_open(machine: Machine, claude: ClaudeCli) -> None:
    async with machine.looking():
        await machine.caught_up()
        with _started(claude, "go [s:long-bash]", "--allowedTools", "Bash") as process:
            session = await _session(machine)
            await machine.until(lambda: bool(machine.events("tool.started", session=session)))
            process.kill()
            await machine.until(lambda: bool(machine.events("process.gone", session=session)))
            (claude.cwd / "go").touch()
        assert machine.events("tool.finished", session=session) == []
        assert live_sessions(machine.config) == []


def _logged(terminal: Terminal, session: str) -> list[tuple[str, bool]]:
    """Return what transcripts told of a session: which facts, and whether they are about a subagent."""
    with contextlib.closing(sqlite3.connect(terminal.state_dir / "state.db")) as db:
        rows = db.execute(
            "SELECT kind, agent_id IS NOT NULL FROM event WHERE session_id = ? AND source = 'transcript'", (session,)
        )
        return [(kind, bool(agent)) for kind, agent in rows]


def test_of_a_session_of_ours_only_the_subagents_are_read_from_their_transcripts(terminal: Terminal) -> None:
    started = terminal.call("sessions.start", prompt="go [s:agent-foreground]", allowed_tools=["Bash"])
    session = started["session_id"]
    terminal.finish(session)
    deadline = time.monotonic() + BOUND_S
    while ("subagent.finished", True) not in _logged(terminal, session):
        assert time.monotonic() < deadline
        terminal.call("sessions.wait", session_id=session, until="event", wait_s=0.1)
    told = _logged(terminal, session)
    assert ("agent.linked", True) in told
    assert [kind for kind, agent in told if not agent] == []
    shown = terminal.events(session)
    assert {event["source"] for event in shown} == {"daemon", "stream"}
    assert terminal.call("sessions.events", session_id=session, cursor=shown[-1]["seq"])["events"] == []


async def test_nested_subagents_are_linked_to_the_calls_that_launched_them(machine: Machine, claude: ClaudeCli) -> None:
    async with machine.looking():
        await machine.caught_up()
        with _started(claude, "go [s:agent-nested]", "--allowedTools", "Bash") as process:
            session = await _session(machine)
            await machine.until(lambda: bool(machine.events("process.gone", session=session)))
            await machine.until(lambda: bool(machine.events("cost.counted", session=session)))
            assert await asyncio.to_thread(process.wait, 20) == 0
        await machine.caught_up()
        linked = {event.subject: event for event in machine.events("agent.linked", session=session)}
        calls = {
            event.tool_use_id: event.agent_id
            for event in machine.events("tool.started", session=session)
            if event.payload["name"] == "Agent"
        }
        deepest = [event for event in linked.values() if event.payload.get("parent_agent_id")]
        assert set(calls) == {event.tool_use_id for event in linked.values()}
        assert [calls[event.tool_use_id] for event in deepest] == [
            event.payload["parent_agent_id"] for event in deepest
        ]
        assert deepest
