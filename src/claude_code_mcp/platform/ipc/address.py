"""Where the daemon of a state directory listens. Standard library only: the relay reads this too."""

from collections.abc import Mapping
from pathlib import Path

from claude_code_mcp.platform.ipc.place import SOCKET, reach, state_place

__all__ = ["LOCK", "SOCKET", "STARTING", "reachable", "state_dir"]

LOCK = "daemon.lock"
STARTING = "daemon.starting"


def state_dir(env: Mapping[str, str]) -> Path:
    """Return the state directory (see `state_place`)."""
    return Path(state_place(env))


def reachable(directory: Path, name: str) -> tuple[str, int | None]:
    """Return a name for the socket that fits into `sun_path`, and an fd to close after use (see `reach`).

    Raises:
        OSError: the path is too long for a Unix socket and there is no way around here.
    """
    return reach(str(directory), name)
