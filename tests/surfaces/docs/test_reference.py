"""The reference pages say what the code says: they are current, and nothing is missing on them."""

import re
from pathlib import Path

import pytest

from claude_code_mcp.features.sessions.rules.ending import LIMITS
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.settings.model import all_settings
from claude_code_mcp.surfaces.cli.exits import Exit
from claude_code_mcp.surfaces.docs.__main__ import main
from claude_code_mcp.surfaces.docs.cli_page import EXITS
from claude_code_mcp.surfaces.docs.discovery import Declared, declared
from claude_code_mcp.surfaces.docs.errors_page import WITHOUT_DAEMON
from claude_code_mcp.surfaces.docs.pages import PAGES

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
SRC = ROOT / "src"


@pytest.fixture(scope="module")
def everything() -> Declared:
    return declared()


def committed(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def sections(page: str) -> dict[str, str]:
    """Return what stands under each heading, whatever its level."""
    parts = re.split(r"^#{2,} (.+)\n", page, flags=re.MULTILINE)
    return {heading.strip("`"): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_current(name: str, everything: Declared) -> None:
    assert committed(name) == PAGES[name](everything), "run `make docs` and read the diff"


def test_writing_the_pages_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for folder in ("one", "two"):
        assert main([str(tmp_path / folder)]) == 0
        written.append({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == set(PAGES)


def test_every_operation_is_documented_with_its_tool_and_its_errors(everything: Declared) -> None:
    found = sections(committed("operations.md"))
    for op in everything.catalog.values():
        text = found[op.name]
        assert Surface.MCP not in op.surfaces or f"`{op.tool}`" in text
        assert all(f"`{error.code}`" in text for error in op.raises), op.name
        assert op.doc.split("\n", 1)[0] in text


def test_every_field_of_every_request_and_reply_is_documented_and_says_what_it_means(everything: Declared) -> None:
    found = sections(committed("operations.md"))
    for op in everything.catalog.values():
        linked = [found[op.name], *(found[name] for name in re.findall(r"\[(\w+)\]\(#", found[op.name]))]
        rows = [line.split(" | ") for text in linked for line in text.splitlines() if line.startswith("| `")]
        shown = {row[0].strip("| `"): row[-1].strip(" |") for row in rows}
        told = {name: field for name, field in op.reply.model_fields.items() if not field.exclude}
        fields = {**op.request.model_fields, **told}
        assert {name for name in fields if not shown.get(name)} == set(), op.name


def test_every_setting_is_documented_with_its_names(everything: Declared) -> None:
    found = sections(committed("settings.md"))
    for about in all_settings():
        assert about.description.split("`")[0] in found[about.name]
        assert all(f"`{name}`" in found[about.name] for name in about.env)
    assert set(found) == {about.name for about in all_settings()}


def test_every_event_is_documented_with_its_fields(everything: Declared) -> None:
    found = sections(committed("events.md"))
    for fact in everything.facts:
        assert fact.__doc__, fact
        assert all(f"| `{name}` |" in found[fact.kind] for name in fact.__struct_fields__), fact.kind


def test_no_two_events_have_one_kind(everything: Declared) -> None:
    kinds = [fact.kind for fact in everything.facts]
    assert sorted(set(kinds)) == kinds


def test_every_error_is_documented_and_no_code_belongs_to_two_families(everything: Declared) -> None:
    found = sections(committed("errors.md"))
    families: dict[str, tuple[int, int]] = {}
    for error in everything.errors:
        assert " ".join((error.__doc__ or "").split()) in found[error.code], error
        assert families.setdefault(error.code, (error.status, error.exit_code)) == (error.status, error.exit_code)
        assert error.code != ClaudeCodeMcpError.code, f"{error} has no code of its own"


def test_every_code_of_the_connection_is_documented() -> None:
    raised = re.compile(r"\b(?:Refused|Failure)\(\s*\"([a-z_]+)\"")
    used = {code for path in SRC.rglob("*.py") for code in raised.findall(path.read_text("utf-8"))}
    assert used <= set(WITHOUT_DAEMON)
    assert all(f"`{code}`" in committed("errors.md") for code in used)


def test_every_error_of_a_failed_session_is_explained() -> None:
    given = re.compile(r"_error\(\s*\"([a-z_]+)\"")
    codes = {code for path in SRC.rglob("rules/*.py") for code in given.findall(path.read_text("utf-8"))}
    codes |= {code for code, _ in LIMITS.values()}
    page = (ROOT / "docs" / "how-to" / "troubleshoot.md").read_text("utf-8")
    assert codes
    assert {code for code in codes if f"`{code}`" not in page} == set()


def test_every_exit_code_is_documented() -> None:
    assert set(EXITS) == set(Exit)


def test_every_command_is_documented(everything: Declared) -> None:
    found = sections(committed("cli.md"))
    for words in ("run", "attach", "demo", "config show", "daemon logs", "serve", "scripted-model", "completion"):
        assert f"claude-code-mcp {words}" in found
    assert len(found) > len(everything.catalog.on(Surface.CLI))


def test_the_generator_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
