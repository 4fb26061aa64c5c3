"""The same server over HTTP, for clients of this machine only."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest
import uvicorn
from mcp import Client

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.mcp.http import PATH, build_app
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface
from tests.surfaces.mcp.library import CATALOG

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(surface: McpSurface) -> AsyncIterator[str]:
    app = build_app(surface, Caller(cwd="/project", surface=Surface.MCP), ConnectionOptions("full"))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        # The test's own loop has its signals: uvicorn must not take them.
        serving = asyncio.ensure_future(server.serve(sockets=[sock]))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}{PATH}"
        server.should_exit = True
        await serving


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_python_client_calls_tools_over_http(url: str, mode: str) -> None:
    async with Client(url, mode=mode) as client:
        assert len((await client.list_tools()).tools) == len(CATALOG)
        kept = await client.call_tool("notes_keep", {"title": "milk", "body": "two"})
        assert kept.content[0].model_dump()["text"] == "milk: two"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "evil.example.com"}, 421), ({"Origin": "http://evil.example.com"}, 403), ({"Origin": "null"}, 403)],
)
async def test_a_page_from_elsewhere_is_refused(url: str, headers: dict[str, str], status: int) -> None:
    common = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    async with httpx2.AsyncClient() as client:
        answer = await client.post(
            url, headers={**common, **headers}, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}
        )
        assert answer.status_code == status
