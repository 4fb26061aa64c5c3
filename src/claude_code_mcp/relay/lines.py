"""What the relay must know of the lines it copies: which requests are unanswered, and how to say hello again."""

import json
import re
from typing import Any

_ANSWERED = re.compile(rb'\{"jsonrpc":"2\.0","id":("(?:[^"\\]|\\.)*"|-?\d+),"(?:result|error)"')
"""How our own daemon begins every answer (its transport writes these keys in this order)."""

ACTS = frozenset({"tools/call", "tasks/update", "tasks/cancel", "completion/complete"})
"""Requests that may do something: never sent twice."""


class Ledger:
    """The requests that wait for an answer, and the handshake to repeat to a new daemon.

    A daemon that dies takes its unanswered requests with it. Those that only look, or listen, are sent again. The
    others are not, because a prompt must never run twice; each is answered with an error that says how to look what
    became of it.
    """

    def __init__(self) -> None:
        self._open: dict[bytes, Any] = {}
        self._again: dict[bytes, bytes] = {}
        self._initialize: bytes | None = None
        self._initialize_id: bytes | None = None
        self._initialized: bytes | None = None

    def sent(self, line: bytes) -> None:
        """Note a line that went from the client to the daemon."""
        if b'"method"' not in line:
            return
        try:
            message = json.loads(line)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        method = message.get("method")
        if "id" in message:
            key = json.dumps(message["id"]).encode()
            self._open[key] = message["id"]
            if method not in ACTS:
                self._again[key] = line
            if method == "initialize":
                self._initialize, self._initialize_id = line, key
        elif method == "notifications/initialized":
            self._initialized = line

    def answered(self, line: bytes) -> None:
        """Note a line that went from the daemon to the client."""
        match = _ANSWERED.match(line)
        if match:
            self._open.pop(match.group(1), None)
            self._again.pop(match.group(1), None)

    def introduction(self) -> tuple[list[bytes], bytes | None]:
        """Return the lines to repeat to a new daemon, and the id whose answer the client already has."""
        if self._initialize is None or self._initialize_id in self._open:
            return list(self._again.values()), None
        lines = [self._initialize] + ([self._initialized] if self._initialized else [])
        return [*lines, *self._again.values()], self._initialize_id

    def lost(self) -> list[bytes]:
        """Return an error answer for every request that the dead daemon left and that is not repeated; forget them."""
        out = []
        for key, request_id in list(self._open.items()):
            if key in self._again:
                continue
            del self._open[key]
            error = {
                "code": -32603,
                "message": "daemon_restarted: the claude-code-mcp daemon was restarted while this call waited. "
                "Sessions go on; look with session_list or session_status before you call again.",
            }
            answer = {"jsonrpc": "2.0", "id": request_id, "error": error}
            out.append(json.dumps(answer, separators=(",", ":")).encode() + b"\n")
        return out

    def is_answer_to(self, line: bytes, key: bytes | None) -> bool:
        """Tell whether `line` answers the request with the JSON id `key`."""
        match = _ANSWERED.match(line) if key is not None else None
        return match is not None and match.group(1) == key
