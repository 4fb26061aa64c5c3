"""What clients are shown of each tool: names, words, hints, and at what price."""

import dataclasses
from pathlib import Path

import pytest

from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface
from claude_code_mcp.surfaces.mcp.tools import operation_tool
from tests.surfaces.mcp.library import CATALOG
from tests.surfaces.mcp.snapshots import differences, full, surface_of, write
from tests.surfaces.mcp.wire import connected


def test_a_changed_or_missing_or_stray_snapshot_is_told(tmp_path: Path) -> None:
    tools = full(CATALOG)
    assert len(differences(tools, tmp_path)) == len(tools)
    write(tools, tmp_path)
    assert differences(tools, tmp_path) == []
    (tmp_path / "stray.json").write_text("{}")
    (tmp_path / "notes_list.json").write_text("{}")
    assert differences(tools, tmp_path) == ["notes_list.json: changed", "stray.json: is gone"]
    write(tools, tmp_path)
    assert differences(tools, tmp_path) == []


def test_hints_differ_from_the_protocols_defaults_only() -> None:
    shown = {op.tool: operation_tool(op).wire.get("annotations") for op in CATALOG.values()}
    assert shown["notes_list"] == {"readOnlyHint": True, "openWorldHint": False}
    assert shown["notes_keep"] == {"destructiveHint": False, "openWorldHint": False}
    assert shown["notes_drop"] == {"idempotentHint": True, "openWorldHint": False}


def test_fields_of_a_result_are_described_only_where_they_are_sent() -> None:
    shown = {op.tool: operation_tool(op).wire for op in CATALOG.values()}
    assert "outputSchema" in shown["notes_read"]
    assert [name for name, wire in shown.items() if "outputSchema" in wire] == ["notes_read"]


def test_the_full_profile_pins_the_core_tools_for_clients_that_load_late() -> None:
    surface = surface_of(CATALOG)
    full = {tool.name: tool.wire.get("_meta", {}) for tool in surface.toolbox(ConnectionOptions("full")).listed}
    assert full["notes_keep"] == {"anthropic/alwaysLoad": True, "anthropic/searchHint": "write save remember"}
    assert full["notes_list"] == {"anthropic/alwaysLoad": True, "anthropic/maxResultSizeChars": 100_000}
    assert full["notes_read"] == {}
    core = {tool.name: tool.wire.get("_meta", {}) for tool in surface.toolbox(ConnectionOptions("core")).listed}
    assert "anthropic/alwaysLoad" not in core["notes_keep"]


def test_a_description_keeps_its_paragraphs_and_loses_its_line_breaks() -> None:
    op = dataclasses.replace(CATALOG["notes.keep"], doc="One\nline.\n\n    Another\n    one.")
    assert operation_tool(op).wire["description"] == "One line.\nAnother one."


@pytest.mark.anyio
async def test_the_list_is_the_same_bytes_each_time_and_in_both_eras(surface: McpSurface) -> None:
    async with connected(surface) as client:
        client.modern = True
        lines = []
        for _ in range(3):
            number = client.ask("tools/list")
            lines.append((await client.reader.readline()).replace(b'"id":%d' % number, b'"id":0'))
        assert len(set(lines)) == 1
        modern = (await client.answer(client.ask("tools/list")))["result"]
    async with connected(surface) as client:
        await client.initialize()
        first = (await client.answer(client.ask("tools/list")))["result"]
        again = (await client.answer(client.ask("tools/list")))["result"]
    assert first == again == {"tools": modern["tools"]}
    assert [tool["name"] for tool in first["tools"]] == [op.tool for op in CATALOG.values()]
