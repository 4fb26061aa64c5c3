"""The last lines of a watched session: how it went, what it used, what to type next; and the same as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from claude_code_mcp.kernel.display import visible
from claude_code_mcp.surfaces.cli.exits import Exit
from claude_code_mcp.surfaces.cli.follow import Ending
from claude_code_mcp.surfaces.cli.scene import Scene, count, dollars, span


def exit_code(ending: Ending) -> int:
    """Return what the shell is told about a watched session."""
    if ending.left == "interrupted" or ending.aborted:
        return Exit.INTERRUPTED
    if ending.left == "detached":
        return Exit.OK
    ok = ending.outcome is not None and ending.outcome.get("ok") is True
    return Exit.CLAUDE_ERROR if ending.status == "failed" or (ending.outcome is not None and not ok) else Exit.OK


def as_json(session_id: str, run_id: str | None, ending: Ending) -> dict[str, Any]:
    """Return what `--json` prints: the handle, the state, and how the last turn ended."""
    return {
        "session_id": session_id,
        "run_id": run_id,
        "status": ending.status,
        "cursor": ending.cursor,
        "left": ending.left,
        "outcome": ending.outcome,
        "needs": ending.needs or [],
    }


def answer_lines(ending: Ending) -> list[str]:
    """Return the final text, whole, for screens that show events in one line each."""
    answer = None if ending.left else (ending.outcome or {}).get("answer")
    return ["", *visible(answer).split("\n")] if isinstance(answer, str) and answer else []


def closing_lines(session_id: str, ending: Ending, scene: Scene, *, last: bool = False) -> list[str]:
    """Return how it went, what it used, and what to type next; a session that is the `last` has nothing next."""
    if ending.left:
        said = f"The session goes on without you ({ending.status or 'starting'})."
        rest = [f"{words} {session_id}" for words in ("attach", "sessions status", "sessions abort")]
        return ["", said, *([] if last else _next(rest))]
    lines = ["", f"{_verdict(ending)}  {', '.join(_figures(scene))}", f"   session {session_id}"]
    more = [f"resume {session_id} 'what next'", f"sessions status {session_id}"]
    return [*lines, *([] if last else _next(more))]


def _verdict(ending: Ending) -> str:
    outcome = ending.outcome or {}
    if ending.status == "failed":
        return "✗ failed"
    if ending.status == "stopped":
        return "■ stopped"
    if not outcome:
        return "■ at rest"
    return "✓ done" if outcome.get("ok") is True else f"✗ {_reason(outcome)}"


def _reason(outcome: Mapping[str, Any]) -> str:
    errors = outcome.get("errors")
    said = "; ".join(str(error) for error in errors) if isinstance(errors, list) else ""
    return f"{outcome.get('subtype') or 'error'}{f': {said}' if said else ''}"


def _figures(scene: Scene) -> list[str]:
    totals = scene.totals
    tools = _several(totals.tools, "tool")
    bad = [f"{number} {word}" for number, word in ((totals.failed, "failed"), (totals.denied, "denied")) if number]
    return [
        *([_several(totals.turns, "turn")] if totals.turns > 1 else []),
        f"{tools} ({', '.join(bad)})" if bad else tools,
        *([_several(totals.subagents, "subagent")] if totals.subagents else []),
        f"{count(totals.input_tokens)} tokens in, {count(totals.output_tokens)} out",
        dollars(totals.watched_cost_microusd),
        span(totals.duration_ms / 1000),
    ]


def _several(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _next(calls: Sequence[str]) -> list[str]:
    return [f"   next  claude-code-mcp {call}" for call in calls]
