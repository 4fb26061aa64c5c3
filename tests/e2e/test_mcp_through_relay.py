"""The official Python client through our relay and daemon: questions in place, streams, resources, restarts."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import mcp_types
import psutil
import pytest
from mcp import Client, StdioServerParameters

from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
Era = Literal["legacy", "auto"]
ERAS: tuple[Era, ...] = ("legacy", "auto")


@asynccontextmanager
async def client(terminal: Terminal, era: Era, *args: str, **callbacks: Any) -> AsyncGenerator[Client]:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "claude_code_mcp", "serve", *args],
        env=terminal.env,
        cwd=str(terminal.cwd),
    )
    async with Client(server, mode=era, **callbacks) as found:
        yield found


def text(result: Any) -> str:
    return "\n".join(block.text for block in result.content)


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_can_ask_its_user_answers_in_place(terminal: Terminal, era: Era) -> None:
    asked: list[str] = []

    async def answer(_: Any, params: Any) -> mcp_types.ElicitResult:
        asked.append(params.message)
        return mcp_types.ElicitResult(action="accept", content={"decision": "allow"})

    async with client(terminal, era, elicitation_callback=answer) as found:
        result = await found.call_tool("claude_ask", {"prompt": "[s:touch]", "wait_s": 60})
    assert len(asked) == 1
    assert "wants to use Bash" in asked[0]
    assert "Touched." in text(result)
    assert (terminal.cwd / "made-by-bash.txt").exists()


@pytest.mark.parametrize("era", ERAS)
async def test_a_declined_form_leaves_the_question_waiting_for_anybody(terminal: Terminal, era: Era) -> None:
    async def decline(_: Any, __: Any) -> mcp_types.ElicitResult:
        return mcp_types.ElicitResult(action="decline")

    async with client(terminal, era, elicitation_callback=decline) as found:
        result = await found.call_tool("claude_ask", {"prompt": "[s:touch]", "wait_s": 60})
        assert "WAITS: permission for Bash" in text(result)
        listed = text(await found.call_tool("approval_list", {}))
        approval_id = listed.split()[0]
        answered = await found.call_tool("approval_answer", {"approval_id": approval_id, "decision": "deny"})
        assert "deny" in text(answered)


@pytest.mark.parametrize("era", ERAS)
async def test_progress_keeps_a_waiting_client_awake(terminal: Terminal, era: Era) -> None:
    heard: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message)

    async with client(terminal, era) as found:
        result = await found.call_tool(
            "claude_ask", {"prompt": "[s:midway:never]", "wait_s": 6}, progress_callback=note
        )
        assert "session_id:" in text(result)
    assert heard


async def test_resources_show_sessions_and_their_events(terminal: Terminal) -> None:
    async with client(terminal, "auto") as found:
        await found.call_tool("claude_ask", {"prompt": "[s:hi]", "wait_s": 60})
        uris = [str(resource.uri) for resource in (await found.list_resources()).resources]
        session = next(uri for uri in uris if uri.startswith("session://"))
        assert "claude://sessions/active" in uris
        events = (await found.read_resource(f"{session}/events")).contents[0]
        assert isinstance(events, mcp_types.TextResourceContents)
        assert '"kind": "turn.finished"' in events.text


@pytest.mark.parametrize("era", ERAS)
async def test_the_daemon_may_die_while_a_call_waits(terminal: Terminal, era: Era) -> None:
    async with client(terminal, era) as found:
        started = text(await found.call_tool("execute_claude", {"prompt": "[s:midway:never]"}))
        session_id = started.split()[1]
        failures: list[str] = []

        async def wait() -> None:
            try:
                await found.call_tool("session_wait", {"session_id": session_id, "wait_s": 60})
            except Exception as exc:  # noqa: BLE001 - whichever error the client raises, its text is the point
                failures.append(str(exc))

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.to_thread.run_sync(lambda: terminal.until_event(session_id, "message.started"))
            await anyio.to_thread.run_sync(terminal.kill_daemon)
        assert failures
        assert "daemon_restarted" in failures[0]
        # The same connection goes on with the next daemon, and the session was not touched.
        status = text(await found.call_tool("session_status", {"session_id": session_id}))
        assert "running" in status
        assert "stopped" in text(await found.call_tool("claude_abort", {"session_id": session_id, "mode": "stop"}))


async def test_kill_9_of_the_relay_harms_nobody(terminal: Terminal) -> None:
    session_id = ""
    # The client may complain about its dead server as it likes.
    with contextlib.suppress(Exception, BaseExceptionGroup):
        async with client(terminal, "legacy") as found:
            started = text(await found.call_tool("execute_claude", {"prompt": "[s:touch]"}))
            session_id = started.split()[1]
            relays = [
                process.pid
                for process in psutil.Process().children(recursive=True)
                if "serve" in process.cmdline() and "claude_code_mcp" in process.cmdline()
            ]
            for pid in relays:
                os.kill(pid, signal.SIGKILL)
            await found.call_tool("session_status", {"session_id": session_id})
    waited = await anyio.to_thread.run_sync(lambda: terminal.finish(session_id))
    assert [need["tool"] for need in waited["needs"]] == ["Bash"]


class Wire:
    """A relay spoken to by hand, for what no client library shows."""

    def __init__(self, terminal: Terminal, *args: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "claude_code_mcp", "serve", *args],
            env=terminal.env,
            cwd=terminal.cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def say(self, **message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._process.stdin.flush()

    def until_answer(self, request_id: int) -> list[dict[str, Any]]:
        """Return what comes up to and with the answer to a request."""
        assert self._process.stdout is not None
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1].get("id") != request_id:
            heard.append(json.loads(self._process.stdout.readline()))
        return heard

    def close(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait(60)


def test_stream_notifications_come_on_wish_and_in_order(terminal: Terminal) -> None:
    wire = Wire(terminal, "--stream")
    wire.say(
        id=0,
        method="initialize",
        params={"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "by hand", "version": "1"}},
    )
    wire.until_answer(0)
    wire.say(method="notifications/initialized")
    arguments = {"prompt": "[s:tool]", "wait_s": 60, "partial": True}
    wire.say(id=1, method="tools/call", params={"name": "claude_ask", "arguments": arguments})
    heard = wire.until_answer(1)
    streamed = [message["params"] for message in heard if message.get("method") == "claude.stream"]
    types = [params["message"]["type"] for params in streamed]
    assert {params["session_id"] for params in streamed} == {streamed[0]["session_id"]}
    assert types.index("turn.started") < types.index("tool.started") < types.index("turn.finished")
    assert "partial" in types
    assert types.count("turn.finished") == 1
    wire.say(id=2, method="tools/call", params={"name": "claude_ask", "arguments": {**arguments, "stream": False}})
    assert all("method" not in message for message in wire.until_answer(2))
    assert wire.close() == 0


def modern(**params: Any) -> dict[str, Any]:
    """Return request parameters as a client of 2026-07-28 that knows tasks sends them."""
    prefix = "io.modelcontextprotocol"
    return {
        **params,
        "_meta": {
            f"{prefix}/protocolVersion": "2026-07-28",
            f"{prefix}/clientInfo": {"name": "by hand", "version": "1"},
            f"{prefix}/clientCapabilities": {"extensions": {f"{prefix}/tasks": {}}},
        },
    }


def test_a_task_survives_the_daemon_and_ends_with_the_answer(terminal: Terminal, model: ScriptedModel) -> None:
    wire = Wire(terminal)
    arguments = {"prompt": "[s:midway:go]"}
    wire.say(id=1, method="tools/call", params=modern(name="claude_ask", arguments=arguments))
    (created,) = wire.until_answer(1)
    task_id = created["result"]["taskId"]
    model.gate("go").reached().result(60)
    terminal.kill_daemon()
    wire.say(id=2, method="tasks/get", params=modern(taskId=task_id))
    assert wire.until_answer(2)[-1]["result"]["status"] == "working"
    model.gate("go").open()
    session_id = terminal.call("sessions.list")["items"][0]["session_id"]
    terminal.finish(session_id)
    number, task = 3, {"status": "working"}
    while task["status"] == "working":
        wire.say(id=number, method="tasks/get", params=modern(taskId=task_id))
        task = wire.until_answer(number)[-1]["result"]
        number += 1
    assert task["status"] == "completed"
    assert "session_id:" in json.dumps(task)
    assert wire.close() == 0


def test_cancelling_a_wait_harms_neither_session_nor_connection(terminal: Terminal, model: ScriptedModel) -> None:
    wire = Wire(terminal, "--profile", "full")
    start = {"capabilities": {}, "clientInfo": {"name": "by hand", "version": "1"}, "protocolVersion": "2025-11-25"}
    wire.say(id=0, method="initialize", params=start)
    wire.until_answer(0)
    wire.say(method="notifications/initialized")
    wire.say(id=1, method="tools/call", params={"name": "claude_ask", "arguments": {"prompt": "[s:midway:go]"}})
    model.gate("go").reached().result(60)
    wire.say(method="notifications/cancelled", params={"requestId": 1})
    model.gate("go").open()
    session_id = terminal.call("sessions.list")["items"][0]["session_id"]
    assert terminal.finish(session_id)["outcome"]["ok"]
    wire.say(id=2, method="tools/call", params={"name": "session_status", "arguments": {"session_id": session_id}})
    assert "idle" in wire.until_answer(2)[-1]["result"]["content"][0]["text"]
    assert wire.close() == 0
