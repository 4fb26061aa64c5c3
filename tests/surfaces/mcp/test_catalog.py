"""What clients are shown of the real catalog, and what that costs a model."""

import re

import pytest

from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.tools import Tool
from tests.surfaces.mcp.snapshots import TOOLS, differences, full, surface_of

CATALOG = build_catalog()
ALL = full(CATALOG)
A_TOOL, CORE, FULL = 400, 2000, 9000
"""Budgets in tokens, counted as bytes of compact JSON / 4."""


def test_every_tool_is_as_its_snapshot_says() -> None:
    assert differences(ALL, TOOLS) == [], "run `make snapshots`, read the diff, and write a changelog line"


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_no_tool_costs_more_than_its_budget(tool: Tool) -> None:
    assert tool.tokens <= A_TOOL


@pytest.mark.parametrize(("profile", "budget"), [("core", CORE), ("full", FULL)])
def test_no_profile_costs_more_than_its_budget(profile: str, budget: int) -> None:
    listed = surface_of(CATALOG).toolbox(ConnectionOptions(profile)).listed
    assert sum(tool.tokens for tool in listed) <= budget


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_a_tools_name_and_first_words_serve_search(tool: Tool) -> None:
    assert re.fullmatch(r"[a-z][a-z_]{0,39}", tool.name)
    assert len(tool.summary) >= 10


def test_every_operation_of_mcp_is_in_the_full_profile() -> None:
    assert [tool.name for tool in ALL] == [op.tool for op in CATALOG.on(Surface.MCP)]
