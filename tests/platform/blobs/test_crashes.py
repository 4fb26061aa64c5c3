"""Killed, or failed by the disk, at every step that the world can see: what was acknowledged is there, the rest is
whole or absent, and doing it again ends well."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LEAST = {"commit": 24, "merge": 34, "sweep": 45, "repair": 27, "import": 24, "export": 22}


def every_step(how: str, operation: str, directory: Path) -> tuple[int, set[str]]:
    """Return how many steps there are, and how they ended."""
    command = [sys.executable, "-m", "tests.platform.blobs.killing", how, operation, str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == {}
    return found["steps"], set(found["statuses"])


@pytest.mark.parametrize("operation", LEAST)
def test_a_kill_at_any_step_loses_nothing(operation: str, tmp_path: Path) -> None:
    steps, ended = every_step("kill", operation, tmp_path)
    assert steps >= LEAST[operation]
    assert ended == {"killed", "done"}


@pytest.mark.parametrize("operation", LEAST)
def test_a_disk_that_fails_at_any_step_is_told_and_loses_nothing(operation: str, tmp_path: Path) -> None:
    steps, ended = every_step("fail", operation, tmp_path)
    assert steps >= LEAST[operation] // 2
    assert ended <= {"refused", "done"}
    assert "refused" in ended
