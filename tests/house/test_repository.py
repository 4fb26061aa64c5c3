"""What the repository promises to have: its files, its locks, its one command for CI."""

import re
import tomllib
from pathlib import Path

import pytest

from claude_code_mcp.daemon.mcp_host import INSTRUCTIONS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE",
        "Makefile",
        "pyproject.toml",
        ".importlinter",
        ".pre-commit-config.yaml",
        ".ci/run",
        "docs/index.md",
    ],
)
def test_the_repository_has_what_it_promises(name: str) -> None:
    assert (ROOT / name).read_text("utf-8").strip()


def test_ci_runs_the_suite_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text("utf-8").rstrip().endswith("make test")


@pytest.mark.parametrize("name", ["runtime.lock", "dev.lock"])
def test_every_dependency_is_locked_by_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    locked = set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"]
    if name == "dev.lock":
        wanted += project["dependency-groups"]["dev"]
    assert {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in wanted} - locked == set()


def test_the_instructions_for_models_have_less_than_150_words() -> None:
    assert 0 < len(INSTRUCTIONS.split()) < 150
