"""What processes use: memory and processor time, from /proc where there is one."""

import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1e6


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: resident, its proportional share of shared pages, and what no other process shares."""

    rss: float
    pss: float
    private: float


def memory(pid: int) -> Memory:
    """Return the memory of a process; where the system tells no shares, these are its resident size."""
    if sys.platform != "linux":
        rss = float(psutil.Process(pid).memory_info().rss)
        return Memory(rss, rss, rss)
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]:
        name, value, *_ = line.split()
        found[name.rstrip(":")] = float(value) * 1024
    return Memory(found["Rss"], found["Pss"], found["Private_Clean"] + found["Private_Dirty"])


def cpu_s(pid: int) -> float:
    """Return the processor time that the process has used, its ended threads excepted; exact to microseconds."""
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.is_dir():
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    total = 0
    for task in tasks.iterdir():
        try:
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that ended while we looked
    return total / 1e9


def children(pid: int) -> list[psutil.Process]:
    """Return the processes right below `pid`."""
    return psutil.Process(pid).children()
