"""A daemon of the test's own, spoken to as our command line does: the real process on a real socket."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from claude_code_mcp.platform.ipc.connect import Channel, open_channel
from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.platform.procs.identity import identity_of, is_alive

Json = dict[str, Any]
BOUND_S = 60.0


class CallFailed(Exception):
    """The daemon answered with an error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']} {error['remedy']}")
        self.code: str = error["code"]
        self.error = error


class Terminal:
    """One connection to the daemon. A dead daemon is started again by the next call, as a client's would be."""

    def __init__(self, state_dir: Path, env: Mapping[str, str], cwd: Path) -> None:
        self.state_dir = state_dir
        self.env = dict(env)
        self.cwd = cwd
        self._channel: Channel | None = None
        self._number = 0
        self.progress: list[Json] = []

    @property
    def pid(self) -> int:
        """The daemon's process."""
        return int(self._connected().daemon["pid"])

    def call(self, op: str, /, **args: Any) -> Json:
        """Return the reply of an operation; `text` is in it under `_text`."""
        self._number += 1
        answer = self._exchange({"id": self._number, "op": op, "args": args})
        if "error" in answer:
            raise CallFailed(answer["error"])
        return {**answer["reply"], "_text": answer["text"]}

    def finish(self, session_id: str, cursor: int = 0, **args: Any) -> Json:
        """Wait until a session is at rest, or asks something; returns the reply of `sessions.wait`."""
        return self.call("sessions.wait", session_id=session_id, cursor=cursor, wait_s=BOUND_S, **args)

    def events(self, session_id: str, *kinds: str) -> list[Json]:
        """Return all events of a session, in full."""
        found: list[Json] = []
        cursor, more = 0, True
        while more:
            page = self.call(
                "sessions.events", session_id=session_id, cursor=cursor, limit=1000, detail="full", kinds=list(kinds)
            )
            found += page["events"]
            cursor, more = page["cursor"], page["more"]
        return found

    def until_event(self, session_id: str, kind: str, cursor: int = 0) -> Json:
        """Wait until a session has an event of this kind after `cursor`, and return it."""
        deadline = time.monotonic() + BOUND_S
        while time.monotonic() < deadline:
            page = self.call(
                "sessions.wait",
                session_id=session_id,
                cursor=cursor,
                until="event",
                wait_s=5,
                detail="full",
                limit=1000,
            )
            cursor = page["cursor"]
            for event in page["events"]:
                if event["kind"] == kind:
                    return dict(event)
        raise AssertionError(f"no {kind} within {BOUND_S} s")

    def until_recorded(self, kind: str) -> None:
        """Wait until the log has an event of this kind, of whatever session; read from the database itself."""
        deadline = time.monotonic() + BOUND_S
        while time.monotonic() < deadline:
            with contextlib.closing(sqlite3.connect(self.state_dir / "state.db")) as db:
                if db.execute("SELECT 1 FROM event WHERE kind = ?", (kind,)).fetchone():
                    return
            time.sleep(0.02)
        raise AssertionError(f"no {kind} within {BOUND_S} s")

    def kill_daemon(self) -> None:
        """Kill the daemon as the out-of-memory killer would, and return when it is gone."""
        daemon = identity_of(self.pid)
        assert daemon is not None
        os.kill(daemon.pid, signal.SIGKILL)
        self.hang_up()
        deadline = time.monotonic() + BOUND_S
        while is_alive(daemon) and time.monotonic() < deadline:
            os.sched_yield()

    def hang_up(self) -> None:
        """Close the connection."""
        if self._channel is not None:
            self._channel.sock.close()
            self._channel = None

    def stop(self) -> None:
        """Stop the daemon and its sessions, if one runs."""
        with contextlib.suppress(Refused, OSError, CallFailed):
            if self._channel is None:
                self._channel = self._dial(start=False)
            self.call("daemon.stop", sessions=True)
            # It hangs up when it is done.
            while self._connected().sock.recv(65536):
                continue
        self.hang_up()

    def _connected(self) -> Channel:
        if self._channel is None:
            self._channel = self._dial(start=True)
        return self._channel

    def _dial(self, *, start: bool) -> Channel:
        before = Path.cwd()
        os.chdir(self.cwd)
        try:
            channel = open_channel(self.state_dir, "rpc", self.env, own_env=self.env, start=start)
        finally:
            os.chdir(before)
        channel.sock.settimeout(BOUND_S * 2)
        return channel

    def _exchange(self, request: Json) -> Json:
        channel = self._connected()
        try:
            channel.sock.sendall(json.dumps(request).encode() + b"\n")
            for line in self._lines(channel.sock):
                answer = json.loads(line)
                if "progress" in answer:
                    self.progress.append(answer["progress"])
                    continue
                if answer["id"] in {request["id"], None}:
                    assert isinstance(answer, dict)
                    return answer
        except (ConnectionError, BrokenPipeError):
            pass
        self.hang_up()
        raise ConnectionError("the daemon hung up before it answered")

    def _lines(self, sock: socket.socket) -> Iterator[bytes]:
        data = b""
        while True:
            while b"\n" not in data:
                chunk = sock.recv(1 << 20)
                if not chunk:
                    return
                data += chunk
            line, _, data = data.partition(b"\n")
            yield line


def command_line(*argv: str, env: Mapping[str, str], cwd: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
    """Run our command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "claude_code_mcp", *argv],
        env=dict(env),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=BOUND_S * 2,
        check=False,
        **more,
    )
