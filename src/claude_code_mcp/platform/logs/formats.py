"""How a log record is written: as one line of JSON for programs, or as one readable line for a terminal."""

import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.display import visible

Redact = Callable[[str], str]
"""Takes secrets out of a text."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST = 32 * 1024
_DEEPEST = 6


class JsonLines(logging.Formatter):
    """One JSON object a line: `at` (UTC), `level`, `logger`, `message`, the fields given as `extra`, `error`.

    All but ASCII is written as an escape, so whatever a prompt or a tool put into a message can neither begin a
    line of its own nor move a cursor. Texts are redacted before they are escaped, and cut at 32 Ki characters.
    """

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`, without its newline."""
        line: dict[str, Any] = {
            "at": stamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._text(_message(record)),
        }
        for name, value in _fields(record).items():
            line[name if name not in line else f"{name}_"] = self._plain(value, 0)
        error = _error(record)
        if error:
            line["error"] = self._text(error)
        return json.dumps(line, ensure_ascii=True, allow_nan=False, separators=(",", ":"))

    def _text(self, text: str) -> str:
        clean = self._redact(text)
        return clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]}… ({len(clean)} characters)"

    def _plain(self, value: Any, depth: int) -> Any:
        """Return `value` as JSON can say it; what it cannot say is written as text."""
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, dict) and depth < _DEEPEST:
            return {self._text(str(key)): self._plain(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
            return [self._plain(inner, depth + 1) for inner in value]
        if isinstance(value, float):
            return value if value - value == 0 else str(value)
        return self._text(value if isinstance(value, str) else _shown(value))


class Readable(logging.Formatter):
    """`04:20:00 INFO sessions: message (field=value)` for a person; a traceback follows on lines of its own.

    Control characters are made visible, so nothing in a message acts on the terminal.
    """

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the text for `record`, without its last newline."""
        at = datetime.fromtimestamp(record.created).astimezone()
        fields = ", ".join(f"{name}={_shown(value)}" for name, value in _fields(record).items())
        text = f"{_message(record)} ({fields})" if fields else _message(record)
        name = record.name.removeprefix("claude_code_mcp.")
        lines = [f"{at:%H:%M:%S} {record.levelname} {name}: {self._line(text)}"]
        lines += [f"  | {self._line(line)}" for line in _error(record).splitlines()]
        return "\n".join(lines)

    def _line(self, text: str) -> str:
        clean = visible(self._redact(text)).replace("\n", "\\n")
        return clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]}… ({len(clean)} characters)"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as exc:  # noqa: BLE001  (a wrong log call must not take down what it reports about)
        return f"{record.msg!r} % {record.args!r} does not fit: {exc!r}"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and not name.startswith("_")}


def _error(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[1] is not None:
        parts.append("".join(traceback.format_exception(record.exc_info[1])).rstrip())
    elif record.exc_text:
        parts.append(record.exc_text)
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)


def _shown(value: Any) -> str:
    try:
        return str(value)
    except Exception as exc:  # noqa: BLE001  (as above: some object's own __str__ may fail)
        return f"<{type(value).__name__} that cannot be shown: {type(exc).__name__}>"
