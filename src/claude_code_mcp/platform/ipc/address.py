"""Where the daemon of a state directory listens. Standard library only: the relay reads this too."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SOCKET = "daemon.sock"
LOCK = "daemon.lock"
STARTING = "daemon.starting"


def state_dir(env: Mapping[str, str]) -> Path:
    """Return the state directory: `CLAUDE_CODE_MCP_HOME`, else the system's place for a program's state.

    The same rule as platformdirs' `user_state_path` (a test holds the two together), without its import.
    """
    named = env.get("CLAUDE_CODE_MCP_HOME", "")
    if named:
        return Path(named).expanduser().absolute()
    home = Path(env.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "claude-code-mcp"
    xdg = env.get("XDG_STATE_HOME", "")
    return (Path(xdg) if xdg.startswith("/") else home / ".local" / "state") / "claude-code-mcp"


def reachable(directory: Path, name: str) -> tuple[str, int | None]:
    """Return a name for the socket that fits into `sun_path` (104 bytes or so), and an fd to close after use.

    A long state directory is reached through `/proc/self/fd` where the system has it.

    Raises:
        OSError: the path is too long for a Unix socket and there is no way around here.
    """
    path = str(directory / name)
    if len(os.fsencode(path)) < 100:
        return path, None
    if not Path("/proc/self/fd").is_dir():
        raise OSError(f"{path} is too long for a Unix socket; set CLAUDE_CODE_MCP_HOME to a shorter directory")
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    return f"/proc/self/fd/{fd}/{name}", fd
