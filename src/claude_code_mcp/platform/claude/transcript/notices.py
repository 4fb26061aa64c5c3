"""What Claude Code says to the model in the user's name: task notifications, commands, interruptions."""

import re
from dataclasses import dataclass

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip

INTERRUPTED = "[Request interrupted by user"
_NOTICE = "<task-notification>"
_OUTPUT = ("<local-command-stdout>", "<local-command-stderr>", "<bash-stdout>", "<bash-stderr>")
_TAG = re.compile(r"<(task-id|tool-use-id|output-file|status|summary|subagent_tokens|tool_uses|duration_ms)>([^<]*)</")
_RESULT = re.compile(r"<result>(.*?)</result>", re.S)
_COMMAND = re.compile(r"<command-name>([^<]{0,200})</command-name>")
_ARGUMENTS = re.compile(r"<command-args>(.*?)</command-args>", re.S)
_SHELL = re.compile(r"<bash-input>(.*?)</bash-input>", re.S)
_LOOKED_AT = 64 * 1024


@dataclass(frozen=True, slots=True)
class TaskNotice:
    """The end of a background task or subagent, as Claude Code tells the model of it."""

    task_id: str
    tool_use_id: str = ""
    status: str = ""
    summary: str = ""
    output_file: str = ""
    result: str = ""
    subagent: bool = False
    total_tokens: int = 0
    tool_uses: int = 0
    duration_ms: int = 0


def task_notice(text: str) -> TaskNotice | None:
    """Return the notification in `text`, None where it is none."""
    start = text.find(_NOTICE, 0, _LOOKED_AT)
    if start < 0:
        return None
    text = text[start : start + _LOOKED_AT]
    # What the task itself says may hold anything, so the fields are looked for outside of it.
    result = _RESULT.search(text)
    around = text[: result.start()] + text[result.end() :] if result else text
    fields: dict[str, str] = {}
    for name, value in _TAG.findall(around):
        fields.setdefault(name, value.strip())
    task_id = fields.get("task-id", "")
    if not task_id or len(task_id) > 200 or not task_id.isprintable():
        return None
    return TaskNotice(
        task_id=task_id,
        tool_use_id=fields.get("tool-use-id", "")[:200],
        status=fields.get("status", "")[:200],
        summary=clip(fields.get("summary", ""), NOTE_BYTES)[0],
        output_file=fields.get("output-file", "")[:4096],
        result=clip(result.group(1), NOTE_BYTES)[0] if result else "",
        subagent="subagent_tokens" in fields,
        total_tokens=_number(fields.get("subagent_tokens", "")),
        tool_uses=_number(fields.get("tool_uses", "")),
        duration_ms=_number(fields.get("duration_ms", "")),
    )


def command(text: str) -> tuple[str, str]:
    """Return the slash or shell command in `text` and which of both it is; two empty words where it is neither."""
    if text.startswith("<bash-input>") and (shell := _SHELL.match(text)):
        return f"!{shell.group(1)}", "shell"
    named = _COMMAND.search(text, 0, _LOOKED_AT) if text.startswith("<command-") else None
    if named is None:
        return "", ""
    arguments = _ARGUMENTS.search(text, 0, _LOOKED_AT)
    return f"{named.group(1)} {arguments.group(1) if arguments else ''}".strip(), "command"


def is_output(text: str) -> bool:
    """Tell whether `text` is what a local command printed."""
    return text.startswith(_OUTPUT)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
