"""The real Claude Code as an MCP client of our surface, over a bridge as the relay is one."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from claude_code_mcp.surfaces.mcp.surface import McpSurface
from claude_code_mcp.testing import ScriptedModel, parse_script, scripted_model_thread
from tests.support.claude_cli import ClaudeCli, Finished, blocks
from tests.surfaces.mcp.library import Desk
from tests.surfaces.mcp.wire import BOUND_S, listening

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]
BRIDGE = Path(__file__).with_name("bridge.py")
SCRIPT = """
scenarios:
  keep:
    - tools: {mcp__notes__notes_keep: {title: milk, body: two}}
    - tools: {mcp__notes__notes_list: {}}
    - "Kept: ${result}"
  wrong:
    - tools: {mcp__notes__notes_keep: {title: full}}
    - "Told: ${result}"
  ask:
    - tools: {mcp__notes__clocks_ask: {question: "Go on?"}}
    - "Told: ${result}"
  wait:
    - tools: {mcp__notes__clocks_wait: {steps: 3}}
    - "Heard: ${result}"
"""


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model_thread(parse_script(SCRIPT)) as found:
        yield found


@pytest.fixture
async def config(surface: McpSurface, short_tmp: Path) -> AsyncIterator[dict[str, Any]]:
    """Serve the surface; yield the configuration of an MCP client that reaches it through the bridge."""
    path = short_tmp / "mcp.sock"
    async with listening(surface, path):
        yield {"mcpServers": {"notes": {"command": sys.executable, "args": [str(BRIDGE), str(path)]}}}


async def run(claude: ClaudeCli, config: Mapping[str, Any], prompt: str, **env: str) -> Finished:
    """Run one prompt with our server configured."""

    def call() -> Finished:
        words = ("--mcp-config", json.dumps(config), "--strict-mcp-config", "--allowedTools=mcp__notes")
        # Without this a server that is slow to start is simply absent from the first turn.
        return claude.run(prompt, *words, env={"MCP_CONNECTION_NONBLOCKING": "0", **env})

    return await anyio.to_thread.run_sync(call)


@pytest.mark.parametrize("negotiation", ["", "legacy"])
async def test_claude_code_finds_and_calls_our_tools_in_both_eras(
    desk: Desk, claude: ClaudeCli, config: dict[str, Any], negotiation: str
) -> None:
    done = await run(claude, config, "[s:keep]", MCP_PROTOCOL_NEGOTIATION=negotiation)
    assert desk.notes == {"milk": "two"}
    assert "Kept: milk" in done.text
    [init] = done.of("system", "init")
    assert {"name": "notes", "status": "connected"}.items() <= init["mcp_servers"][0].items()


async def test_a_model_reads_the_code_and_the_remedy_of_an_error(claude: ClaudeCli, config: dict[str, Any]) -> None:
    done = await run(claude, config, "[s:wrong]")
    [result] = blocks(done.lines, "tool_result")
    assert result["is_error"] is True
    assert "shelf_full: The shelf is full. Drop a note first." in str(result["content"])


async def test_a_call_of_claude_code_waits_until_we_answer(
    desk: Desk, claude: ClaudeCli, config: dict[str, Any]
) -> None:
    running = asyncio.ensure_future(run(claude, config, "[s:wait]"))
    async with asyncio.timeout(2 * BOUND_S):
        await desk.waiting.wait()
    desk.rung.set()
    done = await running
    assert "Heard: rung" in done.text


@pytest.mark.parametrize("negotiation", ["", "legacy"])
async def test_claude_code_without_a_screen_closes_our_question_unanswered(
    desk: Desk, claude: ClaudeCli, config: dict[str, Any], negotiation: str
) -> None:
    env = {"MCP_PROTOCOL_NEGOTIATION": negotiation, "ENABLE_TOOL_SEARCH": "false"}
    done = await run(claude, config, "[s:ask]", **env)
    assert "Told: nothing" in done.text
    assert (desk.started, desk.finished) == (1, 1)
