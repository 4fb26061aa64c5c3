"""The tests that there are, read from their files: nothing is imported and nothing is run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class FoundTest:
    """One test function: its node id below `tests/`, and the requirements that it names."""

    node: str
    names: tuple[str, ...]


@cache
def found_tests() -> tuple[FoundTest, ...]:
    """Return all test functions, in the order of their files and lines."""
    return tuple(test for path in sorted(TESTS.rglob("test_*.py")) for test in _in_file(path))


def _in_file(path: Path) -> Iterator[FoundTest]:
    tree = ast.parse(path.read_text("utf-8"))
    of_file = tuple(_named(tree.body))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            names = (*of_file, *_named(node.decorator_list))
            yield FoundTest(f"{path.relative_to(TESTS)}::{node.name}", names)


def _named(nodes: list[ast.stmt] | list[ast.expr]) -> Iterator[str]:
    """Yield the ids in `pytest.mark.requirement("…")`: of a decorator, or of the file's `pytestmark`."""
    for node in nodes:
        if isinstance(node, ast.stmt) and not (
            isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
        ):
            continue
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.requirement":
                yield from (str(arg.value) for arg in call.args if isinstance(arg, ast.Constant))
