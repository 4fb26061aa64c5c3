"""Which question is put to the person, and the answer as the operation wants it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from claude_code_mcp.surfaces.cli.dialogs import ChoiceDialog, Decision, Dialog, PermissionDialog
from claude_code_mcp.surfaces.cli.questions import Question

LIST_OP, ANSWER_OP = "approvals.list", "approvals.answer"


def question_of(approval: Mapping[str, Any]) -> Question:
    """Return an approval, as the daemon describes it, as what is shown."""
    asked = approval.get("input")
    rules = approval.get("rules")
    return Question(
        approval_id=str(approval.get("approval_id")),
        kind=str(approval.get("kind") or "permission"),
        tool=str(approval.get("tool") or "a tool"),
        input=asked if isinstance(asked, dict) else {},
        rules=tuple(str(rule) for rule in rules) if isinstance(rules, list) else (),
        summary=str(approval.get("summary") or ""),
    )


def dialog_for(question: Question) -> Dialog:
    """Return the dialog that gets an answer to `question`."""
    if question.kind == "question" and question.choices and all(choice.options for choice in question.choices):
        return ChoiceDialog(question.choices)
    return PermissionDialog(question)


def first_choices(question: Question) -> Decision:
    """Return what `--yes` answers: allow, and of numbered answers the first."""
    answers = {choice.question: choice.options[0][0] for choice in question.choices if choice.options}
    return Decision(allow=True, answers=answers or None)


def answer_args(question: Question, decision: Decision, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the arguments of the operation that gives `decision`; `changed` is an input edited by the person."""
    args: dict[str, Any] = {"approval_id": question.approval_id, "decision": "allow" if decision.allow else "deny"}
    if decision.always:
        args["decision"] = "always"
    if decision.answers is not None:
        args["answers"] = dict(decision.answers)
    if decision.message:
        args["message"] = decision.message
    if changed is not None:
        args["input"] = dict(changed)
    return args


def how_to_answer(question: Question) -> list[str]:
    """Return what to type elsewhere to answer `question`."""
    call = f"claude-code-mcp approvals answer {question.approval_id}"
    if question.kind == "question":
        answers = {choice.question: choice.options[0][0] for choice in question.choices if choice.options}
        return [f"  answer with: {call} allow --answers '{json.dumps(answers, ensure_ascii=False)}'"]
    return [f"  answer with: {call} allow   or: {call} deny"]


@dataclass(slots=True)
class Asked:
    """The questions of a session: which are known, which one is on the screen."""

    known: dict[str, Question] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    open: Question | None = None
    dialog: Dialog | None = None

    def take(self, approvals: list[Mapping[str, Any]]) -> list[Question]:
        """Take what waits now; return those that were not known before."""
        waiting = {question.approval_id: question for question in map(question_of, approvals)}
        fresh = [question for key, question in waiting.items() if key not in self.known]
        self.known = waiting
        self.answered &= set(waiting)
        if self.open is not None and self.open.approval_id not in waiting:
            self.open = self.dialog = None
        return fresh

    def next(self) -> Question | None:
        """Return the question to put on the screen now, None where there is none or one is there."""
        if self.open is not None:
            return None
        left = (question for key, question in self.known.items() if key not in self.answered)
        self.open = next(left, None)
        self.dialog = dialog_for(self.open) if self.open is not None else None
        return self.open

    def close(self) -> Question | None:
        """Take the open question off the screen as answered, and return it."""
        closed, self.open, self.dialog = self.open, None, None
        if closed is not None:
            self.answered.add(closed.approval_id)
        return closed
