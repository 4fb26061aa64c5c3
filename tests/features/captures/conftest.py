"""The machine that these tests look at."""

from pathlib import Path

import pytest

from tests.features.captures.machine import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of the test's own; the daemon's insides take it for their own home."""
    made = Machine(tmp_path)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    return made
