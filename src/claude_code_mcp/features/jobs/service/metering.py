"""Limits that the system keeps for each process, or not at all, kept for the whole tree by measuring it."""

import asyncio
from collections.abc import Mapping

from claude_code_mcp.features.jobs.models import Job
from claude_code_mcp.platform.procs.models import Usage
from claude_code_mcp.platform.procs.run import Run

LOOK_S = (0.1, 1.0)
MEASURED = ("cpu_s", "memory_bytes", "processes")
BY_GROUP = "cgroup"


def to_measure(job: Job, run: Run) -> Mapping[str, int]:
    """Return the limits of the job that no control group keeps."""
    in_force = run.files.confined()
    limits = job.confinement.limits
    return {name: limits[name] for name in MEASURED if name in limits and in_force.get(name) != BY_GROUP}


async def over_limit(run: Run, limits: Mapping[str, int]) -> str:
    """Return, when the run's processes together use more than they may, in which way. Never returns for a run that
    keeps to it."""
    pause = LOOK_S[0]
    while True:
        await asyncio.sleep(pause)
        usage = await run.usage()
        said = _said(usage, limits) if usage is not None else ""
        if said:
            return said
        pause = min(pause * 1.5, LOOK_S[1])


def _said(usage: Usage, limits: Mapping[str, int]) -> str:
    if usage.cpu_s > limits.get("cpu_s", float("inf")):
        return f"its processes used more than {limits['cpu_s']} s of processor time"
    if usage.rss_bytes > limits.get("memory_bytes", float("inf")):
        return f"its processes used {usage.rss_bytes:,} bytes of memory, more than {limits['memory_bytes']:,}"
    if usage.processes > limits.get("processes", float("inf")):
        return f"it had {usage.processes} processes, more than {limits['processes']}"
    return ""
