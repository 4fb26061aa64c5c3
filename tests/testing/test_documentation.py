"""The how-to says what is: its script loads, its example runs, its lists are complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from claude_code_mcp.testing import builtin_script, parse_script
from claude_code_mcp.testing.script import PLACEHOLDERS, Step

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "scripted-model.md").read_text("utf-8")


def code(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_script_loads_and_shows_every_field_of_a_step() -> None:
    (example,) = code("yaml")
    parse_script(example)
    shown = set(re.findall(r"\b(\w+):", example))
    assert set(Step.model_fields) - shown <= {"headers"}


def test_the_python_example_runs() -> None:
    (example,) = code("python")
    subprocess.run([sys.executable, "-W", "error", "-c", example], check=True, timeout=30)


def test_every_built_in_scenario_is_listed_with_its_description() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert rows == {name: scenario.about for name, scenario in builtin_script().scenarios.items()}


@pytest.mark.parametrize("name", sorted(PLACEHOLDERS))
def test_every_placeholder_is_explained(name: str) -> None:
    assert f"`${{{name}}}`" in PAGE
