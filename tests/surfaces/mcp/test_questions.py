"""A person is asked in place: by a request in the handshake era, by a repeated call in the stateless one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from tests.surfaces.mcp.library import CATALOG, Desk, context
from tests.surfaces.mcp.wire import WireClient, connected

pytestmark = pytest.mark.anyio
FORM: dict[str, Any] = {"elicitation": {"form": {}}}
YES = {"action": "accept", "content": {"choice": "yes"}}
KEY = b"k" * 32


@asynccontextmanager
async def asked(surface: McpSurface, *, modern: bool, capabilities: dict[str, Any]) -> AsyncGenerator[WireClient]:
    async with connected(surface) as client:
        client.modern, client.capabilities = modern, capabilities
        if not modern:
            await client.initialize()
        yield client


def surface_of(desk: Desk) -> McpSurface:
    return McpSurface(Parts(catalog=CATALOG, context=context(desk), version="1", state_key=KEY))


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {"url": {}}}, {"elicitation": None}])
async def test_only_clients_that_can_show_a_form_are_asked(
    surface: McpSurface, modern: bool, capabilities: dict[str, Any]
) -> None:
    known = {} if capabilities.get("elicitation", ...) is None else capabilities
    async with asked(surface, modern=modern, capabilities=known) as client:
        assert await client.text("clocks_ask") == "nobody to ask"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (YES, "yes"),
        ({"action": "decline"}, "nothing"),
        ({"action": "cancel"}, "nothing"),
        ({"action": "accept"}, "nothing"),
        ({"action": "accept", "content": {"other": 1}}, "nothing"),
    ],
)
@pytest.mark.parametrize("capabilities", [FORM, {"elicitation": {}}])
async def test_the_handshake_era_asks_by_a_request(
    surface: McpSurface, answer: dict[str, Any], said: str, capabilities: dict[str, Any]
) -> None:
    async with asked(surface, modern=False, capabilities=capabilities) as client:
        number = client.ask("tools/call", {"name": "clocks_ask", "arguments": {"question": "Sure?"}})
        question = await client.next()
        assert question["method"] == "elicitation/create"
        assert question["params"]["message"] == "Sure?"
        assert question["params"]["requestedSchema"]["required"] == ["choice"]
        client.send({"jsonrpc": "2.0", "id": question["id"], "result": answer})
        assert (await client.answer(number))["result"]["content"][0]["text"] == said


async def test_a_client_that_answers_with_an_error_ends_the_call_with_it(surface: McpSurface) -> None:
    async with asked(surface, modern=False, capabilities=FORM) as client:
        number = client.ask("tools/call", {"name": "clocks_ask"})
        question = await client.next()
        client.send({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -1, "message": "no screen"}})
        assert (await client.answer(number))["error"] == {"code": -1, "message": "no screen"}


async def test_a_cancelled_call_takes_its_question_back(surface: McpSurface) -> None:
    async with asked(surface, modern=False, capabilities=FORM) as client:
        number = client.ask("tools/call", {"name": "clocks_ask"})
        question = await client.next()
        client.notify("notifications/cancelled", {"requestId": number})
        taken_back = await client.next()
        assert taken_back["method"] == "notifications/cancelled"
        assert taken_back["params"]["requestId"] == question["id"]


async def test_the_stateless_era_asks_by_an_answer_and_goes_on_with_the_same_run(
    surface: McpSurface, desk: Desk
) -> None:
    async with asked(surface, modern=True, capabilities=FORM) as client:
        arguments = {"question": "Sure?", "times": 2}
        first = await client.call("clocks_ask", arguments)
        assert first["resultType"] == "input_required"
        [(key, request)] = first["inputRequests"].items()
        assert request["method"] == "elicitation/create"
        assert request["params"]["message"] == "Sure?"
        second = await client.call(
            "clocks_ask", arguments, requestState=first["requestState"], inputResponses={key: YES}
        )
        [other] = second["inputRequests"]
        assert other != key
        last = await client.call(
            "clocks_ask", arguments, requestState=second["requestState"], inputResponses={other: YES}
        )
        assert (last["resultType"], last["content"][0]["text"]) == ("complete", "yes yes")
        assert (desk.started, desk.finished) == (1, 1)


async def test_a_wrong_key_is_ignored_and_the_question_is_put_again(surface: McpSurface, desk: Desk) -> None:
    async with asked(surface, modern=True, capabilities=FORM) as client:
        first = await client.call("clocks_ask")
        again = await client.call("clocks_ask", requestState=first["requestState"], inputResponses={"x": YES})
        assert again["inputRequests"] == first["inputRequests"]
        assert desk.started == 1


@pytest.mark.parametrize("change", ["tamper", "garbage", "arguments", "tool"])
async def test_a_state_that_is_not_of_this_call_is_refused(surface: McpSurface, change: str) -> None:
    async with asked(surface, modern=True, capabilities=FORM) as client:
        first = await client.call("clocks_ask")
        state = first["requestState"]
        tool, arguments = "clocks_ask", {}
        match change:
            case "tamper":
                state += "A"
            case "garbage":
                state = "garbage"
            case "arguments":
                arguments = {"question": "Other?"}
            case "tool":
                tool = "clocks_work"
            case _:
                raise AssertionError(change)
        params = {"name": tool, "arguments": arguments, "requestState": state, "inputResponses": {}}
        assert (await client.answer(client.ask("tools/call", params)))["error"]["code"] == -32602


async def test_a_state_serves_once(surface: McpSurface, desk: Desk) -> None:
    async with asked(surface, modern=True, capabilities=FORM) as client:
        first = await client.call("clocks_ask")
        [key] = first["inputRequests"]
        retry: dict[str, Any] = {"requestState": first["requestState"], "inputResponses": {key: YES}}
        assert (await client.call("clocks_ask", **retry))["content"][0]["text"] == "yes"
        # What only reads may run again with the same answer; it does not find the first run any more.
        assert (await client.call("clocks_ask", **retry))["content"][0]["text"] == "yes"
        assert desk.started == 2


async def test_an_answer_that_comes_after_a_restart_still_counts_for_what_only_reads(desk: Desk) -> None:
    async with surface_of(desk) as before, asked(before, modern=True, capabilities=FORM) as client:
        first = await client.call("clocks_ask")
    [key] = first["inputRequests"]
    async with surface_of(desk) as after, asked(after, modern=True, capabilities=FORM) as client:
        result = await client.call("clocks_ask", requestState=first["requestState"], inputResponses={key: YES})
        assert result["content"][0]["text"] == "yes"


async def test_after_a_restart_what_is_left_of_a_call_is_run_and_not_the_call_again(desk: Desk) -> None:
    arguments = {"name": "build", "ask": True}
    async with surface_of(desk) as before, asked(before, modern=True, capabilities=FORM) as client:
        first = await client.call("clocks_work", arguments)
        assert desk.started == 1
    desk.rung.set()
    async with surface_of(desk) as after, asked(after, modern=True, capabilities=FORM) as client:
        result = await client.call("clocks_work", arguments, requestState=first["requestState"])
        assert result["content"][0]["text"] == "build done"
    assert desk.started == 1


async def test_another_key_makes_old_states_worthless(desk: Desk) -> None:
    async with surface_of(desk) as before, asked(before, modern=True, capabilities=FORM) as client:
        first = await client.call("clocks_ask")
    other = McpSurface(Parts(catalog=CATALOG, context=context(desk), version="1"))
    async with other as after, asked(after, modern=True, capabilities=FORM) as client:
        params = {"name": "clocks_ask", "requestState": first["requestState"], "inputResponses": {}}
        assert (await client.answer(client.ask("tools/call", params)))["error"]["code"] == -32602


async def test_parked_calls_end_with_their_client(surface: McpSurface, desk: Desk) -> None:
    before = len(asyncio.all_tasks())
    async with asked(surface, modern=True, capabilities=FORM) as client:
        await client.call("clocks_ask")
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= before
    assert (desk.started, desk.finished) == (1, 0)


async def test_answers_may_come_with_the_first_call_already(surface: McpSurface) -> None:
    async with asked(surface, modern=True, capabilities=FORM) as client:
        first = await client.call("clocks_ask")
        [key] = first["inputRequests"]
        result = await client.call("clocks_ask", inputResponses={key: YES})
        assert result["content"][0]["text"] == "yes"
