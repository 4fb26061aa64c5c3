"""The CLAUDE.md of a project that is not trusted, as plain text: Claude Code itself does not load it then.

Only files inside the project are read, also where a link or an `@import` leads elsewhere; only so much of them;
and nothing in them is executed or expanded.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.platform.claude.plain_files import open_plain

MOST_BYTES = 64 * 1024
"""Longest text that is handed over; a longer one ends with a note."""
_DEPTH = 5
_FILES = 50
_NAMES = ("CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md")
_SUFFIXES = (".md", ".mdx", ".txt")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.S)
_IMPORT = re.compile(r"(?:^|(?<=\s))@((?:[^\s\\]|\\ )+)")


@dataclass(frozen=True, slots=True)
class Instructions:
    """The text that is handed over ("" where there is none), and what was left out of it, with the reason."""

    text: str
    left_out: tuple[str, ...] = ()


def project_instructions(project: Path) -> Instructions:
    """Return the instructions that Claude Code would load in `project`, the outermost directory first.

    In a git repository those of the directories above count too, up to its root; nothing outside of it is read.
    """
    reader = _Reader(Path(os.path.realpath(project)))
    for path in reader.start():
        reader.take(path, 0)
    return reader.result()


class _Reader:
    def __init__(self, project: Path) -> None:
        self._project = project
        self._root = next(
            (folder for folder in (project, *project.parents) if os.path.lexists(folder / ".git")), project
        )
        self._seen: set[Path] = set()
        self._texts: list[str] = []
        self._left: dict[str, None] = {}
        self._room = MOST_BYTES

    def start(self) -> Iterator[Path]:
        """Yield where instructions may be."""
        inside = [folder for folder in (self._project, *self._project.parents) if folder.is_relative_to(self._root)]
        for folder in reversed(inside):
            yield from (folder / name for name in _NAMES)

    def take(self, path: Path, depth: int, imported_by: str = "") -> None:
        """Add the file at `path` and what it imports."""
        shown = os.path.relpath(path, self._project)
        real = Path(os.path.realpath(path))
        if real in self._seen or not os.path.lexists(path):
            return
        if not real.is_relative_to(self._root):
            self._left[f"{shown}: it leads out of the project"] = None
            return
        self._seen.add(real)
        data = _read(real, MOST_BYTES + 1)
        if data is None:
            self._left[f"{shown}: it cannot be read"] = None
            return
        if self._room <= 0 or len(self._seen) > _FILES:
            self._left[f"{shown}: the instructions are too long"] = None
            return
        if len(data) > self._room:
            self._left[f"{shown}: only its beginning is used"] = None
        text = data[: self._room].decode("utf-8", "replace")
        self._room -= len(data)
        title = f"{shown} (imported by {imported_by})" if imported_by else shown
        self._texts.append(f"## {title}\n\n{text.strip()}")
        for named in _imports(text):
            self._import(path.parent, named, depth, shown)

    def _import(self, folder: Path, named: str, depth: int, importer: str) -> None:
        if not named.lower().endswith(_SUFFIXES) or "\0" in named:
            return
        if named.startswith(("/", "~")) or depth >= _DEPTH:
            self._left[f"@{named} in {importer}: only files of the project are imported"] = None
            return
        self.take(folder / named, depth + 1, importer)

    def result(self) -> Instructions:
        """Return what was collected."""
        if not self._texts:
            return Instructions("", tuple(self._left))
        head = "# Instructions in the project's files\n\nThey come with the project and were not checked by the user."
        return Instructions("\n\n".join([head, *self._texts]), tuple(self._left))


def _imports(text: str) -> list[str]:
    """Return what `@…` names outside of code."""
    return [name.replace("\\ ", " ")[:1_000] for name in _IMPORT.findall(_CODE.sub(" ", text))][:_FILES]


def _read(path: Path, limit: int) -> bytes | None:
    """Return the beginning of a regular file; None for anything else."""
    try:
        with open_plain(path, follow=False) as file:
            return file.read(limit)
    except OSError:
        return None
