"""What can go wrong with a session, each with its stable code."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class SessionNotFound(NotFound):
    """Neither we nor Claude Code know this session."""

    code = "session_not_found"


class EmptyPrompt(Invalid):
    """There is nothing to do."""

    code = "empty_prompt"


class BadPrompt(Invalid):
    """The prompt cannot be sent as it is."""

    code = "bad_prompt"


class SessionBusyElsewhere(Conflict):
    """A process that is not ours runs this session; two at once would lose turns."""

    code = "session_busy_elsewhere"


class SessionNotRunning(Conflict):
    """The wish needs a running turn."""

    code = "session_not_running"


class MessageKnown(Conflict):
    """The message id was used for another text or another session."""

    code = "message_id_taken"


class ControlRefused(Conflict):
    """Claude Code refused the change."""

    code = "refused_by_claude"


class ClaudeUnresponsive(Unavailable):
    """The CLI did not answer in time."""

    code = "claude_unresponsive"


class NotStarted(Unavailable):
    """Something unforeseen kept the session's process from being started."""

    code = "session_not_started"
