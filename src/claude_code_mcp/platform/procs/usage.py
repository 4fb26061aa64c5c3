"""What runs cost the machine now."""

import asyncio
from collections.abc import Mapping

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
