"""A node as one line in the document's style: `🔧 Edit src/auth.py (1.2s) ✅`, for terminals of every kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.surfaces.cli import nodes
from claude_code_mcp.surfaces.cli.nodes import Node

_NAME, _TEXT = 80, 300
GLUE = str.maketrans("", "", "\u200d\ufe0e\ufe0f")
"""What glues characters into one sign: terminals disagree on its width, and a grid must not."""
_READERS = frozenset({"Read", "Glob", "Grep", "LS", "NotebookRead"})


class Signs(StrEnum):
    """Which characters a terminal can show."""

    EMOJI = "emoji"
    SYMBOLS = "symbols"
    ASCII = "ascii"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text and its style: Rich's words, with the terminal's own sixteen colours only."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line whose head may be cut where it is too long; the tail stays, at the right edge where it is `spread`."""

    head: tuple[Piece, ...]
    tail: tuple[Piece, ...] = ()
    spread: bool = False

    def text(self) -> str:
        """Return all of it without styles."""
        return "".join(piece.text for piece in (*self.head, *self.tail))


@dataclass(frozen=True, slots=True)
class _Set:
    types: Mapping[str, str]
    marks: Mapping[str, str]
    reader: str
    running_task: str
    slow: str
    arrow: str
    spinner: str
    guides: tuple[str, str, str, str]
    """For a child, the last child, below a child, below the last one."""
    folded: str = "▸"
    bullet: str = "●"
    dot: str = "·"
    rest: str = "…"


_EMOJI = _Set(
    types={
        "session": "💬",
        "task": "📋",
        "tool_call": "🔧",
        "mcp_call": "📡",
        "subagent": "🤖",
        "background_task": "⏳",
        "approval": "✋",
        "compaction": "📦",
        "api_retry": "🔁",
        "notice": "💡",
    },
    marks={
        "running": "🔄",
        "waiting": "✋",
        "completed": "✅",
        "failed": "❌",
        "denied": "🚫",
        "interrupted": "🛑",
        "abandoned": "💤",
    },
    reader="📁",
    running_task="🔄",
    slow="⚠",
    arrow="→",
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    guides=("├─ ", "└─ ", "│  ", "   "),
)
_SYMBOLS = _Set(
    types={"task": "■", "subagent": "◆", "mcp_call": "◇", "background_task": "○", "approval": "?"},
    marks={
        "running": "…",
        "waiting": "?",
        "completed": "✓",
        "failed": "✗",
        "denied": "⊘",
        "interrupted": "□",
        "abandoned": "~",
    },
    reader="",
    running_task="■",
    slow="!",
    arrow="→",
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    guides=("├─ ", "└─ ", "│  ", "   "),
)
_ASCII = _Set(
    types={"task": "#", "subagent": "@", "mcp_call": "*", "background_task": "&", "approval": "?"},
    marks={
        "running": "...",
        "waiting": "WAITS",
        "completed": "ok",
        "failed": "FAILED",
        "denied": "DENIED",
        "interrupted": "stopped",
        "abandoned": "lost",
    },
    reader="",
    running_task="#",
    slow="SLOW",
    arrow="->",
    spinner="|/-\\",
    guides=("|- ", "`- ", "|  ", "   "),
    folded="+",
    bullet="*",
    dot="-",
    rest="...",
)
SETS: Mapping[Signs, _Set] = {Signs.EMOJI: _EMOJI, Signs.SYMBOLS: _SYMBOLS, Signs.ASCII: _ASCII}
STYLES: Mapping[str, str] = {
    "running": "blue",
    "waiting": "bold yellow",
    "completed": "green",
    "failed": "bold red",
    "denied": "yellow",
    "interrupted": "yellow",
    "abandoned": "dim",
}
_LABEL = re.compile(r"^(?:file|command|url|query|pattern|path): ")
"""What a summary begins with that the tool's name says already."""
_LABELS: Mapping[str, str] = {"task": "Task: ", "mcp_call": "MCP: ", "subagent": "Subagent: "}


@dataclass(frozen=True, slots=True)
class Now:
    """The moment that is drawn: `frame` turns the spinners, `extra_ms` went by since the daemon told the times."""

    frame: int | None = None
    extra_ms: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How nodes are drawn on one terminal."""

    signs: Signs = Signs.EMOJI
    timings: bool = True
    set: _Set = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "set", SETS[self.signs])

    def line(self, node: Node, now: Now, place: str = "") -> Line:
        """Return `node` as a line; everything in it is made visible, nothing in it acts.

        Paths in `place` are shown without it, so that a line shows what differs.
        """
        return Line(tuple(self._head(node, f"{place.rstrip('/')}/" if place else "")), tuple(self._tail(node, now)))

    def _head(self, node: Node, place: str) -> list[Piece]:
        icon = self.icon(node)
        head = [Piece(f"{icon} ")] if icon else []
        label = _LABELS.get(node.type, "")
        name = fit(f"{node.mcp_server}/{node.name}" if node.mcp_server else node.name, _NAME)
        colour = "red" if node.status == nodes.FAILED else ""
        bold = "bold " if node.type in {nodes.TASK, nodes.SUBAGENT} else ""
        head.append(Piece(f"{label}{name}", f"{bold}{colour}".strip()))
        about = self._about(node)
        about = fit(about.replace(place, "") if place else about, _TEXT)
        if about:
            arrow = f" {self.set.arrow} " if node.type == nodes.MCP else " "
            head.append(Piece(f"{arrow}{about}", colour or "dim"))
        if node.waiting_for and not any(child.status == nodes.WAITING for child in node.children):
            head.append(Piece(f" {self.set.dot} waits for {fit(node.waiting_for, _NAME)}", "yellow"))
        return head

    @staticmethod
    def _about(node: Node) -> str:
        """Return what the line says besides the name: the task's own words are in its name already."""
        told = _LABEL.sub("", node.input_summary, count=1)
        about = node.description if node.type == nodes.SUBAGENT else told or node.description
        return "" if about == node.name or node.type == nodes.TASK else about

    def _tail(self, node: Node, now: Now) -> list[Piece]:
        tail: list[Piece] = []
        if node.duration_ms is not None and self.timings:
            shown = duration(node.duration_ms + (now.extra_ms if node.live else 0))
            tail.append(Piece(f" ({shown})", "yellow" if node.slow else "dim"))
        if node.slow:
            tail.append(Piece(f" {self.set.slow}", "yellow"))
        if node.closed_by:
            tail.append(Piece(f" [{fit(node.closed_by.replace('_', ' '), 20)}]", "dim"))
        if node.hidden:
            tail.append(Piece(f" +{node.hidden}", "dim"))
        tail.append(Piece(f" {self.mark(node.status, now)}", STYLES.get(node.status, "")))
        return tail

    def icon(self, node: Node) -> str:
        """Return the sign before the name, "" where there is none."""
        if node.type == nodes.TASK and node.status == nodes.RUNNING:
            return self.set.running_task
        if self.set.reader and node.name in _READERS:
            return self.set.reader
        return self.set.types.get(node.type, "")

    def mark(self, status: str, now: Now) -> str:
        """Return the sign of a status; what runs turns where there is a frame."""
        if status == nodes.RUNNING and now.frame is not None:
            return self.set.spinner[now.frame % len(self.set.spinner)]
        return self.set.marks.get(status, fit(status, 12))


def fit(text: str, limit: int) -> str:
    """Return `text` in one visible line for a grid of cells: nothing in it acts, hides, or glues signs together."""
    return one_line(text, limit).translate(GLUE)


def duration(milliseconds: int) -> str:
    """Return a span as the document writes it: `245ms`, `1.2s`, `12s`, `3m04s`, `2h05m`."""
    if milliseconds < 1000:
        return f"{max(0, milliseconds)}ms"
    if milliseconds < 9_950:
        return f"{milliseconds / 1000:.1f}s"
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"


def signs_for(env: Mapping[str, str], encoding: str, *, emoji: bool) -> Signs:
    """Return what a terminal with `env` can show; `emoji` is false where nobody wants any.

    A locale that is set to another encoding than UTF-8 gets ASCII even where Python would write UTF-8, and so does a
    terminal without the characters (the Linux console, `dumb`, the old ones).
    """
    locale = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or "C.UTF-8"
    utf8 = "utf-8" in locale.lower() or "utf8" in locale.lower()
    if not utf8 or "utf" not in encoding.lower():
        return Signs.ASCII
    if env.get("TERM", "").partition("-")[0] in {"linux", "dumb", "vt100", "vt102", "vt220", "ansi"}:
        return Signs.ASCII
    return Signs.EMOJI if emoji else Signs.SYMBOLS
