"""How an event reads in one line: for a model that follows a session, and for logs."""

from collections.abc import Callable, Mapping
from typing import Any

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.events import Recorded

WIDTH = 300
QUIET = frozenset(
    {
        "message.queued",
        "message.started",
        "message.completed",
        "session.state_changed",
        "commands.changed",
        "hook.started",
        "tool.started",
        "subagent.progressed",
        "task.progressed",
        "background.changed",
        "run.attached",
        "approval.opened",
    }
)
"""Kinds that say nothing which another line does not say better; full detail has them."""

Payload = Mapping[str, Any]


def line(event: Recorded) -> str | None:
    """Return `event` as one line, or None for a kind that compact detail leaves out."""
    if event.kind in QUIET:
        return None
    say = _LINES.get(event.kind)
    said = say(event.payload) if say is not None else _unknown(event.payload)
    indent = "  ↳ " if event.parent or event.agent_id else ""
    return f"#{event.seq} {indent}{event.kind}: {one_line(said, WIDTH)}".rstrip(": ")


def _seconds(payload: Payload) -> str:
    duration = payload.get("duration_ms")
    return f" ({duration / 1000:.1f} s)" if isinstance(duration, (int, float)) else ""


def _said(payload: Payload) -> str:
    return f"{payload.get('role', '')}: {payload.get('text', '')}"


def _tool(payload: Payload) -> str:
    return f"{payload.get('name', '')} {payload.get('summary', '')}{_seconds(payload)} → {payload.get('output', '')}"


def _denied(payload: Payload) -> str:
    return f"{payload.get('name', '')} was denied: {payload.get('reason') or payload.get('output', '')}"


def _asked(payload: Payload) -> str:
    return f"{payload.get('name', '')} {payload.get('summary', '')} (approval_list shows the question)"


def _turn(payload: Payload) -> str:
    end = "ok" if payload.get("ok") else f"FAILED {payload.get('subtype', '')} {payload.get('errors', '')}"
    return f"{end}{_seconds(payload)} {payload.get('result', '')}"


def _began(payload: Payload) -> str:
    return f"{payload.get('model', '')} {payload.get('permission_mode', '')}"


def _retry(payload: Payload) -> str:
    status = payload.get("status") or payload.get("error", "")
    wait = payload.get("delay_ms", 0) / 1000
    return f"{status}, attempt {payload.get('attempt')}/{payload.get('max_retries')}, next in {wait:.1f} s"


def _subagent(payload: Payload) -> str:
    words = (payload.get(name, "") for name in ("agent_type", "description", "status", "summary"))
    return " ".join(str(word) for word in words if word)


def _exit(payload: Payload) -> str:
    words = [str(payload.get("outcome", ""))]
    words += [f"{name} {payload[name]}" for name in ("code", "signal", "reason", "stderr") if payload.get(name)]
    return ", ".join(words)


def _unknown(payload: Payload) -> str:
    return ", ".join(f"{name}={value}" for name, value in payload.items() if value not in ("", None, [], {}))


_LINES: Mapping[str, Callable[[Payload], str]] = {
    "message.said": _said,
    "message.submitted": lambda payload: str(payload.get("text", "")),
    "thinking.finished": lambda payload: str(payload.get("text", "")),
    "tool.finished": _tool,
    "tool.failed": _tool,
    "tool.denied": _denied,
    "approval.asked": _asked,
    "approval.answered": lambda payload: (
        f"{payload.get('tool', '')}: {payload.get('decision', '')}, by {payload.get('by', '')}"
    ),
    "approval.closed": lambda payload: f"{payload.get('how', '')} without an answer",
    "turn.started": _began,
    "turn.finished": _turn,
    "api.retried": _retry,
    "subagent.started": _subagent,
    "subagent.finished": _subagent,
    "task.started": _subagent,
    "task.finished": _subagent,
    "run.exited": _exit,
    "notice.shown": lambda payload: str(payload.get("text", "")),
}
