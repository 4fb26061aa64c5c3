"""A desk, and the surface over it."""

from collections.abc import AsyncIterator

import pytest

from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from tests.surfaces.mcp.library import CATALOG, Desk, context


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def surface(desk: Desk) -> AsyncIterator[McpSurface]:
    parts = Parts(catalog=CATALOG, context=context(desk), version="0.1.0", instructions="Keep notes.")
    async with McpSurface(parts) as opened:
        yield opened
