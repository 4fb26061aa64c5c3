"""What this system can limit and confine, found out by trying."""

import os
import tempfile
from pathlib import Path

from claude_code_mcp.features.jobs.models import Capabilities
from claude_code_mcp.platform.procs import landlock
from claude_code_mcp.platform.procs.cgroups import Cgroups
from claude_code_mcp.platform.procs.confine import found
from claude_code_mcp.platform.procs.ring import CannotPunch, Cut, punch

TCP_ABI = 4
MEASURED = "the whole tree by measuring"


def capabilities(cgroups: Cgroups, directory: Path) -> Capabilities:
    """Return what can be put in force; `directory` is where outputs are kept."""
    tree = cgroups.controllers
    return Capabilities(
        limits={
            "memory_bytes": "the whole tree" if "memory" in tree else f"each process, {MEASURED}",
            "processes": "the whole tree" if "pids" in tree else f"each user and not root, {MEASURED}",
            "cpu_s": f"each process, {MEASURED}",
            "file_bytes": "each process",
            "nice": "each process",
        },
        sandboxes={"limits": "as above", "fs": _files(), "fs+net": _network()},
        ring=can_punch(directory),
    )


def _files() -> str:
    version = landlock.abi()
    if version:
        return f"Landlock, ABI {version}"
    return "bubblewrap" if found("bwrap") else "missing: neither Landlock in the kernel nor bubblewrap is there"


def _network() -> str:
    files = _files()
    if files == "bubblewrap" or files.startswith("missing"):
        return files
    least = "Landlock for TCP alone" if landlock.abi() >= TCP_ABI else "none, and the start is refused then"
    return f"a network namespace; where the system refuses one, {least}"


def can_punch(directory: Path) -> bool:
    """Tell whether the file system of `directory` can free a part of a file."""
    with tempfile.TemporaryFile(dir=directory) as file:
        os.ftruncate(file.fileno(), 8192)
        try:
            punch(file.fileno(), Cut(0, 4096))
        except CannotPunch:
            return False
    return True
