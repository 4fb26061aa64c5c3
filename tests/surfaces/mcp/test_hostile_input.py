"""Lines that no honest client sends: each gets one clear error, and the connection lives."""

import asyncio
import json
from typing import Any

import pytest

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.mcp.dispatcher import MOST_IN_FLIGHT, TURN, LineContext, LineDispatcher
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface
from claude_code_mcp.surfaces.mcp.wire import HIGH_WATER
from tests.surfaces.mcp.library import Desk
from tests.surfaces.mcp.wire import BOUND_S, WireClient, connected, streams

pytestmark = pytest.mark.anyio
CALLER = Caller(cwd="/project", surface=Surface.MCP)
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def changed(**changes: Any) -> bytes:
    line = {**PING, **changes}
    return json.dumps({key: value for key, value in line.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"hello", -32700),
        (b"\xff\xfe", -32700),
        (b"\xef\xbb\xbf{}", -32700),
        (b"[" * 100_000, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"} trailing', -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b"7", -32600),
        (b"null", -32600),
        (b'"ping"', -32600),
        (changed(jsonrpc="1.0"), -32600),
        (changed(jsonrpc=...), -32600),
        (changed(id=None), -32600),
        (changed(id=1.5), -32600),
        (changed(id=True), -32600),
        (changed(id={}), -32600),
        (changed(id="x" * 10_000), -32600),
        (changed(id=10**30), -32600),
        (changed(method=7), -32600),
        (changed(params=[1, 2]), -32600),
        (changed(params="x"), -32600),
    ],
)
async def test_a_line_that_is_no_message_is_refused_and_the_next_one_is_served(
    surface: McpSurface, line: bytes, code: int
) -> None:
    async with connected(surface) as client:
        await client.initialize()
        client.raw(line + b"\n")
        assert (await client.next())["error"]["code"] == code
        assert await client.text("notes_list") == "No notes."


async def test_a_refusal_carries_the_requests_id_where_it_has_one(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        client.raw(changed(id=77, params=[1]) + b"\n")
        assert (await client.next())["id"] == 77


async def test_empty_lines_and_windows_line_ends_are_fine(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        client.raw(b"\n\r\n   \n" + changed(id=50) + b"\r\n")
        assert await client.next() == {"jsonrpc": "2.0", "id": 50, "result": {}}


async def test_an_id_in_use_is_refused_without_touching_the_request_that_runs(surface: McpSurface, desk: Desk) -> None:
    async with connected(surface) as client:
        await client.initialize()
        number = client.ask("tools/call", {"name": "clocks_wait"})
        await desk.waiting.wait()
        client.raw(changed(id=number) + b"\n")
        refused = await client.next()
        assert (refused["id"], refused["error"]["code"]) == (None, -32600)
        assert f"id {number} is in use" in refused["error"]["message"]
        desk.rung.set()
        assert (await client.answer(number))["result"]["content"][0]["text"] == "rung"


async def test_text_and_number_are_different_ids_and_are_echoed_as_they_came(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        for number in ("7", 7, "", "ü\u2028", -3, 0):
            client.raw(changed(id=number) + b"\n")
            assert (await client.next())["id"] == number


async def test_answers_begin_as_the_relay_expects_them(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        client.raw(changed(id="ü") + b"\n" + changed(id=5, method="no/such") + b"\n")
        lines = [await client.reader.readline() for _ in range(2)]
        assert lines[0].startswith(b'{"jsonrpc":"2.0","id":"\\u00fc","result"')
        assert lines[1].startswith(b'{"jsonrpc":"2.0","id":5,"error"')


async def test_answers_to_nothing_we_asked_are_dropped(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        for line in (
            {"jsonrpc": "2.0", "id": 1, "result": {}},
            {"jsonrpc": "2.0", "id": "x", "result": None},
            {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "x"}},
            {"jsonrpc": "2.0", "error": "x"},
        ):
            client.send(line)
        assert await client.text("notes_list") == "No notes."


async def test_a_flood_of_notifications_costs_no_task_each(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        line = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n'
        client.raw(line * 20_000)
        before = len(asyncio.all_tasks())
        assert await client.text("notes_list") == "No notes."
        assert len(asyncio.all_tasks()) <= before + 1


async def test_ten_thousand_calls_at_once_are_all_answered(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()

        async def send() -> None:
            for number in range(10_000):
                params = {"name": "notes_list", "arguments": {}}
                client.send({"jsonrpc": "2.0", "id": 100 + number, "method": "tools/call", "params": params})
                await client.writer.drain()

        sending = asyncio.ensure_future(send())
        answered = {(await client.next())["id"] for _ in range(10_000)}
        await sending
        assert answered == set(range(100, 10_100))


async def test_more_waiting_calls_than_a_client_may_have_are_refused_one_by_one(
    surface: McpSurface, desk: Desk
) -> None:
    async with connected(surface) as client:
        await client.initialize()
        numbers = [client.ask("tools/call", {"name": "clocks_wait"}) for _ in range(MOST_IN_FLIGHT + 2)]
        refused = [await client.next() for _ in range(2)]
        assert [line["id"] for line in refused] == numbers[-2:]
        assert {line["error"]["code"] for line in refused} == {-32000}
        desk.rung.set()
        answers = [await client.next() for _ in range(MOST_IN_FLIGHT)]
        assert {line["id"] for line in answers} == set(numbers[:-2])


class Mirror:
    """A server that answers with the method's name."""

    async def answer(self, line: LineContext, method: str, params: dict[str, Any] | None) -> dict[str, Any]:
        return {"method": method}

    async def notified(self, method: str, params: dict[str, Any] | None) -> None:
        return None


async def test_a_line_that_is_too_long_is_refused_and_skipped() -> None:
    async with streams() as (near, far):
        serving = asyncio.ensure_future(LineDispatcher(near[1], longest=1000).run(near[0], Mirror()))
        client = WireClient(*far)
        for size in (1001, 300_000, 5_000_000):
            client.raw(b'{"x":"' + b"y" * size + b'"}\n')
            await client.writer.drain()
            refused = await client.next()
            assert refused["error"]["code"] == -32600
            assert "longer than 1000 bytes" in refused["error"]["message"]
            assert (await client.answer(client.ask("ping")))["result"] == {"method": "ping"}
        far[1].close()
        async with asyncio.timeout(BOUND_S):
            await serving


async def test_a_prompt_of_ten_megabytes_passes(surface: McpSurface, desk: Desk) -> None:
    async with connected(surface) as client:
        await client.initialize()
        body = "é" * 5_000_000
        await client.call("notes_keep", {"title": "long", "body": body})
        assert desk.notes["long"] == body


async def test_a_client_that_never_reads_is_held_back_and_stalls_nobody(surface: McpSurface, desk: Desk) -> None:
    size = 200_000
    desk.notes["big"] = "x" * size
    async with streams() as (near, far), connected(surface) as busy:
        serving = asyncio.ensure_future(surface.serve(near[0], near[1], CALLER, ConnectionOptions("full")))
        idle = WireClient(*far)
        await idle.initialize()
        await busy.initialize()

        async def pour() -> None:
            for _ in range(20_000):
                idle.ask("tools/call", {"name": "notes_read", "arguments": {"title": "big"}})
                await idle.writer.drain()

        pouring = asyncio.ensure_future(pour())
        for _ in range(200):
            assert await busy.text("notes_list") == "big"
        assert not pouring.done()
        assert near[1].transport.get_write_buffer_size() < HIGH_WATER + 3 * TURN * size
        pouring.cancel()
        idle.writer.transport.abort()
        async with asyncio.timeout(BOUND_S):
            await serving


async def test_progress_is_dropped_for_a_client_that_does_not_read_instead_of_stalling_the_call(
    surface: McpSurface, desk: Desk
) -> None:
    desk.rung.set()
    async with streams() as (near, far):
        serving = asyncio.ensure_future(surface.serve(near[0], near[1], CALLER, ConnectionOptions("full")))
        client = WireClient(*far)
        await client.initialize()
        number = client.ask(
            "tools/call", {"name": "clocks_wait", "arguments": {"steps": 100_000}}, {"progressToken": 1}
        )
        async with asyncio.timeout(BOUND_S):
            await desk.waiting.wait()
        assert near[1].transport.get_write_buffer_size() < 2 * HIGH_WATER
        assert (await client.answer(number))["result"]["content"][0]["text"] == "rung"
        assert len(client.seen) < 100_000
        far[1].close()
        async with asyncio.timeout(BOUND_S):
            await serving


async def test_stream_notifications_wait_for_a_slow_client_and_none_is_lost(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        number = client.ask("tools/call", {"name": "clocks_stream", "arguments": {"count": 40_000, "stream": True}})
        await client.answer(number)
        sent = [line["params"]["message"]["number"] for line in client.seen if line.get("method") == "claude.stream"]
        assert sent == list(range(40_000))
