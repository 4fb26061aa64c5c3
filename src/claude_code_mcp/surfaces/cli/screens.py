"""Where a session is shown: plain lines for a pipe, a live region for a terminal."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.display import one_line, visible
from claude_code_mcp.surfaces.cli.drawing import drawn, plain_line
from claude_code_mcp.surfaces.cli.questions import Question
from claude_code_mcp.surfaces.cli.scene import Entry, Scene, Tone, count, dollars, elapsed_s, span

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BODY_LINES = 30
"""Lines of a tool's input that are shown before it is asked about; `v` shows all of them."""


class Screen(Protocol):
    """What the live view draws on."""

    def show(self, entries: Sequence[Entry]) -> None:
        """Show what happened."""
        ...

    def ask(self, question: Question, *, whole: bool = False) -> None:
        """Show what is asked, shortened or `whole`."""
        ...

    def status(self, scene: Scene, state: str, dialog: Sequence[str]) -> None:
        """Show what goes on now, and the dialog that is open."""
        ...

    def say(self, lines: Sequence[str]) -> None:
        """Show lines of our own."""
        ...

    def close(self) -> None:
        """Take the live region away."""
        ...

    def reopen(self) -> None:
        """Bring it back."""
        ...


class PlainScreen:
    """One line for each event; no colour, no moving cursor."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._ascii = not (out.encoding or "").lower().startswith("utf")

    def show(self, entries: Sequence[Entry]) -> None:
        """Write one line each."""
        for entry in entries:
            self._out.write(plain_line(entry, only_ascii=self._ascii) + "\n")
        self._out.flush()

    def ask(self, question: Question, *, whole: bool = False) -> None:
        """Write what is asked."""
        lines = visible(question.plan).split("\n") if question.plan else question.body()
        shown = lines if whole else lines[:_BODY_LINES]
        more = [f"… {len(lines) - len(shown)} more lines"] if len(shown) < len(lines) else []
        self.say([f"  {line}" for line in (*shown, *more)])

    def status(self, scene: Scene, state: str, dialog: Sequence[str]) -> None:
        """Do nothing: there is no place that could be written twice."""

    def say(self, lines: Sequence[str]) -> None:
        """Write the lines."""
        self._out.write("".join(f"{visible(line)}\n" for line in lines))
        self._out.flush()

    def close(self) -> None:
        """Do nothing."""

    def reopen(self) -> None:
        """Do nothing."""


class QuietScreen(PlainScreen):
    """Only what waits for a person, on standard error: standard output belongs to one JSON object."""

    def show(self, entries: Sequence[Entry]) -> None:
        """Write what waits."""
        super().show([entry for entry in entries if entry.tone is Tone.WAITS])

    def ask(self, question: Question, *, whole: bool = False) -> None:
        """Write nothing: the line of the event has said it."""


class Printer:
    """What is over, as it scrolls up on a terminal or stands in a picture."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, entries: Sequence[Entry]) -> None:
        """Print the entries."""
        for entry in entries:
            if not entry.plain_only:
                self._console.print(drawn(entry))

    def ask(self, question: Question, *, whole: bool = False) -> None:
        """Print what is asked: here, and not below, so that a long input is never cut by the screen's height."""
        head = Text("? ", style="bold yellow")
        head.append(one_line(question.tool, 80), style="bold")
        head.append(f"  {one_line(question.summary, 300)}" if question.kind != "question" else "")
        self._console.print(head)
        if question.kind == "question":
            return
        lines = visible(question.plan).split("\n") if question.plan else question.body()
        shown = lines if whole else lines[:_BODY_LINES]
        for line in shown:
            self._console.print(Text(f"  {line}", style=_diff_style(line)))
        if len(shown) < len(lines):
            self._console.print(Text(f"  … {len(lines) - len(shown)} more lines, v shows all", style="bold yellow"))

    def say(self, lines: Sequence[str]) -> None:
        """Print lines of our own."""
        for line in lines:
            self._console.print(Text(visible(line)))


class LiveScreen(Printer):
    """A terminal: what is over scrolls up, what goes on stands below and is drawn again."""

    def __init__(self, console: Console, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(console)
        self._now = now
        self._frame = 0
        self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)
        self._live.start()

    def status(self, scene: Scene, state: str, dialog: Sequence[str]) -> None:
        """Draw the live region."""
        self._frame += 1
        parts: list[RenderableType] = [Text(line, style="dim") for line in _tail(scene.writing)]
        if dialog:
            first, *rest = dialog
            parts += [Text(visible(first), style="bold yellow"), *(Text(visible(line)) for line in rest)]
        else:
            parts += [*self._running(scene), self._footer(scene, state)]
        self._live.update(Group(*parts), refresh=True)

    def _running(self, scene: Scene) -> list[Text]:
        now = stamp(self._now())
        lines = []
        for running in list(scene.running.values())[-6:]:
            line = Text("  " * running.depth, no_wrap=True, overflow="ellipsis")
            line.append(f"{_FRAMES[self._frame % len(_FRAMES)]} ", style="cyan")
            line.append(one_line(running.name, 60), style="bold")
            line.append(f"  {one_line(running.doing or running.summary, 200)}")
            line.append(f"  {span(elapsed_s(running.since, now))}", style="dim")
            lines.append(line)
        return lines

    def _footer(self, scene: Scene, state: str) -> Text:
        totals = scene.totals
        parts = [state, *([f"{len(scene.background)} in the background"] if scene.background else [])]
        if totals.turns:
            parts.append(f"{count(totals.input_tokens)} in, {count(totals.output_tokens)} out")
            parts.append(dollars(totals.cost_microusd))
        parts.append("m message, Ctrl-C leave")
        return Text(" · ".join(parts), style="dim", no_wrap=True, overflow="ellipsis")

    def close(self) -> None:
        """Take the live region away; what was printed stays."""
        self._live.stop()

    def reopen(self) -> None:
        """Bring the live region back."""
        self._live.start()


def _tail(writing: str) -> list[str]:
    return [one_line(line, 200) for line in writing.split("\n")[-3:] if line.strip()] if writing else []


def _diff_style(line: str) -> str:
    return {"+ ": "green", "- ": "red", "$ ": "bold"}.get(line[:2], "")
