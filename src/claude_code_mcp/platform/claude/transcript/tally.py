"""What is worth knowing of a transcript without reading it: counted from the first bytes of each line."""

from collections.abc import Iterable
from typing import Any

import msgspec

from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, path_of, text_of, time_of, word_of
from claude_code_mcp.platform.claude.redaction import redact
from claude_code_mcp.platform.claude.stream.turns import microusd

_TYPE = b'{"type":"'
_MESSAGE = b'"message":{"'
_ROLE_USER = b'role":"user","content":'
_SIDE = b'"isSidechain":true'
_CALL = b'{"type":"tool_use",'
_ERROR = b'"is_error":true'
_OWN = (b'"isMeta":true', b'"isCompactSummary":true')
_NOT_ASKED = (b'"<task-notification>', b'"<local-command', b'"<bash-stdout', b'"<bash-stderr', b'"<system-reminder>')
_INTERRUPTED = b'[{"type":"text","text":"[Request interrupted by user'
_TEXT = (b'[{"type":"text"', b'[{"type":"image"', b'[{"type":"document"')
_HEAD = 700
_PROMPT_CHARS = 300
_TITLES = {"custom-title": ("customTitle", 3), "ai-title": ("aiTitle", 2), "summary": ("summary", 1)}
_NAMED = tuple(name.encode() + b'"' for name in (*_TITLES, "cost-state"))
_DECODE = msgspec.json.Decoder().decode


class Tally(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the lines of one transcript came to until now. Times are UTC stamps; `rank` says how good the title is."""

    cwd: str = ""
    title: str = ""
    rank: int = 0
    first_prompt: str = ""
    started_at: str = ""
    last_active_at: str = ""
    version: str = ""
    entrypoint: str = ""
    prompts: int = 0
    tool_calls: int = 0
    errors: int = 0
    cost_microusd: int | None = None

    def take(self, lines: Iterable[bytes], *, subagent: bool = False) -> None:
        """Count some more lines; only the few that say something about the whole are parsed."""
        last = b""
        for line in lines:
            if line.startswith(_TYPE):
                if line.startswith(_NAMED, len(_TYPE)):
                    self._special(line)
                continue
            head = line[:_HEAD]
            at = head.find(_MESSAGE)
            if at < 0:
                continue
            if not self.started_at:
                self._begin(line)
            last = line
            self._message(line, head, at + len(_MESSAGE), subagent=subagent)
        if last:
            self._end(last)

    def _message(self, line: bytes, head: bytes, at: int, *, subagent: bool) -> None:
        if not head.startswith(_ROLE_USER, at):
            if _CALL in line:
                self.tool_calls += line.count(_CALL)
        elif self._is_prompt(line, head, at + len(_ROLE_USER)):
            if not subagent and _SIDE not in head:
                self._prompt(line)
        elif _ERROR in line:
            self.errors += 1

    def _is_prompt(self, line: bytes, head: bytes, at: int) -> bool:
        if head.startswith(b"[", at):
            if not head.startswith(_TEXT, at) or head.startswith(_INTERRUPTED, at):
                return False
        elif head.startswith(_NOT_ASKED, at):
            return False
        return not any(mark in line for mark in _OWN)

    def _prompt(self, line: bytes) -> None:
        self.prompts += 1
        if self.first_prompt:
            return
        message = dict_of(_object(line), "message")
        text = text_of(message, "content") or " ".join(text_of(block, "text") for block in dicts_of(message, "content"))
        self.first_prompt = one_line(redact(text[: _PROMPT_CHARS * 4]), _PROMPT_CHARS)

    def _begin(self, line: bytes) -> None:
        value = _object(line)
        self.started_at = _moment(value)
        self.cwd = path_of(value, "cwd")

    def _end(self, line: bytes) -> None:
        value = _object(line)
        self.last_active_at = max(self.last_active_at, _moment(value))
        self.cwd = self.cwd or path_of(value, "cwd")
        self.version = word_of(value, "version") or self.version
        self.entrypoint = word_of(value, "entrypoint") or self.entrypoint

    def _special(self, line: bytes) -> None:
        value = _object(line)
        kind = word_of(value, "type")
        if kind == "cost-state":
            self.cost_microusd = microusd(value.get("totalCostUSD"))
            return
        field, rank = _TITLES.get(kind, ("", 0))
        title = text_of(value, field)
        if title and rank >= self.rank:
            self.title, self.rank = one_line(redact(title), 200), rank


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = _DECODE(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _moment(value: dict[str, Any]) -> str:
    moment = time_of(value, "timestamp")
    return stamp(moment) if moment else ""
