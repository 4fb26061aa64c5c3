"""The local protocol of the daemon, spoken as plainly as can be: one request, one answer."""

import json
import select
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_code_mcp.platform.ipc.connect import open_channel

CALL_S = 300.0


class CallFailed(Exception):
    """The daemon answered with an error."""


class Rpc:
    """One connection."""

    def __init__(self, state: Path, env: Mapping[str, str], *, start: bool = True) -> None:
        channel = open_channel(state, "rpc", env, own_env=env, start=start)
        self.daemon_pid = int(channel.daemon["pid"])
        self._socket = channel.sock
        self._socket.settimeout(CALL_S)
        self._file = channel.sock.makefile("rwb")
        self._number = 0
        self.wants_text = True

    def call(self, operation: str, **args: Any) -> dict[str, Any]:
        """Return the reply.

        Raises:
            CallFailed: the answer was an error.
        """
        self.send(operation, **args)
        return self.receive()

    def send(self, operation: str, **args: Any) -> None:
        """Ask without waiting for the answer; answers of several requests come in the order they are ready."""
        self._number += 1
        self._file.write(
            json.dumps({"id": self._number, "op": operation, "args": args, "text": self.wants_text}).encode() + b"\n"
        )
        self._file.flush()

    def receive(self) -> dict[str, Any]:
        """Return the next reply.

        Raises:
            CallFailed: it was an error, or the daemon hung up.
        """
        while True:
            line = self._file.readline()
            if not line:
                raise CallFailed("the daemon hung up")
            message: dict[str, Any] = json.loads(line)
            if "error" in message:
                raise CallFailed(f"{message['error']['code']}: {message['error']['message']}")
            if "reply" in message:
                reply: dict[str, Any] = message["reply"]
                return reply

    def until_gone(self, timeout_s: float) -> None:
        """Wait until the daemon has closed the connection."""
        deadline = time.monotonic() + timeout_s
        while select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
            if not self._socket.recv(65536):
                return

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()
