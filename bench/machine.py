"""The machine and the versions that the figures belong to."""

import os
import platform
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.place import claude_binary


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the benchmarks ran, and with what."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str
    claude: str
    versions: dict[str, str]

    def text(self) -> str:
        """Return one sentence."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gb:.0f} GB, {self.system}; Python {self.python}, "
            f"Claude Code {self.claude}, {versions}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def machine() -> Machine:
    """Look at this machine."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=psutil.virtual_memory().total / 1e9,
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        python=".".join(str(part) for part in sys.version_info[:3]),
        claude=_claude(),
        versions={name: version(name) for name in ("claude-code-mcp", "mcp", "msgspec", "pydantic")},
    )


def _cpu() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def _claude() -> str:
    said = subprocess.run([str(claude_binary()), "--version"], capture_output=True, text=True, check=False, timeout=30)
    return said.stdout.split(" ")[0].strip() or "unknown"
