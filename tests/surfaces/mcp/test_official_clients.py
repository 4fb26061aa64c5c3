"""The official Python and TypeScript clients, as other programs use them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError

from claude_code_mcp.kernel.resource import Resource, ResourceContent
from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from claude_code_mcp.surfaces.mcp.tasks import TaskOptions
from claude_code_mcp.surfaces.mcp.updates import Updates
from tests.surfaces.mcp.library import CATALOG, Ctx, Desk
from tests.surfaces.mcp.node import JS, module, run_node
from tests.surfaces.mcp.wire import BOUND_S, listening, sdk_transport

pytestmark = pytest.mark.anyio
BRIDGE = Path(__file__).with_name("bridge.py")
MODES = ["auto", "legacy", "2026-07-28"]


class TellingNotes(dict[str, str]):
    """Notes that tell when one of them changed."""

    def __init__(self, updates: Updates) -> None:
        super().__init__()
        self._updates = updates

    def __setitem__(self, title: str, body: str) -> None:
        super().__setitem__(title, body)
        self._updates.resource_changed(f"note://{title}")


class NoteResources:
    """The notes as resources."""

    templates = ()

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def resources(self) -> Sequence[Resource]:
        return [Resource(f"note://{title}", title) for title in self._desk.notes]

    async def read(self, uri: str) -> Sequence[ResourceContent] | None:
        title = uri.removeprefix("note://")
        return [ResourceContent(uri, self._desk.notes[title])] if title in self._desk.notes else None


@pytest.fixture
async def surface(desk: Desk) -> AsyncIterator[McpSurface]:
    updates = Updates()
    desk.notes = TellingNotes(updates)
    desk.rung.set()
    parts = Parts(
        catalog=CATALOG,
        context=lambda caller: Ctx(desk, caller),
        version="0.1.0",
        resources=(NoteResources(desk),),
        updates=updates,
        task_options=TaskOptions(grace_s=0.05, poll_ms=20),
    )
    async with McpSurface(parts) as opened:
        yield opened


async def says_yes(context: object, params: object) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"choice": "yes"})


@pytest.mark.parametrize("mode", MODES)
async def test_the_python_client_lists_calls_asks_and_hears_progress(surface: McpSurface, mode: str) -> None:
    steps: list[float] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async with Client(sdk_transport(surface), mode=mode, elicitation_callback=says_yes) as client:
        assert len((await client.list_tools()).tools) == len(CATALOG)
        kept = await client.call_tool("notes_keep", {"title": "milk", "body": "two"})
        assert kept.content == [types.TextContent(type="text", text="milk: two")]
        read = await client.call_tool("notes_read", {"title": "milk"})
        assert read.structured_content == {"title": "milk", "body": "two"}
        gone = await client.call_tool("notes_read", {"title": "gone"})
        assert gone.is_error
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("nope")
        asked = await client.call_tool("clocks_ask", {"times": 2})
        assert asked.content == [types.TextContent(type="text", text="yes yes")]
        await client.call_tool("clocks_wait", {"steps": 50}, progress_callback=progress)
        assert len(steps) == 50
        assert (await client.read_resource("note://milk")).contents[0].model_dump()["text"] == "two"


async def test_the_python_client_follows_a_resource(surface: McpSurface, desk: Desk) -> None:
    async with (
        Client(sdk_transport(surface)) as client,
        client.listen(resource_subscriptions=["note://milk"]) as changes,
        asyncio.timeout(BOUND_S),
    ):
        desk.notes["milk"] = "three"
        change = await anext(aiter(changes))
        assert "note://milk" in str(change)


async def test_the_python_client_finishes_a_task(surface: McpSurface, desk: Desk) -> None:
    desk.rung.clear()

    class Handle(types.Result):
        result_type: Literal["task"] = "task"
        task_id: str

    class GetTask(types.Request[dict[str, Any], Literal["tasks/get"]]):
        method: Literal["tasks/get"] = "tasks/get"

    class Task(types.Result):
        status: str
        result: dict[str, Any] | None = None

    async def resolve(handle: Handle, ctx: ClaimContext) -> types.CallToolResult:
        desk.rung.set()
        while True:
            task = await ctx.session.send_request(GetTask(params={"taskId": handle.task_id}), Task)
            if task.status == "completed":
                return types.CallToolResult.model_validate(task.result)

    class KnowsTasks(ClientExtension):
        identifier = "io.modelcontextprotocol/tasks"

        def claims(self) -> Sequence[ResultClaim[Any]]:
            return (ResultClaim(result_type="task", model=Handle, resolve=resolve),)

    async with Client(sdk_transport(surface), extensions=[KnowsTasks()]) as client, asyncio.timeout(BOUND_S):
        done = await client.call_tool("clocks_work", {"name": "build"})
        assert done.content == [types.TextContent(type="text", text="build done")]


@pytest.mark.e2e
@pytest.mark.parametrize(("script", "package"), [("client1.mjs", "sdk"), ("client2.mjs", "client")])
async def test_the_typescript_clients_work_over_stdio(
    surface: McpSurface, desk: Desk, tmp_path: Path, script: str, package: str
) -> None:
    desk.rung.clear()
    module(f"@modelcontextprotocol/{package}")
    path = tmp_path / "mcp.sock"
    async with listening(surface, path):
        command = [sys.executable, str(BRIDGE), str(path)]
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        code, out = await run_node(str(JS / script), *command, timeout_s=30, env=env)
    assert code == 0, out
    seen = json.loads(out.splitlines()[-1])
    assert seen.pop("server", "claude-code-mcp") == "claude-code-mcp"
    assert seen.pop("version", "2026-07-28") == "2026-07-28"
    assert seen == {
        "tools": len(CATALOG),
        "kept": "milk: two",
        "structured": {"title": "milk", "body": "two"},
        "error": True,
        "asked": "yes",
        "waited": "rung",
        "steps": 100,
        "read": "two",
        "updated": "note://milk",
    }
