"""Progress while a call waits, and what ending a wait ends."""

import asyncio
import json

import pytest

from claude_code_mcp.surfaces.mcp.surface import McpSurface
from tests.surfaces.mcp.library import Desk
from tests.surfaces.mcp.wire import BOUND_S, connected

pytestmark = pytest.mark.anyio


async def test_a_thousand_progress_notifications_arrive_in_order_before_the_answer(
    surface: McpSurface, desk: Desk
) -> None:
    desk.rung.set()
    async with connected(surface) as client:
        await client.initialize()
        result = await client.call("clocks_wait", {"steps": 1000}, {"progressToken": "p"})
        told = [line["params"] for line in client.seen if line.get("method") == "notifications/progress"]
        assert [params["message"] for params in told] == [f"tick {step}" for step in range(1000)]
        assert all(params["progressToken"] == "p" for params in told)
        assert [params["progress"] for params in told] == sorted({params["progress"] for params in told})
        assert result["content"][0]["text"] == "rung"


async def test_without_a_token_there_is_no_progress(surface: McpSurface, desk: Desk) -> None:
    desk.rung.set()
    async with connected(surface) as client:
        await client.initialize()
        await client.call("clocks_wait", {"steps": 10})
        assert not [line for line in client.seen if line.get("method") == "notifications/progress"]


@pytest.mark.parametrize("modern", [False, True])
async def test_a_cancelled_wait_is_not_answered_and_the_connection_goes_on(
    surface: McpSurface, desk: Desk, modern: bool
) -> None:
    async with connected(surface) as client:
        if modern:
            client.modern = True
        else:
            await client.initialize()
        number = client.ask("tools/call", {"name": "clocks_wait", "arguments": {}})
        await desk.waiting.wait()
        client.notify("notifications/cancelled", {"requestId": number})
        assert await client.text("notes_list") == "No notes."
        assert number not in [line.get("id") for line in client.seen]


async def test_some_clients_write_the_cancelled_id_as_text(surface: McpSurface, desk: Desk) -> None:
    async with connected(surface) as client:
        await client.initialize()
        number = client.ask("tools/call", {"name": "clocks_wait", "arguments": {}})
        await desk.waiting.wait()
        client.notify("notifications/cancelled", {"requestId": str(number)})
        client.ask("ping")
        assert (await client.next())["id"] == number + 1


async def test_a_call_cancelled_before_it_began_leaves_its_id_free(surface: McpSurface, desk: Desk) -> None:
    async with connected(surface) as client:
        await client.initialize()
        call = {"jsonrpc": "2.0", "id": "one", "method": "tools/call", "params": {"name": "clocks_wait"}}
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "one"}}
        client.raw(b"\n".join(json.dumps(line).encode() for line in (call, cancel)) + b"\n")
        await client.answer(client.ask("ping"))
        client.send({**call, "params": {"name": "notes_list"}})
        assert (await client.answer("one"))["result"]["content"][0]["text"] == "No notes."
        assert not desk.waiting.is_set()


async def test_cancelling_ends_the_wait_and_leaves_the_work_alone(surface: McpSurface, desk: Desk) -> None:
    async with connected(surface) as client:
        await client.initialize()
        number = client.ask("tools/call", {"name": "clocks_shielded", "arguments": {}})
        await desk.waiting.wait()
        client.notify("notifications/cancelled", {"requestId": number})
        await client.answer(client.ask("ping"))
        assert desk.finished == 0
        desk.rung.set()
        async with asyncio.timeout(BOUND_S):
            while not desk.finished:
                await asyncio.sleep(0)


async def test_the_end_of_the_stream_ends_the_waits_at_once(surface: McpSurface, desk: Desk) -> None:
    async with connected(surface) as client:
        await client.initialize()
        client.ask("tools/call", {"name": "clocks_wait", "arguments": {}})
        await desk.waiting.wait()
        client.writer.close()
    assert not desk.rung.is_set()


async def test_answers_that_are_nearly_there_still_reach_a_client_that_closed_its_end(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        number = client.ask("tools/call", {"name": "notes_list"})
        client.writer.write_eof()
        assert (await client.answer(number))["result"]["content"][0]["text"] == "No notes."


async def test_cancelling_what_is_not_there_is_ignored(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        bads: tuple[object, ...] = (99, "x", None, [], {"a": 1}, True)
        for bad in bads:
            client.notify("notifications/cancelled", {"requestId": bad})
        assert await client.text("notes_list") == "No notes."
