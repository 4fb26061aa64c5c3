"""Profiles choose the tools of a connection; the search/call pair reaches the rest of `core`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.kernel.operation import Effect
from claude_code_mcp.surfaces.mcp.call import STREAM_METHOD, STREAM_VENDOR_METHOD
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions, UnknownProfile, select
from claude_code_mcp.surfaces.mcp.search import ToolIndex
from claude_code_mcp.surfaces.mcp.surface import McpSurface
from claude_code_mcp.surfaces.mcp.tools import operation_tool
from tests.surfaces.mcp.library import CATALOG, Desk
from tests.surfaces.mcp.wire import connected

CORE = ["notes_keep", "notes_list", "clocks_wait"]
TOOLS = [operation_tool(op) for op in CATALOG.values()]


def shown(profile: str, *toolsets: str) -> list[str]:
    return [op.tool for op in select(CATALOG, ConnectionOptions(profile, toolsets)).shown]


def test_full_shows_everything_and_readonly_what_changes_nothing() -> None:
    assert shown("full") == [op.tool for op in CATALOG.values()]
    assert shown("readonly") == [op.tool for op in CATALOG.values() if op.effect is Effect.READ]


def test_a_feature_shows_itself() -> None:
    assert shown("notes") == ["notes_keep", "notes_list", "notes_read", "notes_drop"]


def test_core_shows_a_handful_and_finds_the_rest() -> None:
    chosen = select(CATALOG, ConnectionOptions("core"))
    assert [op.tool for op in chosen.shown] == CORE
    assert {op.tool for op in chosen.found} == {op.tool for op in CATALOG.values()} - set(CORE)


def test_toolsets_widen_the_small_profiles_and_narrow_the_large_ones() -> None:
    assert shown("core", "faults") == [*CORE, "faults_bug", "faults_surrogate"]
    assert shown("notes", "faults") == [*shown("notes"), "faults_bug", "faults_surrogate"]
    assert shown("full", "notes") == shown("notes")
    assert shown("readonly", "notes") == ["notes_list", "notes_read"]


@pytest.mark.parametrize("options", [ConnectionOptions("nope"), ConnectionOptions("core", ("nope",))])
def test_an_unknown_name_is_refused_with_the_known_ones(options: ConnectionOptions) -> None:
    with pytest.raises(UnknownProfile, match=r"'nope'.*core, full, readonly, clocks, faults, notes"):
        select(CATALOG, options)


@pytest.mark.parametrize(
    ("hello", "options"),
    [
        ({}, ConnectionOptions()),
        ({"profile": "full", "stream": True}, ConnectionOptions("full", (), True, STREAM_METHOD)),
        ({"toolsets": "b, a,,a"}, ConnectionOptions("core", ("a", "b"))),
        ({"toolsets": ["b", "a"], "profile": ""}, ConnectionOptions("core", ("a", "b"))),
        ({"stream": STREAM_VENDOR_METHOD}, ConnectionOptions("core", (), True, STREAM_VENDOR_METHOD)),
        ({"profile": 7, "toolsets": None}, ConnectionOptions()),
    ],
)
def test_options_are_read_from_a_hello(hello: dict[str, object], options: ConnectionOptions) -> None:
    assert ConnectionOptions.of(hello) == options


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("throw a note away", "notes_drop"),
        ("remember", "notes_keep"),
        ("read note", "notes_read"),
        ("ask the person a question", "clocks_ask"),
        ("streaming notifications", "clocks_stream"),
        ("list everything", "notes_list"),
    ],
)
def test_search_finds_tools_by_what_they_do(query: str, first: str) -> None:
    assert ToolIndex(TOOLS).find(query, 3)[0].name == first


@given(st.text(max_size=40), st.integers(1, 20))
def test_search_never_fails_and_keeps_its_limit(query: str, limit: int) -> None:
    found = ToolIndex(TOOLS).find(query, limit)
    assert len(found) <= limit
    assert len({tool.name for tool in found}) == len(found)


def test_search_is_the_same_each_time() -> None:
    index = ToolIndex(TOOLS)
    assert [tool.name for tool in index.find("note clock", 20)] == [
        tool.name for tool in ToolIndex(list(reversed(TOOLS))).find("note clock", 20)
    ]


@pytest.mark.anyio
class TestPair:
    async def test_core_lists_the_pair_last(self, surface: McpSurface) -> None:
        async with connected(surface, ConnectionOptions("core")) as client:
            await client.initialize()
            listed = (await client.answer(client.ask("tools/list")))["result"]["tools"]
            assert [tool["name"] for tool in listed] == [*CORE, "tool_search", "tool_call"]
            assert "clocks, faults, notes" in listed[3]["description"]

    async def test_a_found_tool_is_shown_by_its_call_and_can_be_called(self, surface: McpSurface, desk: Desk) -> None:
        desk.notes["milk"] = "two"
        async with connected(surface, ConnectionOptions("core")) as client:
            await client.initialize()
            text = await client.text("tool_search", {"query": "drop a note", "limit": 1})
            assert text == (
                "notes_drop(title: string) - Throw a note away for good\n"
                'Call one with tool_call(name="…", arguments={…}).'
            )
            call = {"name": "notes_drop", "arguments": {"title": "milk"}}
            assert await client.text("tool_call", call) == "milk is gone."
            assert desk.notes == {}

    async def test_arguments_as_json_text_are_understood(self, surface: McpSurface) -> None:
        async with connected(surface, ConnectionOptions("core")) as client:
            await client.initialize()
            call = {"name": "notes_drop", "arguments": '{"title": "milk"}'}
            assert await client.text("tool_call", call) == "milk is gone."

    async def test_a_hidden_tool_answers_to_its_own_name_too(self, surface: McpSurface) -> None:
        async with connected(surface, ConnectionOptions("core")) as client:
            await client.initialize()
            assert await client.text("notes_drop", {"title": "milk"}) == "milk is gone."

    async def test_a_search_without_a_hit_says_what_there_is(self, surface: McpSurface) -> None:
        async with connected(surface, ConnectionOptions("core")) as client:
            await client.initialize()
            text = await client.text("tool_search", {"query": "zebra"})
            assert text.startswith("Nothing fits. There are 11 more tools: clocks 7, faults 2, notes 2.")

    @pytest.mark.parametrize(
        ("call", "said"),
        [
            ({"name": "notes_dorp"}, "unknown_tool: No tool is named 'notes_dorp'. Did you mean notes_drop"),
            ({"name": "tool_call"}, "unknown_tool:"),
            ({"name": "notes_drop", "arguments": "["}, "invalid: tool_call takes a name and an object"),
            ({"arguments": {}}, "invalid: tool_call takes a name and an object"),
            ({"name": "notes_drop", "arguments": {"x": 1}}, "notes_drop(title: string)"),
        ],
    )
    async def test_a_wrong_call_is_an_answer_that_a_model_can_correct(
        self, surface: McpSurface, call: dict[str, object], said: str
    ) -> None:
        async with connected(surface, ConnectionOptions("core")) as client:
            await client.initialize()
            result = await client.call("tool_call", call)
            assert result["isError"] is True
            assert said in result["content"][0]["text"]

    async def test_other_profiles_know_only_their_own_tools(self, surface: McpSurface) -> None:
        async with connected(surface, ConnectionOptions("readonly")) as client:
            await client.initialize()
            for tool in ("notes_drop", "tool_call", "tool_search"):
                answer = await client.answer(client.ask("tools/call", {"name": tool, "arguments": {"title": "x"}}))
                assert answer["error"]["code"] == -32602
