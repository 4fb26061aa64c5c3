"""A child process that is spoken to in JSON lines over its standard input and output, as MCP clients do."""

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

ANSWER_S = 60.0
PROTOCOL = "2025-11-25"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": PROTOCOL,
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "1"},
    },
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def encoded(message: Mapping[str, Any]) -> bytes:
    """Return a message as the line it is sent as."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def tool_call(number: int, name: str, arguments: Mapping[str, Any], token: str | None = None) -> bytes:
    """Return the line of a `tools/call`; `token` asks for progress."""
    params: dict[str, Any] = {"name": name, "arguments": arguments}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    return encoded({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})


class Child:
    """The child, and what it said so far. Used as a context manager: leaving ends its input, then the process."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        self.process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(env),
            cwd=cwd,
            bufsize=0,
        )
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the child has no pipes")
        self._in = self.process.stdin.fileno()
        self._out = self.process.stdout.fileno()
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def send(self, line: bytes) -> None:
        """Write a whole line."""
        view = memoryview(line)
        while view:
            view = view[os.write(self._in, view) :]

    def line(self) -> bytes:
        """Return the next line."""
        while b"\n" not in self._rest:
            self._rest += self._read()
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def lines(self) -> list[bytes]:
        """Return all whole lines that have come, at least one."""
        while b"\n" not in self._rest:
            self._rest += self._read()
        *whole, self._rest = self._rest.split(b"\n")
        return whole

    def shake_hands(self) -> bytes:
        """Introduce ourselves as a client of the handshake era; return the server's answer."""
        self.send(encoded(INITIALIZE))
        answer = self.line()
        self.send(encoded(INITIALIZED))
        return answer

    def _read(self) -> bytes:
        if not select.select([self._out], [], [], ANSWER_S)[0]:
            raise TimeoutError(f"{self.process.args!r} said nothing for {ANSWER_S:.0f} s")
        data = os.read(self._out, 1 << 18)
        if not data:
            raise EOFError(f"{self.process.args!r} ended")
        return data


def started(child_argv: Sequence[str], env: Mapping[str, str], cwd: str) -> tuple[Child, float]:
    """Start a server and return it with the seconds from its start to its first answer."""
    began = time.perf_counter()
    child = Child(child_argv, env, cwd)
    child.send(encoded(INITIALIZE))
    answer = child.line()
    took = time.perf_counter() - began
    if b'"result"' not in answer:
        raise RuntimeError(f"not an answer to initialize: {answer[:300]!r}")
    return child, took
