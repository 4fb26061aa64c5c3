"""What can go wrong with a job, each with its stable code."""

from claude_code_mcp.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class TooManyJobs(Conflict):
    """As many jobs run as may."""

    code = "too_many_jobs"


class BadCommand(Invalid):
    """No system could run this."""

    code = "bad_command"


class BadDirectory(Invalid):
    """The working directory is not one that a job can run in."""

    code = "bad_directory"


class BadPattern(Invalid):
    """The regular expression cannot be used."""

    code = "bad_pattern"


class BadKeys(Invalid):
    """There is no key of this name."""

    code = "bad_keys"


class CommandDenied(Denied):
    """A rule of the policy refuses this command."""

    code = "command_denied"


class CommandNeedsConsent(Denied):
    """A rule of the policy wants a person's consent first."""

    code = "command_needs_consent"


class JobOver(Conflict):
    """The job does not run any more."""

    code = "job_over"


class JobAlive(Conflict):
    """The job still runs."""

    code = "job_alive"


class JobTakesNoInput(Conflict):
    """The job has no standard input, or has closed it."""

    code = "job_takes_no_input"


class JobHasNoTerminal(Conflict):
    """The job runs without a terminal."""

    code = "job_has_no_terminal"


class TaskNotRestartable(Conflict):
    """Claude Code's own background tasks cannot be started again from outside."""

    code = "task_not_restartable"


class JobNotStarted(Unavailable):
    """The machine could not start it."""

    code = "job_not_started"


class SandboxMissing(Unavailable):
    """This system cannot put the wished confinement in force."""

    code = "sandbox_missing"
