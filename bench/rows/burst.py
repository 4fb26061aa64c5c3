"""Twenty sessions at once: all of them to their end."""

import contextlib
from contextlib import ExitStack
from time import perf_counter

from bench.findings import Finding, Goal
from bench.peers import cli
from bench.place import Place, place
from bench.rounds import interleaved
from bench.rpc import Rpc
from bench.setting import Setting
from bench.talk import WAIT_S, check, start

PROMPT = "[s:tool]"


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    count = setting.size(20, 2)
    with place(setting.model_url) as here, contextlib.closing(here.rpc()) as rpc:
        found = interleaved(
            setting.rounds(3),
            setting.rng,
            {"ours": lambda: _ours(rpc, here, count), "bare": lambda: _bare(here, count)},
        )
    return [
        Finding(
            "burst",
            f"{count} sessions at once, wall",
            "s",
            found["ours"],
            f"{count} bare processes",
            found["bare"],
            Goal(1.1),
        )
    ]


def _ours(rpc: Rpc, here: Place, count: int) -> float:
    began = perf_counter()
    sessions = [start(rpc, here, PROMPT) for _ in range(count)]
    for session in sessions:
        rpc.send("sessions.wait", session_id=session.id, cursor=session.cursor, until="idle", wait_s=WAIT_S)
    for _ in sessions:
        check(rpc.receive())
    took_s = perf_counter() - began
    for session in sessions:
        rpc.send("sessions.abort", session_id=session.id, mode="stop")
    for _ in sessions:
        rpc.receive()
    return took_s


def _bare(here: Place, count: int) -> float:
    with ExitStack() as stack:
        began = perf_counter()
        processes = [stack.enter_context(cli.bare(here, PROMPT)) for _ in range(count)]
        codes = [process.wait(WAIT_S) for process in processes]
        took_s = perf_counter() - began
    if any(codes):
        raise RuntimeError(f"bare processes ended with {codes}")
    return took_s
