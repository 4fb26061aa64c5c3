"""What can be wrong with a project path."""

from claude_code_mcp.kernel.errors import Invalid, NotFound


class ProjectNotFound(NotFound):
    """There is no such folder."""

    code = "project_not_found"


class ProjectNotADirectory(Invalid):
    """The path is a file."""

    code = "project_not_a_directory"


class BadProjectPath(Invalid):
    """No system has a path like this."""

    code = "bad_project_path"
