"""The relay copies lines, survives its daemon, and never runs a request twice."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from claude_code_mcp.platform.ipc.connect import Channel
from claude_code_mcp.relay.bridge import Bridge
from claude_code_mcp.relay.lines import Ledger
from claude_code_mcp.relay.serve import UsageError, options_of


class Wire:
    """A relay in a thread: the client's ends of its pipes, and the daemon's end of each connection it makes."""

    def __init__(self) -> None:
        to_relay, self.client_out = os.pipe()
        self.client_in, from_relay = os.pipe()
        self._dialled: list[socket.socket] = []
        self._arrived = threading.Semaphore(0)
        self.bridge = Bridge(self._dial, to_relay, from_relay)
        self._fds = [to_relay, from_relay]
        self.thread = threading.Thread(target=self.bridge.run)
        self.thread.start()
        self.reader: IO[bytes] = os.fdopen(self.client_in, "rb")

    def _dial(self) -> Channel:
        ours, theirs = socket.socketpair()
        self._dialled.append(theirs)
        self._arrived.release()
        return Channel(ours, b"", {})

    def daemon(self) -> socket.socket:
        assert self._arrived.acquire(timeout=60)
        sock = self._dialled[-1]
        sock.settimeout(5)
        return sock

    def say(self, message: object) -> None:
        os.write(self.client_out, json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        os.close(self.client_out)
        self.thread.join(60)
        assert not self.thread.is_alive()
        self.reader.close()
        for fd in self._fds:
            os.close(fd)
        for sock in self._dialled:
            sock.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    found = Wire()
    yield found
    found.close()


def line(sock: socket.socket) -> dict[str, object]:
    data = b""
    while not data.endswith(b"\n"):
        chunk = sock.recv(1)
        assert chunk
        data += chunk
    found = json.loads(data)
    assert isinstance(found, dict)
    return found


def test_lines_pass_both_ways_unchanged(wire: Wire) -> None:
    daemon = wire.daemon()
    wire.say({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert line(daemon)["method"] == "ping"
    daemon.sendall('{"jsonrpc":"2.0","id":1,"result":{"text":"ü\\u2028"}}\n'.encode())
    assert wire.reader.readline() == '{"jsonrpc":"2.0","id":1,"result":{"text":"ü\\u2028"}}\n'.encode()


def test_a_line_of_several_megabytes_passes(wire: Wire) -> None:
    daemon = wire.daemon()
    big = b'{"jsonrpc":"2.0","id":1,"result":{"text":"' + b"x" * 6_000_000 + b'"}}\n'
    sender = threading.Thread(target=daemon.sendall, args=(big,))
    sender.start()
    assert wire.reader.readline() == big
    sender.join(60)


def test_a_dead_daemon_costs_only_the_open_calls(wire: Wire) -> None:
    daemon = wire.daemon()
    wire.say({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}})
    wire.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
    wire.say({"jsonrpc": "2.0", "id": "call-1", "method": "tools/call", "params": {}})
    for _ in range(3):
        line(daemon)
    daemon.sendall(b'{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}\n')
    assert json.loads(wire.reader.readline())["id"] == 0
    daemon.close()
    lost = json.loads(wire.reader.readline())
    assert lost["id"] == "call-1"
    assert lost["error"]["message"].startswith("daemon_restarted: ")
    second = wire.daemon()
    assert [line(second).get("method"), line(second).get("method")] == ["initialize", "notifications/initialized"]
    second.sendall(b'{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}\n')
    wire.say({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
    assert line(second)["method"] == "tools/list"
    second.sendall(b'{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}\n')
    # The repeated initialize was answered to the relay alone: the client hears only its own call.
    assert json.loads(wire.reader.readline())["id"] == 2


def test_an_initialize_that_was_never_answered_is_repeated_and_answered_once(wire: Wire) -> None:
    daemon = wire.daemon()
    wire.say({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": {}})
    line(daemon)
    daemon.close()
    second = wire.daemon()
    assert line(second)["id"] == 7
    second.sendall(b'{"jsonrpc":"2.0","id":7,"result":{}}\n')
    assert json.loads(wire.reader.readline()) == {"jsonrpc": "2.0", "id": 7, "result": {}}


def test_what_only_looks_is_asked_again_and_what_acts_is_not(wire: Wire) -> None:
    daemon = wire.daemon()
    wire.say({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen"})
    wire.say({"jsonrpc": "2.0", "id": 2, "method": "tools/call"})
    wire.say({"jsonrpc": "2.0", "id": 3, "method": "tasks/get"})
    for _ in range(3):
        line(daemon)
    daemon.close()
    assert json.loads(wire.reader.readline())["id"] == 2
    second = wire.daemon()
    assert [line(second)["id"], line(second)["id"]] == [1, 3]
    second.sendall(b'{"jsonrpc":"2.0","id":3,"result":{}}\n')
    assert json.loads(wire.reader.readline())["id"] == 3


def test_the_relay_ends_when_the_client_closes_its_end() -> None:
    wire = Wire()
    wire.daemon()
    wire.close()


def test_a_ledger_forgets_answered_requests_and_ignores_rubbish() -> None:
    ledger = Ledger()
    ledger.sent(b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}\n')
    ledger.sent(b'{"jsonrpc":"2.0","id":"x\\"y","method":"tools/call"}\n')
    ledger.sent(b'not json "method"\n')
    ledger.sent(b'["method"]\n')
    ledger.answered(b'{"jsonrpc":"2.0","id":1,"result":{}}')
    ledger.answered(b"rubbish")
    assert [json.loads(answer)["id"] for answer in ledger.lost()] == ['x"y']
    assert ledger.lost() == []


def test_options_come_from_arguments_and_environment() -> None:
    assert options_of([], {}) == {"profile": "core"}
    assert options_of([], {"CLAUDE_CODE_MCP_PROFILE": "full"}) == {"profile": "full"}
    assert options_of(["--profile", "readonly", "--toolsets=a,b", "--stream"], {}) == {
        "profile": "readonly",
        "toolsets": ["a", "b"],
        "stream": True,
    }
    for bad in (["--nonsense"], ["--profile"], ["--stream=1"]):
        with pytest.raises(UsageError):
            options_of(bad, {})


def test_the_relay_imports_nothing_but_the_standard_library_and_its_own_few_files() -> None:
    script = "import sys; import claude_code_mcp.relay.serve; print(' '.join(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path("/"))
    modules = out.stdout.split()
    ours = {name for name in modules if name.startswith("claude_code_mcp")}
    foreign = {
        name.split(".")[0]
        for name in modules
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith(("claude_code_mcp", "_", "__"))
    }
    assert foreign <= {"sitecustomize", "usercustomize", "distutils-precedence"}
    assert "asyncio" not in modules
    assert len(ours) <= 15
