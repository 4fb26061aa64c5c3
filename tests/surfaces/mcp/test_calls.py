"""What a tool call answers: text, fields, and errors that say what to do."""

import logging

import pytest

from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from tests.surfaces.mcp.library import CATALOG, Ctx, Desk
from tests.surfaces.mcp.wire import connected

pytestmark = pytest.mark.anyio


async def test_a_result_is_the_replys_text(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        result = await client.call("notes_keep", {"title": "milk", "body": "two"})
        assert result == {"content": [{"type": "text", "text": "milk: two"}]}


async def test_fields_are_sent_only_where_the_operation_says_so(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        await client.call("notes_keep", {"title": "milk", "body": "two"})
        result = await client.call("notes_read", {"title": "milk"})
        assert result["structuredContent"] == {"title": "milk", "body": "two"}
        assert result["content"][0]["text"] == "milk: two"


async def test_an_error_names_its_code_and_the_remedy(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        result = await client.call("notes_read", {"title": "gone"})
        assert result["isError"] is True
        assert result["content"][0]["text"] == (
            "note_missing: There is no note 'gone'. notes_list shows what there is."
        )


async def test_arguments_that_do_not_fit_are_an_answer_that_names_the_field(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        result = await client.call("notes_keep", {"title": "", "colour": "red"})
        text = result["content"][0]["text"]
        assert result["isError"] is True
        assert text.startswith("invalid: notes.keep does not take these arguments:")
        assert "title" in text
        assert "colour" in text


async def test_an_unknown_tool_is_a_protocol_error_with_a_suggestion(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        error = (await client.answer(client.ask("tools/call", {"name": "note_list"})))["error"]
        assert error["code"] == -32602
        assert "notes_list" in error["message"]


@pytest.mark.parametrize("params", [{}, {"name": 7}, {"name": "notes_list", "arguments": []}])
async def test_a_call_without_a_usable_name_or_arguments_is_invalid(
    surface: McpSurface, params: dict[str, object]
) -> None:
    async with connected(surface) as client:
        await client.initialize()
        assert (await client.answer(client.ask("tools/call", params)))["error"]["code"] == -32602


async def test_a_bug_of_ours_is_answered_without_its_reason_but_with_a_reference_into_the_log(
    surface: McpSurface, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(surface) as client:
        await client.initialize()
        with caplog.at_level(logging.ERROR):
            result = await client.call("faults_bug")
        text = result["content"][0]["text"]
        assert result["isError"] is True
        assert text.startswith("internal: faults_bug failed")
        assert "secret reason" not in text
        assert text.rsplit(" ", 1)[1].rstrip(".") in caplog.text
        assert "secret reason" in caplog.text


async def test_half_characters_are_sent_as_question_marks(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        assert await client.text("faults_surrogate") == "half ? a character"


async def test_the_operation_is_told_who_calls_and_from_where(desk: Desk) -> None:
    seen: list[Caller] = []

    def context(caller: Caller) -> Ctx:
        seen.append(caller)
        return Ctx(desk, caller)

    who = Caller(cwd="/home/me/tree", surface=Surface.CLI, env={"HOME": "/home/me"})
    options = ConnectionOptions("full", stream=True)
    surface = McpSurface(Parts(catalog=CATALOG, context=context, version="1"))
    async with surface, connected(surface, options, who) as client:
        await client.initialize()
        await client.call("notes_list")
    [caller] = seen
    assert (caller.cwd, caller.surface, caller.client, caller.env) == (
        "/home/me/tree",
        Surface.MCP,
        "wire 1",
        {"HOME": "/home/me"},
    )
    assert caller.stream
    assert (caller.progress, caller.elicit, caller.patient) == (None, None, False)


async def test_stream_notifications_come_only_when_asked_for(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        await client.call("clocks_stream", {"count": 2})
        assert not [line for line in client.seen if line.get("method") == "claude.stream"]
        await client.call("clocks_stream", {"count": 2, "stream": True})
        sent = [line["params"]["message"]["number"] for line in client.seen if line.get("method") == "claude.stream"]
        assert sent == [0, 1]


async def test_a_connection_may_wish_for_stream_notifications_under_the_vendor_name(surface: McpSurface) -> None:
    options = ConnectionOptions.of({"profile": "full", "stream": "notifications/claude/stream"})
    async with connected(surface, options) as client:
        await client.initialize()
        await client.call("clocks_stream")
        assert [line["method"] for line in client.seen if "method" in line] == ["notifications/claude/stream"]
