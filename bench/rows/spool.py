"""Hooks that were kept while no daemon ran: how fast the next one takes them up."""

import contextlib
import json
import sqlite3
from pathlib import Path
from time import perf_counter, sleep

from bench.findings import Finding, Goal
from bench.place import place
from bench.setting import Setting

LOOK_S = 0.001
LONGEST_S = 120.0


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    hooks = setting.size(40_000, 200)
    rates = [_rate(hooks) for _ in range(setting.rounds(5))]
    return [Finding("spool", "kept hooks taken up, a second", "/s", rates, goal=Goal(50_000, at_least=True))]


def _rate(hooks: int) -> float:
    """Return hooks a second, from the first in the log to the last."""
    with place() as here:
        spool = here.state / "spool"
        spool.mkdir(parents=True, mode=0o700)
        here.state.chmod(0o700)
        (spool / "log").write_bytes(b"".join(_record(number) for number in range(hooks)))
        with contextlib.closing(here.rpc()), contextlib.closing(_opened(here.state / "state.db")) as db:
            first_s, already = _until(db, 1)
            last_s, _ = _until(db, hooks)
    return (hooks - already) / (last_s - first_s)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _until(db: sqlite3.Connection, count: int) -> tuple[float, int]:
    """Wait until so many events are in the log; return when, and how many there were then. Hardly any are no hooks."""
    deadline = perf_counter() + LONGEST_S
    while (seen := int(db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])) < count:
        sleep(LOOK_S)
        if perf_counter() > deadline:
            raise RuntimeError(f"{seen} of {count} hooks are in the log")
    return perf_counter(), seen


def _record(number: int) -> bytes:
    """Return a record as the script keeps it: sessions that begin and end, the only ones kept while none listens."""
    session = f"00000000-0000-4000-8000-{number // 2:012x}"
    begins = number % 2 == 0
    hook = {
        "session_id": session,
        "transcript_path": f"/home/you/.claude/projects/-home-you-app/{session}.jsonl",
        "cwd": "/home/you/app",
        "hook_event_name": "SessionStart" if begins else "SessionEnd",
        **({"source": "startup", "model": "claude-opus-5-5"} if begins else {"reason": "other"}),
    }
    at = f"{1_795_160_000 + number // 1000}.{number % 1000:03}000000"
    return f"\n{at} 77 {json.dumps(hook, separators=(',', ':'))}\n".encode()
