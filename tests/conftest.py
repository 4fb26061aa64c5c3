"""What every test may use: one async backend, and hypothesis that repeats itself."""

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.plugin"]

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("suite")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
