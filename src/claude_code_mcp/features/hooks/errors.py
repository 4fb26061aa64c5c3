"""Why settings were left alone."""

from claude_code_mcp.kernel.errors import Conflict, NotFound


class HooksProjectMissing(NotFound):
    """The project whose settings are meant is no directory."""

    code = "hooks_project_missing"


class PluginFolderTaken(Conflict):
    """The folder for the plugin holds something else."""

    code = "plugin_folder_taken"
