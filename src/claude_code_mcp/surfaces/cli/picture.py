"""A picture of a session as an SVG, drawn by what draws the live view."""

import io
import re
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from claude_code_mcp.surfaces.cli.questions import Question
from claude_code_mcp.surfaces.cli.scene import Entry, Scene
from claude_code_mcp.surfaces.cli.screens import Printer, Screen

WIDTH = 96
_FOREIGN = re.compile(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)


class Recorder:
    """A screen that passes everything on to another one and can draw it all again."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._steps: list[Callable[[Printer], None]] = []

    def show(self, entries: Sequence[Entry]) -> None:
        """Keep and pass on."""
        kept = tuple(entries)
        self._steps.append(lambda printer: printer.show(kept))
        self._screen.show(entries)

    def ask(self, question: Question, *, whole: bool = False) -> None:
        """Keep and pass on."""
        self._steps.append(lambda printer: printer.ask(question, whole=whole))
        self._screen.ask(question, whole=whole)

    def say(self, lines: Sequence[str]) -> None:
        """Keep and pass on."""
        kept = tuple(lines)
        self._steps.append(lambda printer: printer.say(kept))
        self._screen.say(lines)

    def status(self, scene: Scene, state: str, dialog: Sequence[str]) -> None:
        """Pass on: what is not over is not in the picture."""
        self._screen.status(scene, state, dialog)

    def close(self) -> None:
        """Pass on."""
        self._screen.close()

    def reopen(self) -> None:
        """Pass on."""
        self._screen.reopen()

    def svg(self, command: str, *, width: int = WIDTH) -> str:
        """Return all that was shown as an SVG, under the `command` that brought it about.

        It names no font on the network: whoever looks at it sees a font of their own.
        """
        console = Console(file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor")
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        printer = Printer(console)
        for step in self._steps:
            step(printer)
        return _FOREIGN.sub("", console.export_svg(title="claude-code-mcp", unique_id="session"))
