"""What comes over the application for a moment: a question to answer, a stop to confirm, a text to read."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from claude_code_mcp.kernel.display import one_line, visible
from claude_code_mcp.surfaces.cli.answering import dialog_for
from claude_code_mcp.surfaces.cli.dialogs import Decided, Decision, EditInput
from claude_code_mcp.surfaces.cli.node_lines import Line, Piece
from claude_code_mcp.surfaces.cli.questions import Question
from claude_code_mcp.surfaces.tui.lines import Band, TextPane

_NAMED = {"enter": "enter", "backspace": "backspace", "ctrl+u": "clear", "escape": "esc"}
_TITLE = 120


class Reader(ModalScreen[None]):
    """A text over the whole screen: help, a transcript."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,t", "leave", show=False)]

    def __init__(self, title: str, lines: Sequence[Piece]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="sheet"):
            yield Band(Line((Piece(one_line(self._title, _TITLE), "bold"),)))
            yield TextPane(self._lines, id="reading")
            yield Band(Line((Piece("Esc closes", "dim"),)))

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)


class Stopping(ModalScreen[str]):
    """Stop a session? Answers `stop`, `interrupt`, or "" to leave it alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('stop')", show=False),
        Binding("i", "choose('interrupt')", show=False),
        Binding("escape,q,n", "choose('')", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._named = name

    def compose(self) -> ComposeResult:
        """Lay it out."""
        question = f"Stop {one_line(self._named, _TITLE)}?"
        choices = "s stop the session   i interrupt its turn   Esc leave it"
        with Vertical(classes="box"):
            yield Band(*(Line((Piece(line),)) for line in (question, "", choices)))

    def action_choose(self, how: str) -> None:
        """Take the answer."""
        self.dismiss(how)


class Answering(ModalScreen[Decision | None]):
    """A question of Claude Code's with its whole input; answers the decision, None where it is put off."""

    def __init__(self, question: Question, edited: Callable[[Question], dict[str, Any] | None]) -> None:
        super().__init__()
        self.question = question
        self.changed: dict[str, Any] | None = None
        self._edited = edited
        self._dialog = dialog_for(question)

    def compose(self) -> ComposeResult:
        """Lay it out: the input first, then what may be answered."""
        head = f"{self.question.tool}: {self.question.summary}"
        shown = self.question.plan.split("\n") if self.question.plan else self.question.body()
        with Vertical(classes="sheet"):
            yield Band(Line((Piece(one_line(head, _TITLE), "bold yellow"),)))
            yield TextPane([Piece(line) for line in shown], id="asked")
            yield Band(*self._menu(), id="menu")

    def _menu(self) -> list[Line]:
        lines = [visible(line).replace("   v view all", "") for line in self._dialog.lines()]
        return [*(Line((Piece(line, "bold"),)) for line in lines), Line((Piece("Esc decides later", "dim"),))]

    def on_key(self, event: events.Key) -> None:
        """Give the dialog each key that the text above does not scroll with."""
        key = _NAMED.get(event.key) or (event.character if event.is_printable else None)
        if key is None:
            return
        event.stop()
        event.prevent_default()
        before = self._dialog.lines()
        decided = self._dialog.feed(key)
        if decided is not None:
            self._decided(decided)
        elif key == "esc" and self._dialog.lines() == before:
            self.dismiss(None)
        else:
            self.query_one("#menu", Band).show(*self._menu())

    def _decided(self, decided: Decided) -> None:
        if isinstance(decided, Decision):
            self.dismiss(decided)
        elif isinstance(decided, EditInput):
            self.changed = self._edited(self.question)
            if self.changed is not None:
                self.dismiss(Decision(allow=True))
