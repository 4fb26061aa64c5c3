"""What an answer must be to fit its question, and how a question reads."""

from collections.abc import Mapping
from typing import Any

from claude_code_mcp.features.approvals.errors import BadAnswer
from claude_code_mcp.features.approvals.models import AnswerApproval, Approval, Decision, Kind

_KINDS: Mapping[str, Kind] = {"AskUserQuestion": Kind.QUESTION, "ExitPlanMode": Kind.PLAN}


def kind_of(tool: str) -> Kind:
    """Return what a question about `tool` is."""
    return _KINDS.get(tool, Kind.PERMISSION)


def rules_of(suggestions: list[Any]) -> list[str]:
    """Return in words what Claude Code suggests to allow from now on (permission updates of its control protocol)."""
    said: list[str] = []
    for update in suggestions:
        if not isinstance(update, dict):
            continue
        where = f" ({update['destination']})" if update.get("destination") else ""
        if update.get("type") == "setMode":
            said.append(f"mode {update.get('mode')}{where}")
        elif update.get("type") == "addDirectories":
            said.append(f"directories {', '.join(map(str, update.get('directories') or []))}{where}")
        for rule in update.get("rules") or []:
            if isinstance(rule, dict):
                content = f"({rule['ruleContent']})" if rule.get("ruleContent") else ""
                said.append(f"{update.get('behavior', 'allow')} {rule.get('toolName')}{content}{where}")
    return said


def lasting(suggestions: list[Any]) -> list[Any]:
    """Return the suggestion that `always` takes: the rules, else the first of all.

    A change of the permission mode would allow far more than what was asked, so it is never taken along.
    """
    rules = [update for update in suggestions if isinstance(update, dict) and update.get("type") == "addRules"]
    return rules or suggestions[:1]


def check(approval: Approval, wish: AnswerApproval) -> None:
    """Return when `wish` fits the question.

    Raises:
        BadAnswer: it does not.
    """
    if wish.decision is Decision.ALWAYS and not approval.suggestions:
        raise BadAnswer("Claude Code suggests no rule for this question.", remedy="Answer allow instead.")
    if wish.decision is Decision.DENY and (wish.input is not None or wish.answers is not None):
        raise BadAnswer("A denial takes no input and no answers.", remedy="Give a message instead.")
    if wish.decision is not Decision.DENY and wish.interrupt:
        raise BadAnswer("Only a denial can interrupt.", remedy="Use claude_abort to end the turn.")
    if approval.kind is Kind.QUESTION and wish.decision is not Decision.DENY:
        _check_answers(approval, wish)
    elif wish.answers is not None:
        raise BadAnswer(f"{approval.tool} asks no questions.", remedy="Leave `answers` out.")


def _check_answers(approval: Approval, wish: AnswerApproval) -> None:
    asked = questions(approval.input)
    given = wish.answers or {}
    missing = [text for text in asked if text not in given]
    if missing:
        raise BadAnswer(
            f"These questions have no answer: {'; '.join(missing)}",
            remedy="Give `answers`: question text to answer.",
        )
    unknown = [text for text in given if text not in asked]
    if unknown:
        raise BadAnswer(f"Nobody asked: {'; '.join(unknown)[:300]}", remedy=f"Asked was: {'; '.join(asked)[:500]}")


def questions(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the questions of an AskUserQuestion input, each with the labels of its options."""
    found: dict[str, list[str]] = {}
    listed = body.get("questions")
    for question in listed if isinstance(listed, list) else []:
        if isinstance(question, dict) and isinstance(question.get("question"), str):
            options = question.get("options")
            labels = [str(option.get("label")) for option in options or [] if isinstance(option, dict)]
            found[question["question"]] = labels
    return found


def form(approval: Approval) -> tuple[str, dict[str, Any]]:
    """Return the message and the flat schema with which a person is asked (MCP elicitation, form mode)."""
    if approval.kind is Kind.QUESTION:
        fields = {f"q{number}": _field(text, labels) for number, (text, labels) in _numbered(approval)}
        return "Claude Code asks:", {"type": "object", "properties": fields, "required": list(fields)}
    choices = [decision.value for decision in Decision if decision is not Decision.ALWAYS or approval.suggestions]
    properties: dict[str, Any] = {
        "decision": {"type": "string", "enum": choices, "title": "Decision"},
        "message": {"type": "string", "title": "Reason, if you deny"},
    }
    rules = "; ".join(rules_of(lasting(approval.suggestions)))
    always = f"\n`always` means: {rules}" if rules else ""
    ask = f"Claude Code wants to use {approval.tool}: {approval.summary}{always}"
    return ask, {"type": "object", "properties": properties, "required": ["decision"]}


def from_form(approval: Approval, filled: Mapping[str, Any]) -> AnswerApproval:
    """Return the answer that a filled form stands for.

    Raises:
        BadAnswer: it was not filled as it asks.
    """
    if approval.kind is Kind.QUESTION:
        answers = {text: str(filled.get(f"q{number}", "")) for number, (text, _) in _numbered(approval)}
        return AnswerApproval(approval_id=approval.id, decision=Decision.ALLOW, answers=answers)
    try:
        decision = Decision(str(filled.get("decision")))
    except ValueError:
        raise BadAnswer("The form gives no decision.") from None
    message = str(filled["message"]) if decision is Decision.DENY and filled.get("message") else None
    return AnswerApproval(approval_id=approval.id, decision=decision, message=message)


def _numbered(approval: Approval) -> list[tuple[int, tuple[str, list[str]]]]:
    return list(enumerate(questions(approval.input).items(), start=1))


def _field(text: str, labels: list[str]) -> dict[str, Any]:
    field: dict[str, Any] = {"type": "string", "title": text}
    return {**field, "enum": labels} if labels else field
