"""The first line each way on the daemon's socket. Standard library only: the relay speaks it too.

The client says who it is, where it stands, and with which environment its sessions shall run; the daemon
answers with its own version, or with an error. After that the connection belongs to the `kind` that was asked
for: `mcp` (lines of MCP), `rpc` (our own command line), `handover` (make room for a newer daemon).
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # what `typing` says too: the status line, which is run all the time, does not import it
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PROTOCOL = 1
LIMIT_BYTES = 4 * 1024 * 1024


class Refused(Exception):
    """The daemon does not take this connection; `code` and `remedy` are those of its error."""

    def __init__(self, code: str, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.code = code
        self.message = message
        self.remedy = remedy


def greeting(kind: str, version: str, env: Mapping[str, str], options: Mapping[str, Any]) -> bytes:
    """Return the client's line. `env` must already be reduced to what a session may see."""
    try:
        cwd = os.getcwd()
    except FileNotFoundError:
        cwd = ""
    line = {
        "hello": PROTOCOL,
        "version": version,
        "kind": kind,
        "client": {"pid": os.getpid(), "uid": os.getuid()},
        "cwd": cwd,
        "env": dict(env),
        "options": dict(options),
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def welcome(line: bytes) -> dict[str, Any]:
    """Return the daemon's answer.

    Raises:
        Refused: the daemon said no, or did not speak our language.
    """
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or ("welcome" not in answer and "error" not in answer):
        raise Refused("bad_welcome", "The daemon's socket did not answer as a claude-code-mcp daemon does.")
    if "error" in answer:
        error = answer["error"]
        raise Refused(str(error.get("code")), str(error.get("message")), str(error.get("remedy") or ""))
    if answer["welcome"] != PROTOCOL:
        raise Refused(
            "protocol_mismatch",
            f"The daemon speaks protocol {answer['welcome']}, this client {PROTOCOL}.",
            "Run `claude-code-mcp daemon restart`.",
        )
    return answer


def older(version: str, than: str) -> bool:
    """Tell whether `version` is older than `than`; anything but numbers and dots counts as not older."""
    try:
        return [int(part) for part in version.split(".")] < [int(part) for part in than.split(".")]
    except ValueError:
        return False
