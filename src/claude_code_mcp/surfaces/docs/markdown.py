"""Markdown as GitHub reads it: tables, code, headings and the anchors that they get."""

import re
from collections.abc import Iterable, Sequence

_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table; nothing where there are no rows. Cells are markdown: put foreign text through `cell` first."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return []
    return [f"| {' | '.join(head)} |", f"|{'|'.join(' --- ' for _ in head)}|", *lines, ""]


def cell(text: str) -> str:
    """Return text for a table's cell: one line, and nothing in it ends the cell or begins a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def code(text: str) -> str:
    """Return text as code within a line, also within a table's cell; nothing for an empty text."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def fenced(text: str, language: str = "") -> list[str]:
    """Return a block of code."""
    return [f"```{language}", *text.rstrip("\n").split("\n"), "```", ""]


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return _NOT_IN_ANCHORS.sub("", heading.replace("`", "").lower()).replace(" ", "-")


def link(heading: str, shown: str = "") -> str:
    """Return a link to a heading of the same page."""
    return f"[{shown or heading}](#{anchor(heading)})"


def page(title: str, intro: str, *parts: Iterable[str]) -> str:
    """Return a whole page, with a note that it is generated."""
    lines = [f"# {title}", "", intro, "", "_This page is generated from the code: `make docs` writes it anew._", ""]
    for part in parts:
        lines += part
    return "\n".join(lines).rstrip("\n") + "\n"
