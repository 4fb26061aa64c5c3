"""Why a client's list was left alone."""

from claude_code_mcp.kernel.errors import Conflict, NotFound


class EntryTaken(Conflict):
    """The list has another server of that name."""

    code = "installation_name_taken"


class ProjectDirectoryMissing(NotFound):
    """The project that is named is no directory."""

    code = "project_directory_missing"
