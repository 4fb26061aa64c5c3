"""A daemon of the test's own, a project, and ways to look at it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Terminal


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a few files, on which `terminal` stands."""
    path = tmp_path / "work"
    (path / "src").mkdir(parents=True)
    (path / "src" / "app.py").write_text("print('one')\n")
    (path / "README.md").write_text("Read me.\n")
    return path


@pytest.fixture
def terminal(tmp_path: Path, folder: Path, env: dict[str, str]) -> Iterator[Terminal]:
    """A connection to a daemon of the test's own."""
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    found = Terminal(state, env, folder)
    yield found
    found.stop()
