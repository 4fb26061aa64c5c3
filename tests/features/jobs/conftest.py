"""A daemon of the test's own, and jobs in it; what a test leaves running fails it (the `home` fixture)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Terminal


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "SECRET_TOKEN": "canary-4711-token"}


@pytest.fixture
def terminal(tmp_path: Path, home: Path, env: dict[str, str]) -> Iterator[Terminal]:
    """A connection to a daemon of the test's own."""
    folder = tmp_path / "work"
    folder.mkdir()
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    found = Terminal(state, env, folder)
    yield found
    found.stop()
