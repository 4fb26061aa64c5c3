"""Processes that a run left behind when nobody supervised it: found by the tag in their environment, and ended."""

import asyncio
import os
import signal
import time

from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.identity import Identity, identity_of, is_alive, send_signal

_LOOK_S = 0.05
_KILL_BOUND_S = 5.0


async def find(run_id: str, known: tuple[Identity, ...] = ()) -> tuple[Identity, ...]:
    """Return the living processes of a run: those that carry its tag, and those of `known`; never a service of its
    own that the run happened to start. Looks at the whole process table, in a thread."""
    tagged = await asyncio.to_thread(_tagged, run_id)
    return tuple({*tagged, *(identity for identity in known if is_alive(identity))})


def _tagged(run_id: str) -> set[Identity]:
    rows = table.snapshot()
    rows.pop(os.getpid(), None)
    mine = table.carrying(rows, f"{table.RUN_TAG}={run_id}")
    services = table.carrying(mine, f"{table.SERVICE_TAG}=1")
    found = (identity_of(pid) for pid in mine - services - table.below(rows, services, set()))
    return {identity for identity in found if identity is not None}


async def end(run_id: str, known: tuple[Identity, ...], grace_s: float) -> tuple[Identity, ...]:
    """TERM them, KILL them after the grace, and return those that live on all the same."""
    deadline = time.monotonic() + grace_s
    give_up = deadline + _KILL_BOUND_S
    found = await find(run_id, known)
    while found and time.monotonic() < give_up:
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for identity in found:
            send_signal(identity, number)
            send_signal(identity, signal.SIGCONT)
        await _until_gone(found, deadline if number == signal.SIGTERM else time.monotonic() + 1)
        found = await find(run_id, known)  # again: they may have had children
    return found


async def _until_gone(found: tuple[Identity, ...], deadline: float) -> None:
    waiting = list(found)
    while waiting and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_S)
        waiting = [identity for identity in waiting if is_alive(identity)]


async def end_these(found: tuple[Identity, ...], grace_s: float) -> tuple[Identity, ...]:
    """TERM these very processes, KILL them after the grace, and return those that live on all the same."""
    for number, bound_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILL_BOUND_S)):
        for identity in found:
            send_signal(identity, number)
            send_signal(identity, signal.SIGCONT)
        await _until_gone(found, time.monotonic() + bound_s)
        found = tuple(identity for identity in found if is_alive(identity))
        if not found:
            break
    return found
