"""Transcripts of past sessions, looked at without reading them: some KB from both ends say who, where, when.

A transcript is `projects/<encoded cwd>/<session id>.jsonl`. Lines of it are never trusted to be whole or
well-formed.
"""

import mmap
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, path_of, text_of, time_of, word_of
from claude_code_mcp.platform.claude.redaction import redact
from claude_code_mcp.platform.claude.stream.turns import microusd

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 64 * 1024
_LOOKS_BACK = (TAIL_BYTES, 8 * TAIL_BYTES, 64 * TAIL_BYTES)
_ENCODED_LENGTH = 200
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PROMPT_LENGTH = 300
_MARKUP = ("<command-", "<local-command-", "<task-notification>", "<system-reminder>", "Caveat:")
_DECODE = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session as its transcript tells it, its fields "" or None where the ends of the file do not say.

    `cwd`: the directory that it began in. `title`: the name it was given. `first_prompt`, `last_prompt`: their
    beginnings, in one line and without secrets. `last_active_at`: its last line, or the file's time.
    `entrypoint`: "cli" for a terminal, "sdk-cli" for a host. `total_cost_microusd`: as Claude Code counted it
    when the session last ended.
    """

    session_id: SessionId
    path: Path
    size_bytes: int
    last_active_at: datetime
    cwd: str = ""
    title: str = ""
    first_prompt: str = ""
    last_prompt: str = ""
    started_at: datetime | None = None
    git_branch: str = ""
    version: str = ""
    entrypoint: str = ""
    total_cost_microusd: int | None = None


def encoded(path: str) -> str:
    """Return the folder name that Claude Code uses for a real path: all but ASCII letters and digits become dashes.

    It counts in UTF-16 units, so that an emoji is two dashes. A name longer than 200 is cut and gets a hash of
    the path (32 bits, base 36), as seen on 2.1.327. Different paths may have one name.
    """
    data = path.encode("utf-16-le", "surrogatepass")
    units = [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]
    name = "".join(chr(unit) if unit < 128 and chr(unit).isalnum() else "-" for unit in units)
    if len(name) <= _ENCODED_LENGTH:
        return name
    value = 0
    for unit in units:
        value = (value * 31 + unit) & 0xFFFFFFFF
    value = abs(value - (1 << 32) if value >= 1 << 31 else value)
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = _DIGITS[digit] + digits
    return f"{name[:_ENCODED_LENGTH]}-{digits or '0'}"


def peek(path: Path) -> PastSession | None:
    """Return what the ends of the transcript at `path` tell, None where it is none or holds no conversation."""
    if not is_uuid(path.stem) or path.suffix != ".jsonl":
        return None
    try:
        with path.open("rb") as file:
            info = os.fstat(file.fileno())
            head, tail = _ends(file.fileno(), info.st_size)
    except OSError:
        return None
    first = list(_lines(head))
    last = list(_lines(tail)) if tail else first
    if not any(line.get("type") in ("user", "assistant") for line in (*first, *last)):
        return None
    moments = [moment for line in last if (moment := time_of(line, "timestamp"))]
    return PastSession(
        session_id=SessionId(path.stem),
        path=path,
        size_bytes=info.st_size,
        last_active_at=max(moments, default=datetime.fromtimestamp(info.st_mtime, UTC)),
        cwd=next((word for line in (*first, *last) if (word := path_of(line, "cwd"))), ""),
        title=_title(last) or _title(first),
        first_prompt=next((prompt for line in first if (prompt := _prompt(line))), ""),
        last_prompt=_last_prompt(last),
        started_at=next((moment for line in first if (moment := time_of(line, "timestamp"))), None),
        git_branch=_latest(last, "gitBranch") or _latest(first, "gitBranch"),
        version=_latest(last, "version") or _latest(first, "version"),
        entrypoint=_latest(last, "entrypoint") or _latest(first, "entrypoint"),
        total_cost_microusd=_cost(last),
    )


def last_uuids(path: Path, limit: int = 20) -> list[str]:
    """Return the uuids of the last messages in a transcript, the newest last; those of its last 4 MB at most.

    Between two messages there may be 100 KB of what was sent to the model, so the look back grows as needed.
    """
    uuids: list[str] = []
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for back in _LOOKS_BACK:
                tail = os.pread(file.fileno(), back, max(0, size - back))
                whole = tail if back >= size else tail.partition(b"\n")[2]
                said = (line for line in _lines(whole) if line.get("type") in ("user", "assistant"))
                uuids = [uuid for line in said if (uuid := word_of(line, "uuid"))]
                if len(uuids) >= limit or back >= size:
                    break
    except OSError:
        return []
    return uuids[-limit:]


def taken_messages(path: Path, uuids: Collection[str]) -> set[str]:
    """Return which of the message `uuids` were taken up in the session: sending those again does nothing.

    Claude Code writes a message's uuid when it takes it up (as the line's own, or as the source of an
    attachment), not while it is queued.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # Inside a text the quotes would be escaped, so this finds whole values only.
            return {uuid for uuid in uuids if data.find(f'"{uuid}"'.encode()) >= 0}
    except (OSError, ValueError):
        return set()


def _ends(fd: int, size: int) -> tuple[bytes, bytes]:
    """Return the whole lines at the beginning and at the end; no end where the beginning is all."""
    head = os.pread(fd, HEAD_BYTES, 0)
    if size <= HEAD_BYTES:
        return head, b""
    tail = os.pread(fd, TAIL_BYTES, size - TAIL_BYTES)
    return head[: head.rfind(b"\n") + 1], tail.partition(b"\n")[2]


def _lines(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        try:
            value = _DECODE(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.get("isSidechain") is not True:
            yield value


def _latest(lines: list[dict[str, Any]], name: str) -> str:
    return next((word for line in reversed(lines) if (word := path_of(line, name))), "")


def _title(lines: list[dict[str, Any]]) -> str:
    given = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}
    for kind, field in given.items():
        for line in reversed(lines):
            if line.get("type") == kind and (title := text_of(line, field)):
                return one_line(redact(title), 200)
    return ""


def _prompt(line: dict[str, Any]) -> str:
    """Return what a person asked in `line`, "" for anything that Claude Code put in itself."""
    if line.get("type") != "user" or line.get("isMeta") is True or "toolUseResult" in line:
        return ""
    message = dict_of(line, "message")
    text = text_of(message, "content") or "\n".join(text_of(block, "text") for block in dicts_of(message, "content"))
    if not text.strip() or text.startswith(_MARKUP):
        return ""
    return one_line(redact(text[: _PROMPT_LENGTH * 4]), _PROMPT_LENGTH)


def _last_prompt(lines: list[dict[str, Any]]) -> str:
    for line in reversed(lines):
        if line.get("type") == "last-prompt" and (prompt := text_of(line, "lastPrompt")):
            return one_line(redact(prompt[: _PROMPT_LENGTH * 4]), _PROMPT_LENGTH)
    return next((prompt for line in reversed(lines) if (prompt := _prompt(line))), "")


def _cost(lines: list[dict[str, Any]]) -> int | None:
    states = (line for line in reversed(lines) if line.get("type") == "cost-state")
    return next((microusd(state.get("totalCostUSD")) for state in states), None)
