"""Kinds of events that say what was seen of a session from outside; its own output says the same, and says it first."""

from collections.abc import Mapping

TWICE = frozenset({"hook", "otlp"})
"""Sources whose events repeat what the output of a session of ours says."""
QUIET = (
    "session.opened",
    "session.closed",
    "process.gone",
    "process.measured",
    "prompt.taken",
    "turn.stopped",
    "model.answered",
    "cost.counted",
    "agent.linked",
    "tool.blocked",
    "person.needed",
)


def repeats(event: Mapping[str, object]) -> bool:
    """Tell whether `event` only repeats what the session's own output said."""
    return event.get("source") in TWICE
