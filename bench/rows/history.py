"""A history of 2,000 transcripts and 50 live sessions of others: when they are known, and what watching them costs."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psutil

from bench.corpus import OLD_S, write_corpus
from bench.findings import Finding, Goal
from bench.place import place
from bench.rpc import Rpc
from bench.setting import Setting
from bench.usage import MB, memory
from claude_code_mcp.platform.procs.table import row_of

BOUND_S = 120.0
LIVE = 50


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    files, total = setting.size(2000, 40), setting.size(1_500_000_000, 2_000_000)
    rest_s = setting.size(20, 1)
    known: list[float] = []
    indexed: list[float] = []
    peak: list[float] = []
    idle: list[float] = []
    quiet: list[float] = []
    for _ in range(setting.rounds(3)):
        with place() as here, _living(here.base / "home" / ".claude", LIVE):
            projects = here.base / "home" / ".claude" / "projects"
            write_corpus(projects, files, total, setting.rng)
            _make_old(projects)
            began = time.monotonic()
            with contextlib.closing(here.rpc()) as rpc:
                pid = rpc.daemon_pid
                known.append(_until(rpc, lambda shown: shown["live"] == LIVE)[0] - began)
                done, most = _until(rpc, lambda shown: shown["transcripts"] >= files and not shown["waiting"])
                indexed.append(done - began)
                peak.append(most)
                time.sleep(min(3, rest_s))
                before = _cpu_s(pid)
                time.sleep(rest_s)
                idle.append((_cpu_s(pid) - before) / rest_s * 100)
                quiet.append(memory(pid).rss / MB)
    what = f"{files:,} transcripts, {total / 1e9:g} GB"
    return [
        Finding("history", f"start of the daemon to {LIVE} live sessions of others known", "s", known, goal=Goal(1)),
        Finding("history", f"start of the daemon to {what} indexed", "s", indexed, goal=Goal(10)),
        Finding("history", f"most memory of the daemon, {what}", "MB", peak, goal=Goal(150)),
        Finding("history", f"the daemon at rest with {LIVE} quiet sessions, of a core", "%", idle, goal=Goal(0.5)),
        Finding("history", f"its memory with {LIVE} quiet sessions", "MB", quiet, goal=Goal(100)),
    ]


def _until(rpc: Rpc, reached: Callable[[dict[str, Any]], bool]) -> tuple[float, float]:
    """Ask what is known until it is enough; return when that was, and the most memory of the daemon on the way, MB."""
    deadline = time.monotonic() + BOUND_S
    most = 0.0
    while True:
        shown = rpc.call("captures.sources")
        now = time.monotonic()
        most = max(most, memory(rpc.daemon_pid).rss / MB)
        if reached(shown):
            return now, most
        if now > deadline:
            raise TimeoutError(f"only {shown} is known")
        time.sleep(0.05)


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process with that of its threads that ended: readers end when they rest."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _make_old(projects: Path) -> None:
    for path in projects.rglob("*.jsonl"):
        os.utime(path, (OLD_S, OLD_S))


@contextlib.contextmanager
def _living(config: Path, count: int) -> Generator[None]:
    """Have processes that stand in the registry of live sessions and do nothing."""
    registry = config / "sessions"
    registry.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        for number in range(count):
            process = stack.enter_context(subprocess.Popen(["sleep", "3600"]))
            stack.callback(process.kill)
            row = row_of(process.pid)
            entry = {
                "pid": process.pid,
                "sessionId": f"00000000-0000-4000-a000-{number:012x}",
                "cwd": "/home/dev",
                "startedAt": int(time.time() * 1000),
                "procStart": str(row.start) if row else "",
                "status": "idle",
                "statusUpdatedAt": int(time.time() * 1000),
                "kind": "interactive",
                "entrypoint": "cli",
                "version": "2.1.328",
            }
            (registry / f"{process.pid}.json").write_text(json.dumps(entry))
        yield
