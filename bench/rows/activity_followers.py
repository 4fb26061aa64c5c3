"""A hundred followers of one session: from the event to the update at each of them, steadily and in a burst."""

import contextlib
import json
import re
import selectors
import socket
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from time import monotonic, monotonic_ns

from bench.findings import Finding, Goal
from bench.peers.activity_host import SESSION
from bench.place import ROOT, Place, place
from bench.rounds import percentile
from bench.setting import Setting
from bench.usage import MB, memory
from claude_code_mcp.platform.ipc.connect import open_channel

RATE = 100.0
ALONE_S = 60.0
_STAMP = re.compile(rb'"output_summary": ?"[^"]*stamp-(\d+)-')


@dataclass(slots=True)
class Follower:
    """One connection that is told of each change as it comes."""

    sock: socket.socket
    seen: int = 0
    data: bytes = b""
    took_ms: list[float] = field(default_factory=list)

    def ask(self) -> None:
        """Ask to be told."""
        args = {"session_id": SESSION, "wait_s": 1500, "limit": 5000, "follow": True}
        self.sock.sendall(json.dumps({"id": 1, "op": "activity.stream", "args": args}).encode() + b"\n")

    def hear(self) -> None:
        """Take what came."""
        chunk = self.sock.recv(1 << 20)
        now = monotonic_ns()
        if not chunk:
            raise RuntimeError("the host hung up")
        whole, newline, rest = (self.data + chunk).rpartition(b"\n")
        if not newline:
            self.data = rest
            return
        self.data = rest
        if b'"error"' in whole[:40]:
            raise RuntimeError(whole.decode()[:500])
        stamps = [int(stamp) for stamp in _STAMP.findall(whole)]
        self.took_ms += [(now - stamp) / 1e6 for stamp in stamps]
        self.seen += len(stamps)


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    followers = setting.size(100, 5)
    steady, burst = setting.size(1000, 20), setting.size(1000, 50)
    with place(setting.model_url) as here, _host(here) as child, _crowd(here, followers) as crowd:
        _round(child, crowd, 20, RATE)
        steadily = [_round(child, crowd, steady, RATE) for _ in range(setting.rounds(3))]
        at_once = [_round(child, crowd, burst, None) for _ in range(setting.rounds(5))]
        rss_mb = memory(child.pid).rss / MB
    return [
        Finding(
            "activity_followers",
            f"event to update, {followers} followers, {RATE:.0f} events/s, p99",
            "ms",
            [percentile(took, 0.99) for took in steadily],
            goal=Goal(10),
            note=f"p50 {percentile(steadily[0], 0.5):.2f} ms; the host's RSS {rss_mb:.0f} MB",
        ),
        Finding(
            "activity_followers",
            f"burst of {burst:,} events to {followers} followers, all delivered, p99",
            "ms",
            [percentile(took, 0.99) for took in at_once],
            goal=Goal(350),
            note=f"the last after {max(max(took) for took in at_once):.0f} ms",
        ),
    ]


def _round(child: "subprocess.Popen[str]", crowd: list[Follower], count: int, rate: float | None) -> list[float]:
    """Have `count` events said, wait until every follower has them all, and return how long each took, in ms."""
    for follower in crowd:
        follower.seen = 0
        follower.took_ms = []
    _say(child, {"count": count, "rate": rate})
    deadline = monotonic() + ALONE_S + (count / rate if rate else 0)
    with selectors.DefaultSelector() as selector:
        for follower in crowd:
            selector.register(follower.sock, selectors.EVENT_READ, follower)
        while any(follower.seen < count // 2 for follower in crowd):
            if monotonic() > deadline:
                raise TimeoutError(f"some follower saw only {min(one.seen for one in crowd)} of {count // 2} results")
            for key, _ in selector.select(1.0):
                key.data.hear()
    _until(child, "done")
    _until(child, "ready")
    return [took for follower in crowd for took in follower.took_ms]


@contextlib.contextmanager
def _host(here: Place) -> "Generator[subprocess.Popen[str]]":
    argv = [sys.executable, "-m", "bench.peers.activity_host", str(here.state)]
    with subprocess.Popen(
        argv, cwd=ROOT, env=dict(here.env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            _until(child, "ready")
            yield child
            _say(child, {})
            child.wait(ALONE_S)
        finally:
            child.kill()


@contextlib.contextmanager
def _crowd(here: Place, count: int) -> Generator[list[Follower]]:
    with contextlib.ExitStack() as stack:
        crowd = []
        for _ in range(count):
            sock = open_channel(here.state, "rpc", here.env, own_env=here.env, start=False).sock
            stack.callback(sock.close)
            crowd.append(Follower(sock))
        for follower in crowd:
            follower.ask()
        yield crowd


def _say(child: "subprocess.Popen[str]", wish: dict[str, float | None]) -> None:
    if child.stdin is None:
        raise RuntimeError("the host has no standard input")
    child.stdin.write(json.dumps(wish) + "\n")
    child.stdin.flush()


def _until(child: "subprocess.Popen[str]", word: str) -> None:
    if child.stdout is None or child.stdout.readline().strip() != word:
        raise RuntimeError(f"the host ended before it said {word}")
