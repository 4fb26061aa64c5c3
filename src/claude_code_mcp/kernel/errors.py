"""Every error that a caller can act on: one root, one stable code for each leaf."""

from typing import ClassVar


class ClaudeCodeMcpError(Exception):
    """Something the caller can act on; any other exception is a bug of ours.

    `message` says what is wrong and with which id, `remedy` what to do next, `details` holds the same
    for programs. `code` never changes once released; `status` is the HTTP status of its family and
    `exit_code` the one of the command line.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "", **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class Invalid(ClaudeCodeMcpError):
    """The request does not fit; nothing was changed."""

    code, status, exit_code = "invalid", 422, 2


class NotFound(ClaudeCodeMcpError):
    """What the request names does not exist."""

    code, status, exit_code = "not_found", 404, 3


class Conflict(ClaudeCodeMcpError):
    """The thing exists, but its state does not allow the wish now."""

    code, status, exit_code = "conflict", 409, 4


class Denied(ClaudeCodeMcpError):
    """The caller may not do this."""

    code, status, exit_code = "denied", 403, 5


class Unavailable(ClaudeCodeMcpError):
    """Something that we need (the daemon, the CLI, the disk) cannot serve now."""

    code, status, exit_code = "unavailable", 503, 6
