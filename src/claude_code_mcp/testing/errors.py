"""What can be wrong with a script before the model answers anything."""

from claude_code_mcp.kernel.errors import Invalid, NotFound, Unavailable


class ScriptNotFound(NotFound):
    """There is no such script file and no built-in script of that name."""

    code = "script_not_found"


class ScriptInvalid(Invalid):
    """The script does not fit its schema; the message names the scenario, the step and the field."""

    code = "script_invalid"


class PortTaken(Unavailable):
    """The port that the model should answer on cannot be listened on."""

    code = "port_taken"
