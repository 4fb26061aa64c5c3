"""A server for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.surfaces.http.site import Site, site


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as found:
        yield found
