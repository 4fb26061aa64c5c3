"""Every link of our pages leads somewhere, and every page is reached from the index."""

import re
from pathlib import Path

import pytest

from claude_code_mcp.surfaces.docs.markdown import anchor
from tests.docs.pages import DOCS

ROOT = DOCS.parent
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))


def targets(page: Path) -> list[tuple[Path, str]]:
    """Return the files and anchors of this repository that a page links to."""
    found = [link for link in _LINK.findall(prose(page)) if not link.startswith(("http://", "https://", "mailto:"))]
    return [
        ((page.parent / link.partition("#")[0]) if link[0] != "#" else page, link.partition("#")[2]) for link in found
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    broken = []
    for target, wanted in targets(page):
        anchors = {anchor(heading) for heading in _HEADING.findall(prose(target))} if target.suffix == ".md" else set()
        if not target.exists() or (wanted and wanted not in anchors):
            broken.append(f"{target}#{wanted}")
    assert broken == []


def test_every_page_of_docs_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    open_ = [DOCS / "index.md"]
    while open_:
        page = open_.pop().resolve()
        if page in seen:
            continue
        seen.add(page)
        for target, _ in targets(page):
            open_ += target.glob("*.md") if target.is_dir() else [target] if target.suffix == ".md" else []
    assert {page for page in DOCS.rglob("*.md") if page.resolve() not in seen} == set()
