"""Widgets that draw line by line, only what is in view: a list with a cursor, and a text to scroll in.

Nothing here interprets markup: pieces become cells as they are. Only the terminal's own sixteen colours are used, and
what a colour says is said by a sign or an attribute as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from claude_code_mcp.surfaces.cli.node_lines import GLUE, Line, Piece

_CURSOR = Style(reverse=True)
_QUIET_CURSOR = Style(bold=True, underline=True)
_INSTEAD: Mapping[str, str] = {"…": "~", "▏": "|", "·": "-", "→": ">", "↑": "^", "↓": "v", "←": "<"} | dict.fromkeys(
    "▁▂▃▄▅▆▇█▔▎▍▌▋▊▉", " "
)


class AsciiOnly(LineFilter):
    """Shows every character that is not ASCII as a question mark for each of its cells, for terminals without them."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """Return the segments as such a terminal can show them."""
        return [Segment(_ascii(text), style, control) for text, style, control in segments]


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    return "".join(char if char.isascii() else _INSTEAD.get(char, "?" * cell_len(char)) for char in text)


def strip_of(line: Line, width: int, over: Style | None = None) -> Strip:
    """Return `line` in exactly `width` cells: its head is cut before its tail is; `over` takes the styles' place."""
    tail = _cut(_unglued(line.tail), width)
    head = _cut(_unglued(line.head), max(0, width - _cells(tail)))
    between = " " * (width - _cells(head) - _cells(tail)) if line.spread else ""
    pieces = [*head, Piece(between), *tail]
    segments = [Segment(piece.text, over or Style.parse(piece.style)) for piece in pieces if piece.text]
    return Strip(segments).adjust_cell_length(width, over or Style.null())


def _unglued(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece if piece.text.isascii() else Piece(piece.text.translate(GLUE), piece.style) for piece in pieces]


def _cells(pieces: Iterable[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in pieces)


def _cut(pieces: Sequence[Piece], width: int) -> list[Piece]:
    if _cells(pieces) <= width:
        return [*pieces]
    kept: list[Piece] = []
    left = width - 1
    for piece in pieces:
        size = cell_len(piece.text)
        if size > left:
            kept.append(Piece(f"{set_cell_size(piece.text, max(0, left)).rstrip()}…" if width > 0 else "", piece.style))
            break
        kept.append(piece)
        left -= size
    return kept


class Band(Widget):
    """A few lines that stand still."""

    DEFAULT_CSS = "Band { height: auto; width: 1fr; }"

    def __init__(self, *lines: Line, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines = lines

    def show(self, *lines: Line) -> None:
        """Show other lines."""
        taller = len(lines) != len(self._lines)
        self._lines = lines
        self.refresh(layout=taller)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """Return how many lines there are."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """Return the line of the screen at `y`."""
        return strip_of(self._lines[y] if y < len(self._lines) else Line(()), self.size.width)


class LineView(ScrollView, can_focus=True):
    """A list with a cursor. Whoever derives it says how many items there are and how each is drawn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "edge(False)", show=False),
        Binding("end,G", "edge(True)", show=False),
    ]
    DEFAULT_CSS = "LineView { overflow-x: hidden; scrollbar-size-vertical: 1; }"
    PER_ITEM: ClassVar[int] = 1
    """Lines that each item takes."""

    class Moved(Message):
        """A person moved the cursor of `view`."""

        def __init__(self, view: "LineView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "LineView":
            """The list."""
            return self.view

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.cursor = 0

    def count(self) -> int:
        """Return how many items there are."""
        raise NotImplementedError

    def line(self, item: int, part: int) -> Line:
        """Return line `part` of an item."""
        raise NotImplementedError

    def empty(self) -> str:
        """Return what is shown where there is no item."""
        return ""

    def changed(self, cursor: int) -> None:
        """Draw anew: the items are others now, and the cursor stands on the one at `cursor`."""
        self.cursor = max(0, min(cursor, self.count() - 1))
        self.virtual_size = Size(1, self.count() * self.PER_ITEM)
        self.refresh()
        self._keep_in_view()

    def place(self, item: int) -> None:
        """Put the cursor on an item."""
        self.changed(item)

    def render_line(self, y: int) -> Strip:
        """Return the line of the screen at `y`."""
        width = self.scrollable_content_region.width
        item, part = divmod(y + round(self.scroll_offset.y), self.PER_ITEM)
        if item >= self.count():
            words = self.empty() if not self.count() else ""
            shown = words[y * width : (y + 1) * width]
            return strip_of(Line((Piece(shown, "dim"),)), width)
        over = None
        if item == self.cursor:
            over = _CURSOR if self.has_focus else _QUIET_CURSOR if part == 0 else None
        return strip_of(self.line(item, part), width, over)

    def in_view(self) -> range:
        """Return the items of which something is on the screen."""
        top = round(self.scroll_offset.y)
        first, last = top // self.PER_ITEM, (top + self.size.height - 1) // self.PER_ITEM
        return range(first, min(self.count(), last + 1))

    def redraw(self, item: int) -> None:
        """Draw one item anew."""
        self.refresh_lines(item * self.PER_ITEM, self.PER_ITEM)

    def _keep_in_view(self) -> None:
        top, height = self.cursor * self.PER_ITEM, self.scrollable_content_region.height
        if not height:
            return
        offset = round(self.scroll_offset.y)
        if top < offset:
            self.scroll_to(y=top, animate=False, force=True)
        elif top + self.PER_ITEM > offset + height:
            self.scroll_to(y=top + self.PER_ITEM - height, animate=False, force=True)

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the cursor on the screen."""
        self._keep_in_view()

    def on_focus(self) -> None:
        """Draw the cursor as it is now."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor as it is now."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is."""
        item = (event.y + round(self.scroll_offset.y)) // self.PER_ITEM
        if item < self.count():
            self._go(item)

    def action_move(self, by: int) -> None:
        """Move the cursor by items."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by screens."""
        self._go(self.cursor + by * max(1, self.size.height // self.PER_ITEM - 1))

    def action_edge(self, end: bool) -> None:
        """Move the cursor to the beginning or the end."""
        self._go(self.count() - 1 if end else 0)

    def _go(self, item: int) -> None:
        self.place(item)
        self.post_message(self.Moved(self))


class TextPane(ScrollView, can_focus=True):
    """Text that is scrolled in; long lines go on in the next one."""

    DEFAULT_CSS = "TextPane { overflow-x: hidden; scrollbar-size-vertical: 1; }"

    def __init__(self, lines: Sequence[Piece] = (), *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines = list(lines)
        self._wrapped: list[Piece] = []

    @property
    def shown(self) -> str:
        """All of the text."""
        return "\n".join(piece.text for piece in self._lines)

    def show(self, lines: Sequence[Piece]) -> None:
        """Show other lines; where they are the same to begin with, the place in them stays."""
        stays = bool(lines) and self._lines[:1] == list(lines[:1])
        self._lines = list(lines)
        self._wrap()
        if not stays:
            self.scroll_to(y=0, animate=False, force=True)

    def on_mount(self) -> None:
        """Lay out what was given at the start."""
        self._wrap()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out for the new width."""
        self._wrap()

    def _wrap(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        self._wrapped = [part for line in self._lines for part in _folded(line, width)]
        self.virtual_size = Size(1, len(self._wrapped))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line of the screen at `y`."""
        place = y + round(self.scroll_offset.y)
        pieces = (self._wrapped[place],) if place < len(self._wrapped) else ()
        return strip_of(Line(pieces), self.scrollable_content_region.width)


def _folded(piece: Piece, width: int) -> Iterable[Piece]:
    """Yield a line in parts of at most `width` cells."""
    text = piece.text.expandtabs(4)
    if len(text) * 2 <= width or cell_len(text) <= width:
        yield Piece(text, piece.style)
        return
    if text.isascii():
        yield from (Piece(text[place : place + width], piece.style) for place in range(0, len(text), width))
        return
    start = used = 0
    for place, char in enumerate(text):
        size = cell_len(char)
        if used + size > width:
            yield Piece(text[start:place], piece.style)
            start, used = place, 0
        used += size
    yield Piece(text[start:], piece.style)
