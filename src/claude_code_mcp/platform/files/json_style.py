"""How a JSON text is written (indentation, newlines, spaces), so that what is added looks like the rest."""

import json
from dataclasses import dataclass
from typing import Any

from claude_code_mcp.platform.files.json_document import Document, Object


@dataclass(frozen=True, slots=True)
class Style:
    """The habits of one text: its newline, one step of indentation, its colon, and whether it is one long line."""

    newline: str
    unit: str
    colon: str
    one_line: bool

    @classmethod
    def of(cls, document: Document) -> "Style":
        """Return the style of `document`, by its first member; two spaces where there is nothing to go by."""
        text, outer = document.text, document.outer
        first_newline = text.find("\n")
        unit, colon = "  ", ": "
        if outer.members:
            first = outer.members[0]
            unit = (line_indent(text, first.start) if outer.spread else "") or "  "
            colon = ":" if document.plain[first.value - 1] == ":" else ": "
        return cls(
            newline="\r\n" if first_newline > 0 and text[first_newline - 1] == "\r" else "\n",
            unit=unit,
            colon=colon,
            one_line=bool(outer.members) and "\n" not in text[outer.start : outer.end],
        )

    @property
    def comma(self) -> str:
        """What stands between two members on one line."""
        return "," if self.colon == ":" else ", "

    def compact(self, value: Any) -> str:
        """Return `value` on one line."""
        return json.dumps(value, ensure_ascii=False, separators=(self.comma, self.colon))

    def pretty(self, value: Any, indent: str) -> str:
        """Return `value` over several lines, for a member that is indented by `indent`."""
        lines = json.dumps(value, indent=self.unit, ensure_ascii=False, separators=(",", self.colon)).split("\n")
        return f"{self.newline}{indent}".join(lines)

    def key(self, key: str) -> str:
        """Return `key` with its colon."""
        return json.dumps(key, ensure_ascii=False) + self.colon

    def member_indent(self, text: str, holder: Object) -> str:
        """Return what the members of `holder` are indented by, when each has its own line."""
        if holder.spread:
            return line_indent(text, holder.members[0].start)
        return line_indent(text, holder.start) + self.unit


def line_indent(text: str, offset: int) -> str:
    """Return the blanks that the line of `offset` begins with."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset].removeprefix("\ufeff")
    return line[: len(line) - len(line.lstrip(" \t"))]
