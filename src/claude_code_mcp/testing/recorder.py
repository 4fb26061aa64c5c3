"""What the model was asked: kept in memory for tests, written as JSON lines for others; never a secret."""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.testing.watch import Watched

_SECRET = frozenset({"authorization", "x-api-key", "proxy-authorization", "cookie"})
_PLAIN = (
    "accept",
    "anthropic-",
    "connection",
    "content-",
    "host",
    "user-agent",
    "x-app",
    "x-claude-code-",
    "x-stainless-",
)
"""Beginnings of header names whose values are kept; any other header may be a credential too."""
_KEPT = 500
_KEPT_BYTES = 128 * 1024 * 1024
"""So much stays in memory, the newest requests; the file keeps all."""


class Kind(StrEnum):
    """What a request asks for."""

    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    OTHER = "other"


class Outcome(StrEnum):
    """What became of a request."""

    OPEN = "open"
    ANSWERED = "answered"
    ERROR = "error"
    CUT = "cut"
    GONE = "gone"
    """The client closed the connection before the reply was complete."""


@dataclass
class Seen:
    """One request that the model saw. `auth` names the headers with credentials, whose values are never kept."""

    number: int
    at: str
    kind: Kind
    method: str
    path: str
    headers: dict[str, str]
    auth: tuple[str, ...]
    raw: bytes = field(repr=False)
    scenario: str = ""
    step: int = 0
    status: int = 0
    outcome: Outcome = Outcome.OPEN

    @property
    def session_id(self) -> str:
        """Claude Code's session, or empty when another client asks."""
        return self.headers.get("x-claude-code-session-id", "")

    @property
    def agent_id(self) -> str:
        """The subagent that asks, or empty for the main conversation."""
        return self.headers.get("x-claude-code-agent-id", "")

    @cached_property
    def body(self) -> dict[str, Any]:
        """The request's JSON; empty when it is none."""
        try:
            value = json.loads(self.raw)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def model(self) -> str:
        """The model that is asked for."""
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of the conversation."""
        return list(self.body.get("messages", ()))

    @property
    def tool_names(self) -> list[str]:
        """The names of the tools that the model may call."""
        return [tool.get("name", "") for tool in self.body.get("tools", ())]

    def summary(self) -> dict[str, Any]:
        """Return what fits on one line, for listings and the control endpoint."""
        return {
            "number": self.number,
            "at": self.at,
            "kind": self.kind,
            "path": self.path,
            "session_id": self.session_id,
            "agent_id": self.agent_id,
            "scenario": self.scenario,
            "step": self.step,
            "status": self.status,
            "outcome": self.outcome,
        }


class Recorder:
    """Keeps requests in the order of their arrival and answers who waits for one. Safe from any thread."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Record to the file `path` too, which is created for its owner only and appended to.

        Raises:
            OSError: the file cannot be opened.
        """
        self._state = Watched()
        self._seen: deque[Seen] = deque()
        self._bytes = 0
        self._count = 0
        self._file = None if path is None else _open_private(Path(path))

    def close(self) -> None:
        """Close the file; requests that come later are kept in memory only."""
        with self._state.lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def seen(self, where: Callable[[Seen], bool] | None = None, *, kind: Kind | None = Kind.MESSAGES) -> list[Seen]:
        """Return the requests of `kind` (None: all) for which `where` holds, oldest first."""
        with self._state.lock:
            found = [one for one in self._seen if kind is None or one.kind is kind]
        return found if where is None else [one for one in found if where(one)]

    def expect(
        self, n: int = 1, where: Callable[[Seen], bool] | None = None, *, kind: Kind | None = Kind.MESSAGES
    ) -> "Future[list[Seen]]":
        """Return a future of the first `n` requests for which `where` holds; those already seen count."""

        def probe() -> list[Seen] | None:
            found = self.seen(where, kind=kind)
            return found[:n] if len(found) >= n else None

        return self._state.when(probe)

    async def wait_for(
        self,
        n: int = 1,
        where: Callable[[Seen], bool] | None = None,
        *,
        kind: Kind | None = Kind.MESSAGES,
        timeout_s: float = 10,
    ) -> list[Seen]:
        """Wait for the first `n` requests for which `where` holds; those already seen count.

        Raises:
            TimeoutError: they did not come within `timeout_s` seconds; it lists what came.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(self.expect(n, where, kind=kind))
        except TimeoutError:
            came = ", ".join(f"{one.scenario}#{one.step} {one.outcome}" for one in self.seen(kind=kind)) or "none"
            raise TimeoutError(f"not {n} such requests within {timeout_s} s; seen: {came}") from None

    def add(self, kind: Kind, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Seen:
        """Take up a request that has just arrived; `announce` it when it is known what answers it."""
        names = {name.lower(): value for name, value in headers.items()}
        auth = tuple(name for name in names if name in _SECRET)
        plain = {
            name: value if name.startswith(_PLAIN) else "(not recorded)"
            for name, value in names.items()
            if name not in _SECRET
        }
        with self._state.lock:
            self._count += 1
            number = self._count
        return Seen(number, stamp(datetime.now(UTC)), kind, method, path, plain, auth, raw)

    def announce(self, one: Seen) -> None:
        """Record the request and wake who waits for it."""
        with self._state.lock:
            self._seen.append(one)
            self._bytes += len(one.raw)
            while len(self._seen) > 1 and (len(self._seen) > _KEPT or self._bytes > _KEPT_BYTES):
                self._bytes -= len(self._seen.popleft().raw)
            if self._file is not None:
                self._write({**one.summary(), "auth": one.auth, "headers": one.headers, "body": _line(one)})
        self._state.changed()

    def finish(self, one: Seen, outcome: Outcome, status: int) -> None:
        """Record what became of the request; the first outcome counts."""
        with self._state.lock:
            if one.outcome is not Outcome.OPEN:
                return
            one.outcome, one.status = outcome, status
            self._write({"number": one.number, "outcome": outcome, "status": status})
        self._state.changed()

    def clear(self) -> None:
        """Forget what was seen; the file keeps it."""
        with self._state.lock:
            self._seen.clear()
            self._bytes = 0

    def _write(self, record: Mapping[str, object]) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(record) + b"\n")
            self._file.flush()


def _open_private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def _line(one: Seen) -> object:
    """Return the body as it goes into a line of JSON: as it came where that is one line, else anew."""
    if one.raw and b"\n" not in one.raw and b"\r" not in one.raw:
        try:
            msgspec.json.decode(one.raw, type=msgspec.Raw)
        except msgspec.DecodeError:
            return one.raw.decode("utf-8", "replace")
        return msgspec.Raw(one.raw)
    return one.body or one.raw.decode("utf-8", "replace")
