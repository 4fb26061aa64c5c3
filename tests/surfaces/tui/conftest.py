"""A state directory for a fake daemon."""

from pathlib import Path

import pytest


@pytest.fixture
def state(short_tmp: Path) -> Path:
    directory = short_tmp / "state"
    directory.mkdir(mode=0o700)
    return directory
