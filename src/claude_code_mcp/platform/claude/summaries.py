"""A tool call in one line: what a person needs to recognise it, without secrets and control characters."""

from typing import Any

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.redaction import redact

_LIMIT = 120
_TELLING = (
    "command", "file_path", "notebook_path", "path", "pattern", "url", "query", "description", "prompt", "skill",
    "subject", "plan", "task_id", "name", "text",
)  # fmt: skip
"""Arguments that say most about a call, the best first."""


def summary(name: str, arguments: Any) -> str:
    """Return what the call of tool `name` is about, at most 120 characters; "" where nothing can be said."""
    if not isinstance(arguments, dict):
        return ""
    questions = arguments.get("questions")
    if isinstance(questions, list) and questions and isinstance(questions[0], dict):
        arguments = {"text": questions[0].get("question")}
    telling = ("description", *_TELLING) if name in ("Agent", "Task") else _TELLING
    for key in telling:
        value = arguments.get(key)
        if isinstance(value, str) and value.strip():
            return one_line(redact(value[: _LIMIT * 8]), _LIMIT)
    parts = [f"{key}={value}" for key, value in list(arguments.items())[:6] if isinstance(value, (str, int, float))]
    return one_line(redact(" ".join(part[: _LIMIT * 4] for part in parts)), _LIMIT)


def mcp_parts(name: str) -> tuple[str, str]:
    """Return server and tool of an MCP tool's name (`mcp__<server>__<tool>`), two empty words for other tools."""
    if not name.startswith("mcp__"):
        return "", ""
    server, separator, tool = name[5:].partition("__")
    return (server, tool) if separator and server and tool else ("", "")
