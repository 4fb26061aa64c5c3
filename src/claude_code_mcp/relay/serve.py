"""`claude-code-mcp serve`: the stdio MCP server that clients start."""

import json
import os
import sys
from collections.abc import Mapping, Sequence

from claude_code_mcp.platform.claude.environment import allowed
from claude_code_mcp.platform.ipc.address import state_dir
from claude_code_mcp.platform.ipc.connect import Channel, open_channel
from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.platform.settings.client_env import relay_names
from claude_code_mcp.relay.bridge import Bridge, leave_quietly_on_signals

USAGE = """usage: claude-code-mcp serve [--profile NAME] [--toolsets A,B] [--stream]

The MCP server on standard input and output, as MCP clients start it (also: python -m claude_code_mcp).

  --profile NAME   core (default), full, readonly, background-job, or a feature's name
  --toolsets A,B   only the tools of these features
  --stream         send claude.stream notifications while a call runs

Example: claude mcp add claude-code-mcp -- claude-code-mcp serve --profile full
"""


class UsageError(Exception):
    """The command line does not fit."""


def options_of(argv: Sequence[str], env: Mapping[str, str]) -> dict[str, object]:
    """Return the connection's options.

    Raises:
        UsageError: an argument is unknown or lacks its value.
    """
    options: dict[str, object] = {"profile": env.get("CLAUDE_CODE_MCP_PROFILE") or "core"}
    if env.get("CLAUDE_CODE_SESSION_ID"):  # who started us; its environment itself stays outside
        options["session"] = env["CLAUDE_CODE_SESSION_ID"]
    words = list(argv)
    while words:
        name, has_value, value = words.pop(0).partition("=")
        if name == "--stream" and not has_value:
            options["stream"] = True
            continue
        if name not in {"--profile", "--toolsets"}:
            raise UsageError(f"unknown argument {name!r}")
        if not has_value:
            if not words:
                raise UsageError(f"{name} needs a value")
            value = words.pop(0)
        options[name[2:]] = value.split(",") if name == "--toolsets" else value
    return options


def serve(argv: Sequence[str]) -> int:
    """Run the relay on our standard input and output; return the exit code."""
    if "--help" in argv or "-h" in argv:
        sys.stdout.write(USAGE)
        return 0
    try:
        options = options_of(argv, os.environ)
    except UsageError as exc:
        sys.stderr.write(f"claude-code-mcp serve: {exc}\n{USAGE}")
        return 2
    directory = state_dir(os.environ)
    env = allowed(os.environ, relay_names(os.environ, darwin=sys.platform == "darwin"))

    def dial() -> Channel:
        return open_channel(directory, "mcp", env, options)

    leave_quietly_on_signals()
    # Whatever prints by accident must not reach the wire: the client's pipe moves away from fd 1.
    fd_out = os.dup(1)
    os.dup2(2, 1)
    try:
        Bridge(dial, 0, fd_out).run()
    except Refused as exc:
        _refuse(fd_out, exc)
        return 1
    return 0


def _refuse(fd_out: int, exc: Refused) -> None:
    """Tell a person on stderr, and the client as well: a bare exit would only read as 'server crashed'."""
    sys.stderr.write(f"claude-code-mcp: {exc.code}: {exc}\n")
    error = {"code": -32603, "message": f"{exc.code}: {exc}"}
    answer = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}, separators=(",", ":"))
    os.write(fd_out, answer.encode() + b"\n")
