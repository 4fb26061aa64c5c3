"""Find a tool by words: the ranking behind `tool_search`, over names, hints and descriptions."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from claude_code_mcp.surfaces.mcp.schema import signature
from claude_code_mcp.surfaces.mcp.tools import Tool

_WORD = re.compile(r"[a-z0-9]+")
_SATURATION, _LENGTH = 1.2, 0.75
"""Okapi BM25's k1 and b, at the values every text uses."""
_NAME_WEIGHT, _HINT_WEIGHT = 4, 2


@dataclass(frozen=True, slots=True)
class _Entry:
    tool: Tool
    words: Counter[str]
    length: int


class ToolIndex:
    """The tools that a client is not shown, ranked by how well they fit some words."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._entries = [_entry(tool) for tool in tools]
        self._average = sum(entry.length for entry in self._entries) / max(1, len(self._entries))
        self._seen_in = Counter(word for entry in self._entries for word in entry.words)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, query: str, limit: int) -> list[Tool]:
        """Return at most `limit` tools, best first; those that share no word with `query` are not among them."""
        wanted = [known for word in words(query) for known in self._known(word)]
        scored = [(self._score(entry, wanted), entry.tool) for entry in self._entries]
        hits = sorted((hit for hit in scored if hit[0] > 0), key=lambda hit: (-hit[0], hit[1].name))
        return [tool for _, tool in hits[:limit]]

    def _known(self, word: str) -> list[str]:
        """Return the indexed words that `word` stands for: itself, else those that begin with it."""
        if word in self._seen_in:
            return [word]
        return [known for known in self._seen_in if len(word) > 2 and known.startswith(word)]

    def _score(self, entry: _Entry, wanted: Sequence[str]) -> float:
        score = 0.0
        for word in wanted:
            count = entry.words[word]
            if count:
                rarity = math.log(1 + (len(self._entries) - self._seen_in[word] + 0.5) / (self._seen_in[word] + 0.5))
                norm = 1 - _LENGTH + _LENGTH * entry.length / self._average
                score += rarity * count * (_SATURATION + 1) / (count + _SATURATION * norm)
        return score


def words(text: str) -> list[str]:
    """Return the words of `text` in lower case, without a plural s."""
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(text.lower())]


def line(tool: Tool) -> str:
    """Return a tool as one line: its call, and its first sentence."""
    return f"{tool.name}({signature(tool.wire['inputSchema'])}) - {tool.summary}"


def _entry(tool: Tool) -> _Entry:
    counts: Counter[str] = Counter()
    for word in words(tool.name.replace("_", " ")):
        counts[word] += _NAME_WEIGHT
    for word in words(tool.words):
        counts[word] += _HINT_WEIGHT
    counts.update(words(str(tool.wire.get("description", ""))))
    counts.update(words(" ".join(tool.wire["inputSchema"].get("properties", {})).replace("_", " ")))
    return _Entry(tool, counts, counts.total())
