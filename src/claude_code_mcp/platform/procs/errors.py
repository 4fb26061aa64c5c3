"""What can go wrong with a run, as its callers can act on it."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class BadRunSpec(Invalid):
    """No system could start this: a NUL, no program, a name that is no variable's."""

    code = "bad_run_spec"


class RunNotFound(NotFound):
    """There is no run directory of this id."""

    code = "run_not_found"


class RunIsAlive(Conflict):
    """The wish needs a run that is over."""

    code = "run_is_alive"


class SpawnFailed(Unavailable):
    """The machine has no process, descriptor, memory or disk left for a new run; nothing was started."""

    code = "spawn_failed"


class DiskLow(Unavailable):
    """Too little space is left for the output of a new run."""

    code = "disk_low"


class StdinClosed(Conflict):
    """Nobody reads the run's standard input any more."""

    code = "run_stdin_closed"


class StdinStalled(Unavailable):
    """The run does not read its standard input. `details["taken"]`: bytes of the line already handed over; when
    not 0 the rest goes out before anything else, so the run sees the line whole should it read again."""

    code = "run_stdin_stalled"


class OutputGone(Unavailable):
    """The output file was taken away and cannot be reached through the process either."""

    code = "run_output_gone"
