"""What can be wrong about a launch, a binary, or a file of Claude Code."""

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


class ConfigurationUnreadable(Unavailable):
    """A file of Claude Code cannot be read, or is not what it should be."""

    code = "claude_configuration_unreadable"


class InstructionsRefused(Invalid):
    """A project's CLAUDE.md leads out of the project, so it is not handed over."""

    code = "instructions_refused"
