"""The daemon's one listener: where it is, what it keeps, and what becomes of it when something is in its way."""

import asyncio
import json
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.daemon.http_host import AGAIN_LOOKS, HttpHost
from claude_code_mcp.platform.procs.identity import identity_of, is_alive
from claude_code_mcp.platform.settings.sources import load
from tests.support.daemon import BOUND_S, CallFailed, Terminal, command_line

SESSION = "036b29f1-70aa-4b66-9e3d-bb9d9eccd8a0"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def env(home: Path, tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "CLAUDE_CODE_MCP_HOME": str(tmp_path / "state")}


@pytest.fixture
def daemon(env: dict[str, str], project: Path, tmp_path: Path) -> Iterator[Terminal]:
    found = Terminal(tmp_path / "state", env, project)
    yield found
    found.stop()


def access(daemon: Terminal) -> dict[str, Any]:
    return daemon.call("daemon.http")


def client(daemon: Terminal, **headers: str) -> httpx2.Client:
    found = access(daemon)
    return httpx2.Client(
        base_url=found["url"], headers={"Authorization": f"Bearer {found['token']}", **headers}, timeout=60
    )


def prompt(text: str) -> bytes:
    return json.dumps({"hook_event_name": "UserPromptSubmit", "session_id": SESSION, "prompt": text}).encode()


def test_url_and_token_stand_in_a_private_file(daemon: Terminal, tmp_path: Path) -> None:
    found = access(daemon)
    path = tmp_path / "state" / "http.json"
    assert found["file"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = json.loads(path.read_text())
    assert (kept["url"], kept["token"]) == (found["url"], found["token"])
    assert kept["url"] == f"http://127.0.0.1:{kept['port']}"
    assert found["token"].startswith("ccm_")
    assert len(found["token"]) > 40
    assert daemon.call("daemon.status")["http"] == found["url"]


def test_only_this_machine_can_connect(daemon: Terminal) -> None:
    port = int(access(daemon)["url"].rpartition(":")[2])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = {fields[1] for fields in listening if fields[1].endswith(f":{port:04X}") and fields[3] == "0A"}
    assert ours == {f"0100007F:{port:04X}"}


def test_a_hook_that_was_answered_is_in_the_log(daemon: Terminal) -> None:
    url = access(daemon)["url"]
    wish = {"session_id": SESSION, "after": "0"}
    with (
        httpx2.Client(base_url=url) as hooks,
        client(daemon) as reader,
        reader.stream("GET", "/events", params=wish) as events,
    ):
        lines = events.iter_lines()
        assert hooks.post("/hooks", headers=JSON, content=prompt("hello over there")).content == b""
        said = next(line for line in lines if line.startswith("data: "))
    event = json.loads(said.removeprefix("data: "))
    assert (event["source"], event["session_id"]) == ("hook", SESSION)
    assert event["payload"]["text"] == "hello over there"


def test_hostile_hooks_harm_nothing(daemon: Terminal) -> None:
    url = access(daemon)["url"]
    bodies = [b"", b"null", b"[]", b'{"hook_event_name":7}', b"\xff" * 50, b'{"session_id":"../../x"}', b"[" * 5000]
    with httpx2.Client(base_url=url) as hooks:
        for number in range(700):
            answer = hooks.post("/hooks", headers=JSON, content=bodies[number % len(bodies)])
            assert answer.status_code == 200
    assert daemon.call("daemon.status")["http"] == url


def test_port_and_token_outlive_a_daemon_that_was_killed(daemon: Terminal) -> None:
    before = access(daemon)
    with httpx2.Client(base_url=before["url"]) as hooks:
        assert hooks.get("/healthz").status_code == 200
        daemon.kill_daemon()
        assert access(daemon) == {**before, "_text": before["_text"]}
        with client(daemon) as again:
            assert again.get("/api/daemon/status").json()["reply"]["http"] == before["url"]


def test_a_port_that_is_taken_is_said_and_the_daemon_goes_on(
    env: dict[str, str], project: Path, tmp_path: Path
) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        daemon = Terminal(tmp_path / "state", {**env, "CLAUDE_CODE_MCP_HTTP_PORT": str(port)}, project)
        try:
            status = daemon.call("daemon.status")
            assert status["http"] is None
            assert str(port) in status["http_problem"]
            assert f"no http: port {port}" in status["_text"]
            with pytest.raises(CallFailed) as refused:
                daemon.call("daemon.http")
            assert refused.value.code == "no_http"
            assert str(port) in (tmp_path / "state" / "daemon.log").read_text()
        finally:
            daemon.stop()


def test_http_can_be_switched_off(env: dict[str, str], project: Path, tmp_path: Path) -> None:
    daemon = Terminal(tmp_path / "state", {**env, "CLAUDE_CODE_MCP_HTTP": "false"}, project)
    try:
        status = daemon.call("daemon.status")
        assert (status["http"], status["http_problem"]) == (None, None)
        assert not (tmp_path / "state" / "http.json").exists()
    finally:
        daemon.stop()


def test_a_token_that_was_thrown_away_is_made_anew(daemon: Terminal, tmp_path: Path) -> None:
    before = access(daemon)
    daemon.stop()
    (tmp_path / "state" / "http.json").unlink()
    after = access(daemon)
    assert after["url"] == before["url"]
    assert after["token"] != before["token"]
    with httpx2.Client(base_url=after["url"]) as stranger:
        old = {"Authorization": f"Bearer {before['token']}"}
        assert stranger.get("/api/daemon/status", headers=old).status_code == 401


def test_what_serves_is_loaded_when_the_first_client_knocks(daemon: Terminal) -> None:
    url = access(daemon)["url"]
    maps = Path(f"/proc/{daemon.pid}/maps")
    before = daemon.call("daemon.status")["rss_bytes"]
    with httpx2.Client(base_url=url) as knocking:
        assert knocking.get("/healthz").status_code == 200
    assert maps.exists()
    assert daemon.call("daemon.status")["rss_bytes"] - before < 12e6


def test_a_daemon_that_is_stopped_ends_streams_and_leaves_in_time(daemon: Terminal) -> None:
    identity = identity_of(daemon.pid)
    assert identity is not None
    with client(daemon) as follower, follower.stream("GET", "/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "retry: 1000"
        os.kill(identity.pid, signal.SIGTERM)
        assert [line for line in lines if line.startswith("data")] == []
    daemon.hang_up()
    deadline = time.monotonic() + BOUND_S
    while is_alive(identity):
        assert time.monotonic() < deadline
        os.sched_yield()


def test_the_command_line_shows_the_door_and_the_telemetry_variables(
    daemon: Terminal, env: dict[str, str], project: Path
) -> None:
    found = access(daemon)
    shown = command_line("http", "--json", env=env, cwd=project)
    assert json.loads(shown.stdout)["token"] == found["token"]
    lines = command_line("telemetry", "env", env=env, cwd=project).stdout.splitlines()
    assert f"export OTEL_EXPORTER_OTLP_ENDPOINT={found['url']}" in lines
    assert "export OTEL_EXPORTER_OTLP_PROTOCOL=http/json" in lines
    assert found["token"] not in "".join(lines)
    block = command_line("telemetry", "env", "--form", "settings", "--with-token", env=env, cwd=project)
    settings = json.loads(block.stdout)
    assert settings["env"]["OTEL_EXPORTER_OTLP_HEADERS"] == f"X-Claude-Code-Mcp-Token={found['token']}"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_calls_tools_with_the_token(daemon: Terminal, mode: str) -> None:
    found = await asyncio.to_thread(access, daemon)
    url = f"{found['url']}/mcp"
    headers = {"Authorization": f"Bearer {found['token']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as talking,
    ):
        names = {tool.name for tool in (await talking.list_tools()).tools}
        assert {"claude_ask", "tool_search"} <= names
        said = await talking.call_tool("tool_call", {"name": "daemon_status", "arguments": {}})
        assert found["url"] in str(said.content[0])
    async with httpx2.AsyncClient(timeout=60) as stranger:
        assert (await stranger.post(url, json={})).status_code == 401


@pytest.mark.anyio
async def test_the_address_of_mcp_chooses_the_tools(daemon: Terminal) -> None:
    found = await asyncio.to_thread(access, daemon)
    headers = {"Authorization": f"Bearer {found['token']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        for profile, fewer in (("full", False), ("daemon", True)):
            url = f"{found['url']}/mcp?profile={profile}"
            async with Client(streamable_http_client(url, http_client=http)) as talking:
                names = {tool.name for tool in (await talking.list_tools()).tools}
            assert "daemon_status" in names
            assert ("execute_claude" not in names) == fewer
        unknown = await http.post(f"{found['url']}/mcp?profile=none", json={})
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (422, "unknown_profile")


@pytest.mark.anyio
async def test_a_port_that_becomes_free_is_taken_later(tmp_path: Path) -> None:
    async def no_surface() -> Any:
        raise AssertionError("nobody asks for MCP")

    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        env = {"HOME": str(tmp_path), "CLAUDE_CODE_MCP_HOME": str(tmp_path), "CLAUDE_CODE_MCP_HTTP_PORT": str(port)}
        app: Any = None  # what serves is not needed until somebody knocks
        host = HttpHost(load(env), build_catalog(), app, no_surface, env)
        host.open()
        assert str(port) in host.state.problem
    for _ in range(AGAIN_LOOKS):
        assert host.look() is False
    assert (host.state.url, host.state.problem) == (f"http://127.0.0.1:{port}", "")
    await host.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", port))
