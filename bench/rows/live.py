"""Twenty live sessions: what daemon and shims use, and how soon a new daemon follows them all after kill -9."""

import contextlib
import json
import os
import signal
from statistics import median
from time import monotonic, perf_counter, sleep

from bench.findings import Finding, Goal
from bench.place import ROOT, Place, place
from bench.rpc import Rpc
from bench.setting import Setting
from bench.talk import WAIT_S, Session, check, start, until_event
from bench.usage import MB, Memory, memory
from bench.wire import Child, encoded

PROMPT = "[s:tool]"
SLOW = "[s:late]"
"""Answers after two seconds: time to kill the daemon."""
ALONE_S = 60.0


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    count = setting.size(20, 2)
    with place(setting.model_url) as here:
        with contextlib.closing(here.rpc()) as rpc, Child(here.relay(), here.env, str(ROOT)) as client:
            client.shake_hands()
            client.send(encoded({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
            client.line()
            sessions = [start(rpc, here, PROMPT) for _ in range(count)]
            _all_idle(rpc, sessions)
            daemon, shims = memory(rpc.daemon_pid), _shims(here)
        again = [_reattach(here, sessions) for _ in range(setting.rounds(5))]
    return [
        *_memory(count, daemon, shims),
        Finding(
            "live",
            f"kill -9 with {count} working sessions: all followed again",
            "s",
            again,
            goal=Goal(2),
            note="from the start of the new daemon until each turn that ended without one is recorded and known",
        ),
    ]


def _memory(count: int, daemon: Memory, shims: list[Memory]) -> list[Finding]:
    return [
        Finding(
            "live",
            f"daemon with {count} live sessions and an MCP client (RSS)",
            "MB",
            [daemon.rss / MB],
            goal=Goal(80),
            note=f"PSS {daemon.pss / MB:.1f} MB",
        ),
        Finding(
            "live",
            "a session's shim (RSS)",
            "MB",
            [shim.rss / MB for shim in shims],
            goal=Goal(12),
            note=(
                f"PSS {median(shim.pss for shim in shims) / MB:.1f} MB, "
                f"private {median(shim.private for shim in shims) / MB:.1f} MB: they share the rest"
            ),
        ),
    ]


def _shims(here: Place) -> list[Memory]:
    """Return the memory of each run's supervisor."""
    records = (here.state / "runs").glob("*/procs.json")
    return [memory(json.loads(path.read_bytes())["shim"]["pid"]) for path in records]


def _all_idle(rpc: Rpc, sessions: list[Session]) -> None:
    """Wait until every session has ended its turn well."""
    for session in sessions:
        rpc.send("sessions.wait", session_id=session.id, cursor=session.cursor, until="idle", wait_s=WAIT_S)
    for _ in sessions:
        check(rpc.receive())


def _reattach(here: Place, sessions: list[Session]) -> float:
    """Kill the daemon while all sessions work, let them end their turns alone, and time the next daemon."""
    with contextlib.closing(here.rpc()) as rpc:
        results = _results(here)
        for session in sessions:
            session.cursor = rpc.call("sessions.send", session_id=session.id, prompt=SLOW)["cursor"]
        for session in sessions:
            until_event(rpc, session, kind="message.started")
        os.kill(rpc.daemon_pid, signal.SIGKILL)
        rpc.until_gone(ALONE_S)
    deadline = monotonic() + ALONE_S
    while _results(here) < results + len(sessions):
        if monotonic() > deadline:
            raise TimeoutError(f"the sessions did not end their turns within {ALONE_S:.0f} s")
        sleep(0.05)
    began = perf_counter()
    with contextlib.closing(here.rpc()) as rpc:
        _all_idle(rpc, sessions)
        return perf_counter() - began


def _results(here: Place) -> int:
    """Return how many turns the processes say to have ended."""
    return sum(path.read_bytes().count(b'"type":"result"') for path in (here.state / "runs").glob("*/stdout"))
