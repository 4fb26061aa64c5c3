"""An entry as it looks: one plain line, or a Rich renderable. All text of strangers is made visible here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from claude_code_mcp.kernel.display import one_line, visible
from claude_code_mcp.surfaces.cli.scene import Entry, Tone

_PLAIN_TEXT = 600
_MARKDOWN_LIMIT = 20_000
"""Longer texts are shown as they are: laying out Markdown takes time that grows with its length."""
_THOUGHT_LINES = 6
_OUTPUT_LINES: Mapping[Tone, int] = {Tone.DONE: 4, Tone.FAILED: 10, Tone.DENIED: 3, Tone.ERROR: 20}
_LONGEST_LINE = 2000


@dataclass(frozen=True, slots=True)
class Look:
    """The sign before an entry, the same for screens that know only ASCII, and its colour."""

    sign: str
    ascii: str
    style: str


LOOKS: Mapping[Tone, Look] = {
    Tone.SAID: Look("●", "*", ""),
    Tone.ASKED: Look("»", ">", "bold cyan"),
    Tone.THOUGHT: Look("∴", "~", "dim italic"),
    Tone.BEGAN: Look("▸", "+", "cyan"),
    Tone.DONE: Look("✓", "ok", "green"),
    Tone.FAILED: Look("✗", "failed", "red"),
    Tone.DENIED: Look("⊘", "denied", "yellow"),
    Tone.AGENT: Look("◆", "#", "magenta"),
    Tone.WAITS: Look("?", "?", "bold yellow"),
    Tone.NOTE: Look("·", "-", "dim"),
    Tone.WARNING: Look("!", "!", "yellow"),
    Tone.ERROR: Look("✗", "error", "bold red"),
    Tone.TURN: Look("■", "=", "dim"),
}


def plain_line(entry: Entry, *, only_ascii: bool = False) -> str:
    """Return `entry` as one line without colour."""
    look = LOOKS[entry.tone]
    sign = look.ascii if only_ascii else look.sign
    denied = _denied(entry)
    parts = [sign, one_line(entry.head, 80), one_line(entry.body, _PLAIN_TEXT), _bracketed(denied, entry.after)]
    if entry.tone in {Tone.FAILED, Tone.DENIED, Tone.ERROR} and entry.output.strip():
        parts.append(f"- {one_line(entry.output, 200)}")
    return "  " * entry.depth + " ".join(part for part in parts if part)


def _bracketed(*notes: str) -> str:
    said = ", ".join(one_line(note, 200) for note in notes if note)
    return f"({said})" if said else ""


def drawn(entry: Entry) -> RenderableType:
    """Return `entry` as it is shown on a terminal: indented under its subagent, its output below it."""
    parts: list[RenderableType] = [_first(entry)]
    lines = list(_output(entry))
    if lines:
        parts.append(Padding(Group(*lines), (0, 0, 0, 2)))
    return Padding(Group(*parts), (0, 0, 0, 2 * entry.depth))


def _first(entry: Entry) -> RenderableType:
    look = LOOKS[entry.tone]
    if entry.tone is Tone.SAID:
        return _beside(Text(look.sign), _formatted(entry.body))
    if entry.tone is Tone.THOUGHT:
        return _beside(Text(look.sign, style=look.style), _clipped(entry.body, _THOUGHT_LINES, look.style))
    if entry.tone in {Tone.ASKED, Tone.ERROR}:
        said = ": ".join(part for part in (one_line(entry.head, 80), entry.body) if part)
        return _beside(Text(look.sign, style=look.style), _clipped(said, 12, look.style))
    return _beside(Text(look.sign, style=look.style), _headed(entry, look))


def _headed(entry: Entry, look: Look) -> Text:
    quiet = entry.tone in {Tone.NOTE, Tone.TURN}
    line = Text(style="dim" if quiet else "")
    if entry.head:
        line.append(one_line(entry.head, 80), style="" if quiet else f"bold {look.style}")
        line.append("  ")
    line.append(one_line(entry.body, 400))
    notes = ", ".join(note for note in (_denied(entry), entry.after) if note)
    if notes:
        line.append(f"  {one_line(notes, 200)}", style="dim")
    return line


def _denied(entry: Entry) -> str:
    return "denied" if entry.tone is Tone.DENIED and entry.head != "denied" else ""


def _formatted(text: str) -> RenderableType:
    """Return an answer of the model's: Markdown, its links never made live, code in the terminal's own colours."""
    shown = visible(text).strip("\n")
    if len(shown) > _MARKDOWN_LIMIT:
        return Text(shown)
    return Markdown(shown, hyperlinks=False, code_theme="ansi_dark", inline_code_theme="ansi_dark")


def _clipped(text: str, most: int, style: str) -> Text:
    lines = visible(text).strip().split("\n")
    if len(lines) > most:
        lines = [*lines[:most], f"… {len(lines) - most} more lines"]
    return Text("\n".join(line[:_LONGEST_LINE] for line in lines), style=style)


def _beside(sign: Text, content: RenderableType) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, width=1)
    grid.add_column(overflow="fold")
    grid.add_row(sign, content)
    return grid


def _output(entry: Entry) -> Iterator[Text]:
    most = _OUTPUT_LINES.get(entry.tone, 3)
    lines = [line for line in visible(entry.output[:100_000]).strip("\n").split("\n") if line.strip()]
    for line in lines[:most]:
        yield Text(f"│ {line[:_LONGEST_LINE].expandtabs(4)}", style="dim", no_wrap=True, overflow="ellipsis")
    if len(lines) > most:
        yield Text(f"│ … {len(lines) - most} more lines", style="dim")
