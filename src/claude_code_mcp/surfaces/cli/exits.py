"""How a command ends: the exit codes, and the one shape of every failure."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

from claude_code_mcp.kernel import errors
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.platform.ipc.hello import Refused


class Exit(IntEnum):
    """What the shell is told. Documented in `--help`; a number never changes its meaning."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    DENIED = 5
    UNAVAILABLE = 6
    CLAUDE_ERROR = 10
    INTERRUPTED = 130
    PIPE_CLOSED = 141


EXITS_TEXT = """Exit codes: 0 done, 1 a bug of ours, 2 the arguments do not fit, 3 not found, 4 conflict, 5 denied,
6 unavailable, 10 Claude's answer is an error, 130 interrupted."""

FAMILIES: Mapping[str, int] = {
    family.code: family.exit_code
    for family in (
        errors.Invalid,
        errors.NotFound,
        errors.Conflict,
        errors.Denied,
        errors.Unavailable,
    )
}


class Failure(Exception):
    """A command that did not work, with everything that is shown of it."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        remedy: str = "",
        details: Mapping[str, Any] | None = None,
        exit_code: int = Exit.INTERNAL,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.details = dict(details or {})
        self.exit_code = int(exit_code)

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "remedy": self.remedy,
                "details": self.details,
            }
        }

    def as_line(self) -> str:
        """Return the line for standard error."""
        return f"error: {' '.join(part for part in (self.message, self.remedy) if part)} ({self.code})"


def from_kernel(exc: ClaudeCodeMcpError) -> Failure:
    """Return the failure that an error raised in this process is shown as."""
    return Failure(exc.code, exc.message, remedy=exc.remedy, details=exc.details, exit_code=exc.exit_code)


def from_refusal(exc: Refused) -> Failure:
    """Return the failure of a connection that the daemon did not take, or that could not be made."""
    return Failure(exc.code, exc.message, remedy=exc.remedy, exit_code=Exit.UNAVAILABLE)


def from_wire(error: Mapping[str, Any], raises: Iterable[type[ClaudeCodeMcpError]] = ()) -> Failure:
    """Return the failure that the daemon's `error` object describes.

    The exit code is the one the daemon sends; an older daemon sends none, then the operation's declared errors
    (`raises`) and the families of the kernel are asked.
    """
    code = str(error.get("code") or "internal")
    known = dict(FAMILIES) | {leaf.code: leaf.exit_code for leaf in raises}
    sent = error.get("exit_code")
    details = error.get("details")
    return Failure(
        code,
        str(error.get("message") or "The daemon gave no reason."),
        remedy=str(error.get("remedy") or ""),
        details=details if isinstance(details, dict) else {},
        exit_code=sent if isinstance(sent, int) else known.get(code, Exit.INTERNAL),
    )
