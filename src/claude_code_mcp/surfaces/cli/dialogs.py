"""What a person may answer on screen: each dialog is fed keys and says, in the end, what was decided.

Dialogs hold no terminal and draw nothing: `lines()` is what they show now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.surfaces.cli.questions import Choice, Question

_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person answers to one approval; `always` is for all that is like it, by the suggested rule."""

    allow: bool
    message: str = ""
    always: bool = False
    answers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class EditInput:
    """The person wants to change the input before it is allowed."""


@dataclass(frozen=True, slots=True)
class ShowAll:
    """The person wants to see all of the input."""


@dataclass(frozen=True, slots=True)
class Leave:
    """What the person wants after Ctrl-C: `detach`, `interrupt`, `stop`, or `` to stay."""

    how: str


@dataclass(frozen=True, slots=True)
class Send:
    """A message for the session."""

    text: str


Decided = Decision | EditInput | ShowAll | Leave | Send


class Dialog(Protocol):
    """A question on the screen."""

    def feed(self, key: str) -> Decided | None:
        """Take one key; return what was decided, or None while it is not."""
        ...

    def lines(self) -> list[str]:
        """Return what to show."""
        ...


class LineEditor:
    """One line of text being typed."""

    def __init__(self) -> None:
        self.text = ""

    def feed(self, key: str) -> bool:
        """Take one key; tell whether the line is finished."""
        if key == "enter":
            return True
        if key == "backspace":
            self.text = self.text[:-1]
        elif key == "clear":
            self.text = ""
        elif len(key) == 1 and len(self.text) < _LIMIT:
            self.text += key
        return False


class PermissionDialog:
    """May this tool run? Also for a plan: may it be carried out?"""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._reason: LineEditor | None = None

    def feed(self, key: str) -> Decided | None:
        """Take one key."""
        if self._reason is not None:
            return self._type_reason(self._reason, key)
        return self._menu(key)

    def _menu(self, key: str) -> Decided | None:
        if key == "y":
            return Decision(allow=True)
        if key == "a" and self._question.rules:
            return Decision(allow=True, always=True)
        if key == "e" and self._question.kind == "permission":
            return EditInput()
        if key == "v":
            return ShowAll()
        if key == "n":
            self._reason = LineEditor()
        return None

    def _type_reason(self, reason: LineEditor, key: str) -> Decided | None:
        if key == "esc":
            self._reason = None
        elif reason.feed(key):
            return Decision(allow=False, message=reason.text.strip())
        return None

    def lines(self) -> list[str]:
        """Return the menu, or the line that is being typed."""
        if self._reason is not None:
            return [f"Why not? (Enter sends, Esc goes back) {self._reason.text}▏"]
        always = "   a always" if self._question.rules else ""
        edit = "   e edit" if self._question.kind == "permission" else ""
        what = "Carry out this plan?" if self._question.kind == "plan" else f"Allow {self._question.tool}?"
        rules = [one_line(f"always means: {'; '.join(self._question.rules)}", 300)] if always else []
        return [f"{what}   y yes   n no{always}{edit}   v view all", *rules]


class ChoiceDialog:
    """Questions of Claude's with numbered answers, one after the other."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        self._choices = choices
        self._answers: dict[str, str] = {}
        self._picked: list[str] = []
        self._own: LineEditor | None = None
        self._refusing = False

    @property
    def _now(self) -> Choice:
        return self._choices[len(self._answers)]

    def feed(self, key: str) -> Decided | None:
        """Take one key."""
        if self._own is not None:
            return self._type(self._own, key)
        if key == "n":
            self._own, self._refusing = LineEditor(), True
        elif key == "o":
            self._own = LineEditor()
        elif key == "enter" and self._picked:
            return self._answer(", ".join(self._picked))
        elif key.isdecimal() and key.isascii() and 1 <= int(key) <= len(self._now.options):
            return self._pick(self._now.options[int(key) - 1][0])
        return None

    def _pick(self, label: str) -> Decided | None:
        if not self._now.several:
            return self._answer(label)
        if label in self._picked:
            self._picked.remove(label)
        else:
            self._picked.append(label)
        return None

    def _type(self, own: LineEditor, key: str) -> Decided | None:
        if key == "esc":
            self._own, self._refusing = None, False
        elif own.feed(key):
            if self._refusing:
                return Decision(allow=False, message=own.text.strip())
            if own.text.strip():
                self._own = None
                return self._answer(own.text.strip())
        return None

    def _answer(self, text: str) -> Decided | None:
        self._answers[self._now.question] = text
        self._picked = []
        if len(self._answers) < len(self._choices):
            return None
        return Decision(allow=True, answers=dict(self._answers))

    def lines(self) -> list[str]:
        """Return the question with its options, or the line that is being typed."""
        if self._own is not None:
            what = "Why not?" if self._refusing else "Your answer:"
            return [f"{what} (Enter sends, Esc goes back) {self._own.text}▏"]
        choice = self._now
        marks = [("◉ " if label in self._picked else "○ ") if choice.several else "" for label, _ in choice.options]
        options = [
            f"  {number}  {mark}{one_line(f'{label}  {note}', 100)}"
            for number, (mark, (label, note)) in enumerate(zip(marks, choice.options, strict=True), 1)
        ]
        end = "numbers mark, Enter sends" if choice.several else "a number answers"
        return [one_line(choice.question, 400), *options, f"{end}   o other answer   n do not answer"]


class LeaveDialog:
    """Ctrl-C was pressed: what now?"""

    _KEYS: ClassVar[Mapping[str, str]] = {
        "d": "detach",
        "i": "interrupt",
        "s": "stop",
        "c": "",
        "esc": "",
        "end": "detach",
    }

    def feed(self, key: str) -> Decided | None:
        """Take one key."""
        return Leave(self._KEYS[key]) if key in self._KEYS else None

    def lines(self) -> list[str]:
        """Return the menu."""
        return [
            "d detach, it goes on without you   i interrupt this turn   s stop the session   c continue watching",
            "Ctrl-C again detaches at once.",
        ]


@dataclass(slots=True)
class MessageDialog:
    """A message to the running session is being typed."""

    editor: LineEditor = field(default_factory=LineEditor)

    def feed(self, key: str) -> Decided | None:
        """Take one key."""
        if key == "esc":
            return Leave("")
        if self.editor.feed(key):
            return Send(self.editor.text.strip()) if self.editor.text.strip() else Leave("")
        return None

    def lines(self) -> list[str]:
        """Return the line that is being typed."""
        return [f"Message (Enter sends, Esc goes back) {self.editor.text}▏"]
