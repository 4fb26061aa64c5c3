"""Replies and errors speak of MCP tools; on the command line the same things are called by their commands."""

import re
from collections.abc import Iterable, Mapping

from claude_code_mcp.kernel.operation import Operation
from claude_code_mcp.surfaces.cli.own import PROGRAM
from claude_code_mcp.surfaces.cli.readings import parted
from claude_code_mcp.surfaces.cli.words import words_of

_OURS = ("next: ", "note: ", "  answer with ", "Answer with ", "To carry it out: ", "No sessions.", "The wait was ")
"""What lines of a reply begin with that we wrote. Everything else may be Claude's answer: that stays as it is."""
_CALL = re.compile(r"\b([a-z]+(?:_[a-z]+)+)\b(\(([^()\n]*)\))?")
SNAKE = re.compile(r"\b[a-z]+_[a-z_]+\b")
"""What a tool's name looks like: text without it needs no translation, and no catalog."""


class Wording:
    """Puts commands in the place of tool names."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_tool: Mapping[str, Operation] = {op.tool: op for op in operations}

    def said(self, text: str) -> str:
        """Return a text of ours with each tool's name, or call of it, as a command."""
        return _CALL.sub(self._command, text)

    def reply(self, text: str) -> str:
        """Return the text of a reply with those of its lines translated that are ours."""
        return "\n".join(self.said(line) if line.startswith(_OURS) else line for line in text.split("\n"))

    def _command(self, match: re.Match[str]) -> str:
        op = self._by_tool.get(match.group(1))
        if op is None:
            return match.group()
        words = " ".join(words_of(op))
        if match.group(2) is None:
            return f"`{words}`"
        given = dict(_argument(part) for part in parted(match.group(3)))
        first = [given.pop(name) for name in op.hints.positional if name in given]
        flags = [_flag(name, value) for name, value in given.items()]
        return f"`{' '.join([PROGRAM, words, *first, *flags])}`"


def _flag(name: str, value: str) -> str:
    """Return an argument as a flag; one that is only switched on has no value."""
    flag = f"--{name.replace('_', '-')}"
    return flag if value == "true" else f"{flag} {value}"


def _argument(part: str) -> tuple[str, str]:
    """Return the name and the value of one argument of a call: `decision="a"|"b"` gives `a|b`, `cursor` CURSOR."""
    name, has_value, value = part.partition("=")
    if not has_value:
        return name, name.upper()
    bare = value.replace('"', "")
    return name, f'"{bare}"' if " " in bare else bare
