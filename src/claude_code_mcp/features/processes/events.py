"""What was done to processes."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class ProcessReaped(Fact, frozen=True, kw_only=True):
    """A process that was left over was ended on somebody's wish. Subject: its pid.

    `pid`, `command`: which, without secrets. `proof`: how it was known to be left over. `ended`: whether it is gone.
    """

    kind: ClassVar[str] = "process.reaped"

    pid: int
    command: str
    proof: str
    ended: bool
