"""Rules that no linter ships with: rooms, budgets, words, and what never stands in the tree."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "claude_code_mcp"
FEATURES = SRC / "features"
ROOMS = {"__init__", "models", "events", "errors", "rules", "store", "service", "operations", "migrations"}
PRIVATE = {"store", "rules", "operations"}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc"}
FILE_LINES, FUNCTION_LINES, CLASS_LINES = 400, 50, 250

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "node_modules" not in path.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def features() -> list[Path]:
    return sorted(path for path in FEATURES.iterdir() if path.is_dir() and path.name != "__pycache__")


def test_a_feature_holds_only_the_known_rooms() -> None:
    strays = [
        named(entry)
        for feature in features()
        for entry in feature.iterdir()
        if entry.name != "__pycache__" and (entry.stem if entry.suffix == ".py" else entry.name) not in ROOMS
    ]
    assert strays == []


def test_every_feature_says_what_it_is_and_has_operations() -> None:
    for feature in features():
        assert ast.get_docstring(tree(feature / "__init__.py")), feature.name
        assert (feature / "operations.py").exists() or (feature / "operations").is_dir(), feature.name
        assert (feature / "models.py").exists() or (feature / "models").is_dir(), feature.name


def test_no_feature_enters_a_neighbours_private_room() -> None:
    bad = []
    for path in sources(FEATURES):
        here = path.relative_to(FEATURES).parts[0]
        for module in imports(path):
            parts = module.split(".")
            neighbour = parts[:2] == ["claude_code_mcp", "features"] and len(parts) > 3 and parts[2] != here
            if neighbour and parts[3] in PRIVATE:
                bad.append(f"{named(path)}: {module}")
    assert bad == []


def test_only_a_store_and_the_platform_speak_sql() -> None:
    word = re.compile(r"\b(?:INSERT INTO|SELECT .+ FROM|UPDATE \w+ SET|DELETE FROM)\b")
    allowed = {"store.py", "migrations.py"}
    bad = [
        named(path)
        for path in sources(SRC / "features", SRC / "surfaces", SRC / "kernel")
        if path.name not in allowed and word.search(path.read_text(encoding="utf-8"))
    ]
    assert bad == []


def test_no_file_outgrows_its_budget() -> None:
    long = {
        named(path): lines
        for path in sources(SRC, ROOT / "tests", ROOT / "bench")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES
    }
    assert long == {}


def test_no_function_and_no_class_outgrows_its_budget() -> None:
    long = []
    for path in sources(SRC, ROOT / "tests", ROOT / "bench"):
        for node in ast.walk(tree(path)):
            limit = CLASS_LINES if isinstance(node, ast.ClassDef) else FUNCTION_LINES
            if isinstance(node, Definition | ast.ClassDef) and (node.end_lineno or 0) - node.lineno + 1 > limit:
                long.append(f"{named(path)}:{node.lineno} {node.name}")
    assert long == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [named(path) for path in sources(SRC) if path.stem in NAMELESS or path.parent.name in NAMELESS] == []


def test_nothing_mutable_stands_at_module_level() -> None:
    bad = []
    for path in sources(SRC):
        for node in tree(path).body:
            if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["__all__"]:
                continue
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if isinstance(value, ast.List) or (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Name)
                and value.func.id in {"list", "dict", "set", "defaultdict", "deque"}
                and not value.args
            ):
                bad.append(f"{named(path)}:{node.lineno}")
    assert bad == []


def test_every_suppression_says_why() -> None:
    mark = re.compile(r"#\s*(?:type:\s*ignore|noqa|pyright:\s*ignore)[^#\n]*")
    why = re.compile(r"(?:ignore\[[A-Za-z, -]+\]|noqa: [A-Z0-9, ]+?)\s*(?:[-—(#]|\s\s)")
    bad = []
    for path in sources(SRC, ROOT / "tests", ROOT / "bench"):
        if path.name == "test_house.py":
            continue
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            found = mark.search(text)
            rest = text[found.start() :] if found else ""
            if found and not why.search(rest):
                bad.append(f"{named(path)}:{number}")
    assert bad == []


def test_no_shell_and_no_sleeping_tests() -> None:
    shell = re.compile(r"shell\s*=\s*True|create_subprocess_shell|os\.system\(")
    assert [named(path) for path in sources(SRC) if shell.search(path.read_text(encoding="utf-8"))] == []
    sleepers = [
        f"{named(path)}:{node.lineno}"
        for path in sources(ROOT / "tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "anyio.sleep"}
        if not _short(node, path)
    ]
    assert sleepers == []


def _short(call: ast.Call, path: Path) -> bool:
    """Tell whether a sleep is one look of a bounded poll, or the line says why time itself is the subject."""
    seconds = call.args[0] if call.args else None
    if isinstance(seconds, ast.Constant) and isinstance(seconds.value, int | float) and seconds.value <= 0.05:
        return True
    return "# measured" in path.read_text(encoding="utf-8").splitlines()[call.lineno - 1]


def tracked() -> list[Path]:
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in out.stdout.splitlines()]


@pytest.mark.parametrize(
    "pattern",
    [
        r"registry\.npm" + r"js\.org|pypi\.o" + r"rg|pythonhos" + r"ted\.org|deb\.deb" + r"ian\.org",
        r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot)/[\w.-]",
    ],
    ids=["a registry's host", "a path of one machine"],
)
def test_nothing_names(pattern: str) -> None:
    word = re.compile(pattern)
    bad = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        if word.search(text):
            bad.append(named(path))
    assert bad == []
