"""What can go wrong with a look at activity."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound


class ActivityNotFound(NotFound):
    """No session of this id was seen, or none where one was to be guessed."""

    code = "activity_not_found"


class SessionAmbiguous(Invalid):
    """Several sessions fit; the message names them."""

    code = "session_ambiguous"


class NodeNotFound(NotFound):
    """The session's tree has no such node."""

    code = "node_not_found"


class ExportTooBig(Invalid):
    """The document does not fit into a reply."""

    code = "export_too_big"


class ExportRefused(Conflict):
    """The file cannot be written; an existing one is never overwritten."""

    code = "export_refused"
