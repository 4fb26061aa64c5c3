"""Hooks over HTTP: how soon one is answered and in the log, how many a second, at what cost beside a bare server."""

import contextlib
import json
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from bench.findings import Finding, Goal
from bench.place import ROOT, place
from bench.rounds import interleaved, percentile
from bench.setting import Setting
from bench.usage import cpu_s

LINES = 8
"""Connections of the sender, as many as some sessions have."""
LOOK_S = 0.0001
"""Between two looks into the log: whoever looks without a rest takes the processor from the writer."""
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Taker:
    """A server that takes in hooks: where, which process, and the database that it writes."""

    port: int
    pid: int
    database: Path


@dataclass(frozen=True, slots=True)
class Sample:
    """One round: microseconds of each answer, milliseconds until each is in the log, rate, and processor time."""

    answered_us: tuple[float, ...]
    logged_ms: tuple[float, ...]
    rate: float
    cpu_us: float


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    one, logged, many = setting.size(2000, 20), setting.size(300, 5), setting.size(16_000, 80)
    with ExitStack() as stack:
        takers = {"ours": stack.enter_context(_ours()), "floor": stack.enter_context(_floor())}
        found = interleaved(
            setting.rounds(3),
            setting.rng,
            {name: partial(_round, taker, one, logged, many) for name, taker in takers.items()},
        )
    return _findings(found["ours"], found["floor"])


def _findings(ours: list[Sample], floor: list[Sample]) -> list[Finding]:
    def both(of: Callable[[Sample], float]) -> tuple[list[float], str, list[float]]:
        return [of(one) for one in ours], "raw asyncio", [of(one) for one in floor]

    worst = [percentile(list(one.answered_us), 0.99) / 1000 for one in ours]
    return [
        Finding(
            "ingest", "a hook, POST to answer, p50", "us", *both(lambda one: percentile(list(one.answered_us), 0.5))
        ),
        Finding("ingest", "a hook, POST to answer, p99", "ms", worst, goal=Goal(5)),
        Finding(
            "ingest",
            "a hook, POST to in the log, p50",
            "ms",
            *both(lambda one: percentile(list(one.logged_ms), 0.5)),
            Goal(2.5),
        ),
        Finding(
            "ingest",
            "a hook, POST to in the log, p99",
            "ms",
            [percentile(list(one.logged_ms), 0.99) for one in ours],
            goal=Goal(5),
            note=f"the bare server's {median(percentile(list(one.logged_ms), 0.99) for one in floor):.1f} ms",
        ),
        Finding(
            "ingest", "hooks a second, sustained", "/s", [one.rate for one in ours], goal=Goal(6000, at_least=True)
        ),
        Finding("ingest", "processor time of a hook", "us", *both(lambda one: one.cpu_us), Goal(2.5)),
    ]


def _round(taker: Taker, one: int, logged: int, many: int) -> Sample:
    lines = [socket.create_connection(("127.0.0.1", taker.port)) for _ in range(LINES)]
    with contextlib.closing(sqlite3.connect(f"file:{taker.database}?mode=ro", uri=True)) as db:
        for line in lines:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = _seen(db)
        answered = tuple(_answered(lines[0], taker.port) for _ in range(one))
        _until(db, start, one)
        in_log = tuple(_in_log(lines[0], taker.port, db) for _ in range(logged))
        # Made before the clock runs: making one costs the sender as much as taking it costs the server.
        requests = [_request(taker.port) for _ in range(many // LINES * LINES)]
        before, start, began = cpu_s(taker.pid), _seen(db), perf_counter()
        for at in range(0, len(requests), LINES):
            for line, request in zip(lines, requests[at : at + LINES], strict=True):
                line.sendall(request)
            for line in lines:
                _read(line)
        _until(db, start, len(requests))
        took_s = perf_counter() - began
        used = cpu_s(taker.pid) - before
    for line in lines:
        line.close()
    return Sample(answered, in_log, len(requests) / took_s, used / len(requests) * 1e6)


def _answered(line: socket.socket, port: int) -> float:
    request = _request(port)
    began = perf_counter()
    line.sendall(request)
    _read(line)
    return (perf_counter() - began) * 1e6


def _in_log(line: socket.socket, port: int, db: sqlite3.Connection) -> float:
    request, seen = _request(port), _seen(db)
    began = perf_counter()
    line.sendall(request)
    _read(line)
    _until(db, seen, 1)
    return (perf_counter() - began) * 1e3


def _seen(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])


def _until(db: sqlite3.Connection, seen: int, more: int) -> None:
    deadline = perf_counter() + 60
    while _seen(db) < seen + more:
        sleep(LOOK_S)
        if perf_counter() > deadline:
            raise RuntimeError(f"{more} events were answered, {_seen(db) - seen} are in the log")


def _read(line: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = line.recv(4096)
        if not chunk:
            raise RuntimeError("the server hung up")
        data += chunk
    if not data.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"refused: {data[:200]!r}")


def _request(port: int) -> bytes:
    """Return the hook of a tool call that was not there before, as Claude Code posts it: about 1.1 kB."""
    number = next(_NUMBERS)
    body = json.dumps(
        {
            "session_id": f"00000000-0000-4000-8000-{number % 50:012x}",
            "transcript_path": f"/home/you/.claude/projects/-home-you-app/{number % 50:012x}.jsonl",
            "cwd": "/home/you/app",
            "prompt_id": f"11111111-1111-4111-8111-{number // 100:012x}",
            "permission_mode": "default",
            "hook_event_name": "PostToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": f"make test NUMBER={number}", "description": "Run the tests of the project"},
            "tool_response": {"stdout": "ok " * 180, "stderr": "", "interrupted": False, "isImage": False},
            "tool_use_id": f"toolu_{number:024x}",
            "duration_ms": 12,
        }
    ).encode()
    head = f"POST /hooks HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    head += (
        f"User-Agent: axios/1.16.0\r\nAccept: application/json, text/plain, */*\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def _ours() -> Generator[Taker]:
    with place() as here, contextlib.closing(here.rpc()) as rpc:
        url = rpc.call("daemon.http")["url"]
        yield Taker(int(url.rpartition(":")[2]), rpc.daemon_pid, here.state / "state.db")


@contextmanager
def _floor() -> Generator[Taker]:
    with place() as here:
        here.state.mkdir(mode=0o700)
        argv = here.python("-m", "bench.peers.raw_http", str(here.state))
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env=dict(here.env), cwd=ROOT) as process:
            try:
                if process.stdout is None:
                    raise RuntimeError("the floor's process has no pipe")
                yield Taker(int(process.stdout.readline()), process.pid, here.state / "state.db")
            finally:
                process.terminate()
