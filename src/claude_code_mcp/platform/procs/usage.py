"""What runs cost the machine now."""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.identity import Identity, is_alive
from claude_code_mcp.platform.procs.models import Usage


async def usage_of(shims: Mapping[str, Identity]) -> dict[str, Usage]:
    """Return the usage of each run whose supervisor lives, by run id, from one look at the process table."""
    return await asyncio.to_thread(_measure, dict(shims))


def _measure(shims: dict[str, Identity]) -> dict[str, Usage]:
    rows = table.snapshot()
    found: dict[str, Usage] = {}
    for run_id, shim in shims.items():
        if shim.pid not in rows or not is_alive(shim):
            continue
        members = [rows[pid] for pid in table.below(rows, {shim.pid}, set())]
        found[run_id] = Usage(
            processes=sum(row.state != "Z" for row in members),
            rss_bytes=sum(row.rss_bytes for row in members),
            cpu_s=round(rows[shim.pid].reaped_cpu_s + sum(row.cpu_s + row.reaped_cpu_s for row in members), 3),
        )
    return found


@dataclass(frozen=True, slots=True)
class TreeUsage:
    """What a process and all below it use: `cpu_s` since each began, `rss_bytes` together; `at_s`: when, monotonic."""

    cpu_s: float
    rss_bytes: int
    processes: int
    at_s: float


def usage_below(pids: Collection[int]) -> dict[int, TreeUsage]:
    """Return what each of these processes uses with all its descendants, from one look at the process table."""
    rows = table.snapshot()
    found: dict[int, TreeUsage] = {}
    for pid in pids:
        if pid not in rows or rows[pid].state == "Z":
            continue
        members = [rows[pid], *(rows[below] for below in table.below(rows, {pid}, set()))]
        found[pid] = TreeUsage(
            cpu_s=sum(row.cpu_s + row.reaped_cpu_s for row in members),
            rss_bytes=sum(row.rss_bytes for row in members),
            processes=sum(row.state != "Z" for row in members),
            at_s=time.monotonic(),
        )
    return found
