"""An approval as a person is shown it: what is asked, with which input, and what would allow it for good."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from claude_code_mcp.kernel.display import one_line, visible


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with its options (label, description)."""

    question: str
    options: tuple[tuple[str, str], ...]
    several: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What waits for a person. `kind` is `permission`, `question` or `plan`; `rules` say what `always` would mean."""

    approval_id: str
    kind: str
    tool: str
    input: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    summary: str = ""

    @property
    def plan(self) -> str:
        """The plan that is to be carried out, where its text came along."""
        plan = self.input.get("plan") if self.kind == "plan" else None
        return plan if isinstance(plan, str) else ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The questions of AskUserQuestion; none where the input does not have that shape."""
        return tuple(_choices(self.input))

    def body(self) -> list[str]:
        """Return all of the input as visible lines."""
        return list(input_lines(self.tool, self.input))


def _choices(asked: Mapping[str, Any]) -> Iterator[Choice]:
    questions = asked.get("questions")
    for question in questions if isinstance(questions, list) else []:
        if not isinstance(question, dict):
            continue
        options = question.get("options")
        yield Choice(
            str(question.get("question") or ""),
            tuple(
                (str(option.get("label") or ""), str(option.get("description") or ""))
                for option in (options if isinstance(options, list) else [])[:9]
                if isinstance(option, dict)
            ),
            several=question.get("multiSelect") is True,
        )


def input_lines(tool: str, asked: Mapping[str, Any]) -> Iterator[str]:
    """Yield the whole input of a tool as visible lines: a command as such, a change as a diff, else by field."""
    if tool in {"Edit", "MultiEdit"} and "old_string" in asked:
        yield from _field("file", asked.get("file_path"))
        yield from _marked("- ", asked.get("old_string"))
        yield from _marked("+ ", asked.get("new_string"))
        rest = {key: value for key, value in asked.items() if key not in {"file_path", "old_string", "new_string"}}
    elif tool == "Write" and "content" in asked:
        yield from _field("file", asked.get("file_path"))
        yield from _marked("+ ", asked.get("content"))
        rest = {key: value for key, value in asked.items() if key not in {"file_path", "content"}}
    elif tool == "Bash" and "command" in asked:
        yield from _marked("$ ", asked.get("command"))
        rest = {key: value for key, value in asked.items() if key != "command"}
    else:
        rest = dict(asked)
    for key, value in rest.items():
        yield from _field(key, value)


def _marked(mark: str, value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    for line in visible(text).removesuffix("\n").split("\n"):
        yield f"{mark}{line}"


def _field(key: str, value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
    first, *rest = visible(text).split("\n")
    yield f"{one_line(key, 60)}: {first}"
    yield from (f"  {line}" for line in rest)
