"""What can be wrong about a launch or a binary."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class OptionInvalid(Invalid):
    """A launch option has a form that Claude Code does not take, or that could become something else."""

    code = "launch_option_invalid"


class BinaryNotFound(NotFound):
    """No Claude Code that works was found on this machine."""

    code = "claude_not_found"


class BinaryUnusable(Unavailable):
    """The Claude Code that was asked for does not run, or is none."""

    code = "claude_unusable"


class BinaryTooOld(Conflict):
    """Claude Code is older than the oldest version that this program works with."""

    code = "claude_too_old"
