"""The fake daemon behind a real socket, and the real program in a process of its own in front of it."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claude_code_mcp.surfaces.cli.client import ConnectionLost
from claude_code_mcp.surfaces.cli.exits import Failure
from tests.surfaces.cli.rpc_server import HangUp, RpcServer, Send, serving
from tests.surfaces.tui.fake_link import FakeLink

BOUND_S = 60.0


class Served:
    """A fake link that is served: changes are made in its own thread."""

    def __init__(self, link: FakeLink, server: RpcServer) -> None:
        self.link = link
        self._server = server

    def do(self, change: Callable[[], object]) -> None:
        assert self._server._loop is not None
        self._server._loop.call_soon_threadsafe(change)


@contextmanager
def served(state: Path, link: FakeLink) -> Generator[Served]:
    async def handle(op: str, args: Mapping[str, Any], _send: Send) -> Mapping[str, Any]:
        try:
            return {"reply": json.loads(await link.call(op, args)), "text": "", "exit_code": 0}
        except ConnectionLost:
            link.come_back()
            raise HangUp from None
        except Failure as failure:
            return {**failure.as_json(), "error": {**failure.as_json()["error"], "exit_code": failure.exit_code}}

    with serving(state, handle) as server:
        yield Served(link, server)


class Program:
    """The program with its output read as it comes."""

    def __init__(self, state: Path, *argv: str) -> None:
        env = {"PATH": os.environ["PATH"], "HOME": str(state), "CLAUDE_CODE_MCP_HOME": str(state), "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "claude_code_mcp", *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
        )
        self._data = b""

    def lines(self, count: int) -> list[str]:
        """Return the first `count` lines, once they are there."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + BOUND_S
        while self._data.count(b"\n") < count:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert chunk, f"only this came: {self._data.decode()}"
            self._data += chunk
        return self._data.decode().split("\n")[:count]

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return the exit code and what came on both channels."""
        out, err = self.process.communicate(timeout=BOUND_S)
        return self.process.returncode, (self._data + out).decode(), err.decode()

    def hang_up(self) -> None:
        """Stop reading."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.stdout = None


@contextmanager
def program(state: Path, *argv: str) -> Generator[Program]:
    running = Program(state, *argv)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        for stream in (running.process.stdout, running.process.stderr):
            if stream is not None:
                stream.close()
