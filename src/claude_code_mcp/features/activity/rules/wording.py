"""Calls, results and prompts in one short line: what a person needs to recognise them, without secrets."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.redaction import redact
from claude_code_mcp.platform.claude.summaries import summary

_LIMIT = 120
_PROMPT_LIMIT = 80
_LOOKED_AT = 2000
_NOTICE = re.compile(r"<summary>([^<]{1,400})</summary>")
_TOLD_BEFORE = re.compile(r"\s*<tools-used-before-summary>[^<]*</tools-used-before-summary>\s*")
_WRAPPED = re.compile(r"</?tool_use_error>")


def short(text: str) -> str:
    """Return `text` as one line of at most 120 characters, without secrets."""
    return one_line(redact(text[:_LOOKED_AT]), _LIMIT) if text else ""


def prompt_of(text: str) -> str:
    """Return a prompt as the name of its turn; what Claude Code says in a person's name is called what it is."""
    if text.startswith("<task-notification>"):
        told = _NOTICE.search(text, 0, 4000)
        return one_line(redact(told.group(1)), _PROMPT_LIMIT) if told else "Background work ended"
    return one_line(redact(text[:_LOOKED_AT]), _PROMPT_LIMIT)


def error_of(text: str) -> str:
    """Return why something failed, in one line."""
    return short(_WRAPPED.sub("", text[:_LOOKED_AT]))


def report_of(text: str) -> str:
    """Return a subagent's report in one line, without what Claude Code puts before it."""
    return short(_TOLD_BEFORE.sub("", text[:_LOOKED_AT]))


def purpose_of(given: object) -> str:
    """Return what the model says a call is for."""
    what = given.get("description") if isinstance(given, dict) else None
    return short(what) if isinstance(what, str) else ""


def input_of(name: str, given: object) -> str:
    """Return what a call is about, in the form of its tool: file and lines, command, url, query."""
    if not isinstance(given, dict):
        return ""
    told = _INPUTS.get(name)
    words = told(given) if told is not None else ""
    return short(words) if words else summary(name, given)


def output_of(name: str, payload: Mapping[str, Any]) -> str:
    """Return what a call gave, in one line."""
    output = payload.get("output", "")
    text = output if isinstance(output, str) else ""
    added, removed = payload.get("lines_added", 0), payload.get("lines_removed", 0)
    if added or removed:
        return f"+{added} -{removed} lines"
    images = payload.get("images", 0)
    if images and not text:
        return f"{images} image{'s' if images > 1 else ''}"
    lines = text.count("\n") + 1 if text else 0
    if name == "Read" and lines:
        cut = "more than " if payload.get("output_bytes") else ""
        return f"{cut}{lines} line{'s' if lines > 1 else ''}"
    first = text.lstrip()[:_LOOKED_AT]
    return f"{short(first.partition(chr(10))[0])} (+{lines - 1} lines)" if lines > 1 and first else short(first)


def _file(given: Mapping[str, Any]) -> str:
    return _text(given, "file_path") or _text(given, "notebook_path") or _text(given, "path")


def _read(given: Mapping[str, Any]) -> str:
    start, count = given.get("offset"), given.get("limit")
    if isinstance(start, int) and isinstance(count, int):
        return f"file: {_file(given)}, lines: {start}-{start + count - 1}"
    if isinstance(count, int):
        return f"file: {_file(given)}, lines: 1-{count}"
    return f"file: {_file(given)}, from line {start}" if isinstance(start, int) else f"file: {_file(given)}"


def _written(given: Mapping[str, Any]) -> str:
    content = _text(given, "content")
    lines = content.count("\n") + (bool(content) and not content.endswith("\n"))
    return f"file: {_file(given)}, {lines} line{'' if lines == 1 else 's'}"


def _searched(given: Mapping[str, Any]) -> str:
    where = _text(given, "path") or _text(given, "glob")
    return f"pattern: {_text(given, 'pattern')}" + (f", in: {where}" if where else "")


def _named(field: str, label: str) -> Callable[[Mapping[str, Any]], str]:
    def told(given: Mapping[str, Any]) -> str:
        value = _text(given, field)
        return f"{label}: {value}" if value else ""

    return told


def _text(given: Mapping[str, Any], field: str) -> str:
    value = given.get(field)
    return value[:_LOOKED_AT] if isinstance(value, str) else ""


_INPUTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "Read": _read,
    "Edit": lambda given: f"file: {_file(given)}",
    "MultiEdit": lambda given: f"file: {_file(given)}",
    "NotebookEdit": lambda given: f"file: {_file(given)}",
    "Write": _written,
    "Grep": _searched,
    "Glob": _searched,
    "Bash": _named("command", "command"),
    "WebFetch": _named("url", "url"),
    "WebSearch": _named("query", "query"),
    "ToolSearch": _named("query", "query"),
    "Skill": _named("skill", "skill"),
}
