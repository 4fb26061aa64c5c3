"""Where the daemon's socket is, in plain strings: the status line, which is run all the time, imports nothing more."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # what `typing` says too, without its import
if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET = "daemon.sock"
_ROOM = 100
"""Bytes of a path that fit into every system's `sun_path` (104 or 108)."""


def state_place(env: Mapping[str, str]) -> str:
    """Return the state directory: `CLAUDE_CODE_MCP_HOME`, else the system's place for a program's state.

    The same rule as platformdirs' `user_state_path` (a test holds the two together), without its import.
    """
    named = env.get("CLAUDE_CODE_MCP_HOME", "")
    if named:
        return os.path.join(os.getcwd(), os.path.expanduser(named))  # noqa: PTH111 - see above
    home = env.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - see above
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "claude-code-mcp")
    xdg = env.get("XDG_STATE_HOME", "")
    return os.path.join(xdg if xdg.startswith("/") else os.path.join(home, ".local", "state"), "claude-code-mcp")


def reach(directory: str, name: str) -> tuple[str, int | None]:
    """Return a name for the socket that fits into `sun_path`, and an fd to close after use.

    A long state directory is reached through `/proc/self/fd` where the system has it.

    Raises:
        OSError: the path is too long for a Unix socket and there is no way around here.
    """
    path = os.path.join(directory, name)
    if len(os.fsencode(path)) < _ROOM:
        return path, None
    if not os.path.isdir("/proc/self/fd"):  # noqa: PTH112 - see above
        raise OSError(f"{path} is too long for a Unix socket; set CLAUDE_CODE_MCP_HOME to a shorter directory")
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    return f"/proc/self/fd/{fd}/{name}", fd
