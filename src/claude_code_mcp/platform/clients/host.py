"""The machine as installing sees it: whose home, which system, and how this program is started on it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

PROGRAM = "claude-code-mcp"
MODULE = "claude_code_mcp"


class System(StrEnum):
    """What the clients run on."""

    LINUX = "linux"
    MACOS = "macos"
    WSL = "wsl"


@dataclass(frozen=True, slots=True)
class Host:
    """One user on one machine. `launcher` is the command, absolute, that starts this program.

    On WSL the graphical clients are Windows programs: `windows_users` is where their homes are mounted, and
    `distribution` the name by which Windows starts ours.
    """

    home: Path
    system: System
    launcher: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    windows_users: Path = Path("/mnt/c/Users")
    distribution: str = ""

    def of_client(self, env: Mapping[str, str]) -> "Host":
        """Return the host as a caller with the environment `env` sees it.

        A daemon's own environment is that of whoever started it, so nothing of it is mixed in.
        """
        named = env.get("HOME", "")
        return replace(self, home=Path(named) if named.startswith("/") else self.home, env=dict(env or self.env))

    @property
    def config_home(self) -> Path:
        """Where programs on Linux keep their configuration (XDG base directory specification)."""
        named = self.env.get("XDG_CONFIG_HOME", "")
        return Path(named) if named.startswith("/") else self.home / ".config"


def current_host(env: Mapping[str, str]) -> Host:
    """Return the host that this process runs on; `env` is its environment."""
    named = env.get("HOME", "")
    return Host(
        home=Path(named) if named.startswith("/") else Path.home(),
        system=_system(env),
        launcher=launcher(sys.executable),
        env=dict(env),
        distribution=env.get("WSL_DISTRO_NAME", ""),
    )


def launcher(executable: str) -> tuple[str, ...]:
    """Return how the copy of this program that belongs to the Python `executable` is started.

    The script beside the interpreter where it was installed with one, else the interpreter with `-m`.
    """
    script = Path(executable).absolute().with_name(PROGRAM)
    if script.is_file() and os.access(script, os.X_OK):
        return (str(script),)
    return (str(Path(executable).absolute()), "-m", MODULE)


def _system(env: Mapping[str, str]) -> System:
    if sys.platform == "darwin":
        return System.MACOS
    if env.get("WSL_DISTRO_NAME"):
        return System.WSL
    try:
        kernel = Path("/proc/sys/kernel/osrelease").read_text(encoding="ascii", errors="replace").lower()
    except OSError:
        kernel = ""
    return System.WSL if "microsoft" in kernel else System.LINUX
