"""Our side of the daemon's `rpc` connection: one JSON object a line, many requests at once on one connection.

ours      {"id":1,"op":"sessions.list","args":{…}}      {"cancel":1}
daemon's  {"id":1,"reply":{…},"text":"…"}  {"id":1,"error":{…}}  {"id":1,"progress":{"done_s":…,"message":…}}
          {"id":1,"part":{…},"text":"…"}

`{"id":1,"words":["jobs","list"]}` asks what a command line means; `{"id":1,"command":{…}}` tells it (see `quick`).
"""

import contextlib
import json
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.platform.ipc.connect import Channel, open_channel
from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.surfaces.cli.exits import Exit, Failure, from_refusal, from_wire

CHUNK = 256 * 1024
Dial = Callable[[], Channel]
OnProgress = Callable[[float, str], None]
OnPart = Callable[[Mapping[str, Any], str], None]


class Answer(NamedTuple):
    """What an operation gave back: its reply as JSON values, the same as text for a person, and how to end with it."""

    reply: dict[str, Any]
    text: str
    exit_code: int = 0


class ConnectionLost(Exception):
    """The daemon went away while we listened."""


def dialer(
    directory: Path, env: Mapping[str, str], *, own_env: Mapping[str, str] | None = None, start: bool = True
) -> Dial:
    """Return what connects to the daemon of `directory`; `env` is what sessions of this client run with.

    `own_env` is the environment that a daemon would be started in, by default this process's.
    """

    def dial() -> Channel:
        try:
            return open_channel(directory, "rpc", env, {}, own_env=own_env, start=start)
        except Refused as exc:
            raise from_refusal(exc) from exc

    return dial


class Client:
    """A connection to the daemon. Not for use by two threads."""

    def __init__(self, dial: Dial) -> None:
        """Connect.

        Raises:
            Failure: there is no daemon, and none could be started, or it refused us.
        """
        self._dial = dial
        self._ids = 0
        self.wants_text = True
        """Whether replies come as text, too; who only reads their fields spares both sides half of the work."""
        self.in_commands = False
        """Whether the daemon calls tools in that text by their commands, or leaves that to us."""
        self._sock: socket.socket
        self._pending = bytearray()
        self.daemon: dict[str, Any] = {}
        self.reconnect()

    def reconnect(self) -> None:
        """Connect anew; requests that were open are forgotten.

        Raises:
            Failure: see `__init__`.
        """
        if hasattr(self, "_sock"):
            self._sock.close()
        channel = self._dial()
        self._sock = channel.sock
        self._pending = bytearray(channel.rest)
        self.daemon = channel.daemon

    def close(self) -> None:
        """End the connection; the daemon ends what still waits for us, sessions go on."""
        self._sock.close()

    def fileno(self) -> int:
        """Return the socket's descriptor, to wait on."""
        return self._sock.fileno()

    def send(self, op: str, args: Mapping[str, Any]) -> int:
        """Ask for `op` and return the id under which its answer will come.

        Raises:
            ConnectionLost: the daemon is gone.
        """
        self._ids += 1
        text: dict[str, object] = {} if self.wants_text else {"text": False}
        if self.in_commands:
            text = {"text": "commands"}
        self._write({"id": self._ids, "op": op, "args": dict(args), **text})
        return self._ids

    def command(self, words: Sequence[str]) -> dict[str, Any] | None:
        """Return what the daemon tells of the command that `words` begin with; None where it tells nothing.

        Raises:
            ConnectionLost: the daemon is gone.
        """
        self._ids += 1
        self._write({"id": self._ids, "words": list(words)})
        while True:
            for message in self.receive():
                if message.get("id") == self._ids:
                    found = message.get("command")
                    return found if isinstance(found, dict) else None

    def cancel(self, request_id: int) -> None:
        """Say that nobody waits for `request_id` any more."""
        with contextlib.suppress(ConnectionLost):
            self._write({"cancel": request_id})

    def _write(self, line: Mapping[str, Any]) -> None:
        try:
            self._sock.sendall(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except OSError as exc:
            raise ConnectionLost from exc

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have come, waiting for at least a part of one.

        Raises:
            ConnectionLost: the daemon is gone.
        """
        lines = self._whole_lines()
        if not lines:
            try:
                data = self._sock.recv(CHUNK)
            except OSError as exc:
                raise ConnectionLost from exc
            if not data:
                raise ConnectionLost
            fresh = len(self._pending)
            self._pending += data
            lines = self._whole_lines(fresh)
        return [message for message in map(_parsed, lines) if message is not None]

    def _whole_lines(self, start: int = 0) -> list[bytes]:
        if self._pending.find(b"\n", start) < 0:
            return []
        *lines, rest = bytes(self._pending).split(b"\n")
        self._pending = bytearray(rest)
        return lines

    def call(
        self,
        op: str,
        args: Mapping[str, Any],
        *,
        retry: bool = False,
        raises: Iterable[type[ClaudeCodeMcpError]] = (),
        on_progress: OnProgress | None = None,
        on_part: OnPart | None = None,
    ) -> Answer:
        """Run `op` to its end; an interrupt cancels it there too. Parts that come before the end go to `on_part`.

        `retry` asks once more when the daemon was restarted meanwhile: only for operations that change nothing.

        Raises:
            Failure: the operation's error, or `daemon_lost`.
        """
        parts = 0

        def hear(part: Mapping[str, Any], text: str) -> None:
            nonlocal parts
            parts += 1
            if on_part is not None:
                on_part(part, text)

        try:
            return self._call_once(op, args, raises, (on_progress, hear))
        except ConnectionLost:
            # What came in parts would come again.
            if not retry or parts:
                raise lost(op) from None
        self.reconnect()
        try:
            return self._call_once(op, args, raises, (on_progress, hear))
        except ConnectionLost:
            raise lost(op) from None

    def _call_once(
        self,
        op: str,
        args: Mapping[str, Any],
        raises: Iterable[type[ClaudeCodeMcpError]],
        hears: tuple[OnProgress | None, OnPart],
    ) -> Answer:
        on_progress, on_part = hears
        request_id = self.send(op, args)
        try:
            while True:
                for message in self.receive():
                    if message.get("id") != request_id:
                        continue
                    answer = take(message, raises, on_progress, on_part)
                    if answer is not None:
                        return answer
        except KeyboardInterrupt:
            self.cancel(request_id)
            raise


def take(
    message: Mapping[str, Any],
    raises: Iterable[type[ClaudeCodeMcpError]] = (),
    on_progress: OnProgress | None = None,
    on_part: OnPart | None = None,
) -> Answer | None:
    """Return the answer in `message`, or None where it only tells of progress or is a part of what is to come.

    Raises:
        Failure: the message is an error.
    """
    if "error" in message:
        error = message["error"]
        raise from_wire(error if isinstance(error, dict) else {}, raises)
    progress = message.get("progress")
    if isinstance(progress, dict):
        if on_progress is not None:
            on_progress(float(progress.get("done_s") or 0), str(progress.get("message") or ""))
        return None
    part = message.get("part")
    if isinstance(part, dict):
        if on_part is not None:
            on_part(part, str(message.get("text") or ""))
        return None
    reply = message.get("reply")
    code = message.get("exit_code")
    text = str(message.get("text") or "")
    return Answer(reply if isinstance(reply, dict) else {}, text, code if isinstance(code, int) else 0)


def lost(op: str) -> Failure:
    """Return the failure of a call whose daemon went away before it answered."""
    return Failure(
        "daemon_lost",
        f"The daemon ended while it worked on {op}; whether it was done is not known.",
        remedy="Look before you repeat it; `claude-code-mcp daemon logs` tells why it ended.",
        exit_code=Exit.UNAVAILABLE,
    )


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


Connect = Callable[[], Client]
