"""A how-to page as its blocks of code: what a reader types, and what the page says comes back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block, and the line of the page that it begins on."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    """What is typed at a prompt, and what is to come back; `line` is its line on the page."""

    typed: str
    expected: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        yield Block(found[1], found[2], text.count("\n", 0, found.start()) + 2)


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a `console` block; a command goes on where its line ends in a backslash."""
    for chunk in _PROMPT.split(block.text)[1:]:
        lines = chunk.rstrip("\n").split("\n")
        count = 1
        while lines[count - 1].endswith("\\"):
            count += 1
        offset = block.text.index(f"$ {chunk}")
        yield Command(
            "\n".join(lines[:count]), "\n".join(lines[count:]), block.line + block.text.count("\n", 0, offset)
        )
