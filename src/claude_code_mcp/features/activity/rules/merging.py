"""The written rule: which source is believed about what. Merging is taking the best claim, so order does not matter.

Every claim is a tuple that begins with the rank of its source and goes on with what was claimed; the greatest wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claude_code_mcp.kernel.events import Source

_STREAM, _TRANSCRIPT, _HOOK, _OTLP, _DAEMON = (
    Source.STREAM.value,
    Source.TRANSCRIPT.value,
    Source.HOOK.value,
    Source.OTLP.value,
    Source.DAEMON.value,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Sources from the most to the least believed, what decides between claims of one source, and why so."""

    order: tuple[str, ...]
    tie: str
    why: str


RULES: Mapping[str, Rule] = {
    "call.start": Rule(
        (_STREAM, _TRANSCRIPT, _OTLP, _HOOK, _DAEMON),
        "the earliest",
        "Stream and transcript carry the time that Claude Code wrote itself; a hook is stamped when it arrives.",
    ),
    "call.input": Rule(
        (_STREAM, _TRANSCRIPT, _HOOK, _OTLP, _DAEMON),
        "the greatest as text",
        "The model's own arguments; telemetry leaves them out unless it is told not to.",
    ),
    "call.end": Rule(
        (_STREAM, _TRANSCRIPT, _HOOK, _OTLP, _DAEMON),
        "the latest",
        "End, status, output and error are one claim, so that they belong together. The result that the model was given"
        " tells a refusal from a failure; hooks fire nothing for a refusal, telemetry only says whether it went well.",
    ),
    "call.ran": Rule(
        (_HOOK, _OTLP, _TRANSCRIPT, _STREAM, _DAEMON),
        "the longest",
        "Hooks and telemetry measure the tool alone; the others can only subtract two times.",
    ),
    "turn.start": Rule(
        (_TRANSCRIPT, _HOOK, _OTLP, _STREAM, _DAEMON),
        "the earliest",
        "The prompt's own line; the stream's first line of a turn carries no time and counts from when it was read.",
    ),
    "turn.prompt": Rule(
        (_TRANSCRIPT, _HOOK, _STREAM, _DAEMON, _OTLP),
        "the greatest as text",
        "The words as they were taken up; telemetry mostly hides them.",
    ),
    "turn.end": Rule(
        (_STREAM, _HOOK, _TRANSCRIPT, _OTLP, _DAEMON),
        "the latest",
        "The result line says how it ended and how long it took; a transcript has no line for the end of a turn.",
    ),
    "task.start": Rule(
        (_TRANSCRIPT, _HOOK, _STREAM, _OTLP, _DAEMON),
        "the earliest",
        "The subagent's own first line; stream lines about tasks carry no time.",
    ),
    "task.about": Rule(
        (_STREAM, _TRANSCRIPT, _HOOK, _OTLP, _DAEMON),
        "the greatest as text",
        "The stream names type, description and prompt in one line; a hook only the type.",
    ),
    "task.end": Rule(
        (_STREAM, _HOOK, _TRANSCRIPT, _OTLP, _DAEMON),
        "the latest",
        "The stream reports end, outcome and report together; a hook fires when the agent stops, before its report.",
    ),
    "tokens": Rule(
        (_STREAM, _TRANSCRIPT, _OTLP, _HOOK, _DAEMON),
        "added up, each answer once",
        "The result's own sum by model, subagents included; else each answer's final usage. One source a turn: two"
        " would count twice.",
    ),
    "cost": Rule(
        (_STREAM, _OTLP, _TRANSCRIPT, _HOOK, _DAEMON),
        "added up, each answer once",
        "As Claude Code counted it: stream and telemetry tell it, transcripts do not.",
    ),
    "title": Rule(
        (_STREAM, _TRANSCRIPT, _DAEMON, _HOOK, _OTLP),
        "the latest, whatever the source",
        "A title replaces the one before it.",
    ),
}
"""What is shown in docs/explanations/activity-tree.md; a test compares the two."""

SOURCES = (_STREAM, _TRANSCRIPT, _HOOK, _OTLP, _DAEMON)
"""All sources, in the order in which a node names them."""

_RANKS = {
    name: {source: len(rule.order) - place for place, source in enumerate(rule.order)} for name, rule in RULES.items()
}


@dataclass(frozen=True, slots=True)
class Ranks:
    """What the word of one source weighs, by what it is about; greater is better."""

    call_start: int
    call_input: int
    call_end: int
    call_ran: int
    turn_start: int
    turn_prompt: int
    turn_end: int
    task_start: int
    task_about: int
    task_end: int
    tokens: int
    cost: int
    bit: int


def ranks_of(source: str) -> Ranks:
    """Return what the word of `source` weighs; one that is not known weighs nothing."""
    weights = {name.replace(".", "_"): ranks.get(source, 0) for name, ranks in _RANKS.items() if name != "title"}
    return Ranks(bit=1 << SOURCES.index(source) if source in SOURCES else 0, **weights)


def names_of(bits: int) -> list[str]:
    """Return the sources whose bits are set."""
    return [name for place, name in enumerate(SOURCES) if bits >> place & 1]
