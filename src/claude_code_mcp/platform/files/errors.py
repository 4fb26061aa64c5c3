"""Why a file was left as it is."""

from claude_code_mcp.kernel.errors import Conflict, Denied, Invalid, Unavailable


class FileBroken(Invalid):
    """The file is not valid in its own format, so an edit could only damage it; `details` hold line and column."""

    code = "file_broken"


class FileRefused(Conflict):
    """The file is none that we may replace: not a regular file, another owner's, read-only, too large, binary."""

    code = "file_refused"


class FileBusy(Unavailable):
    """Others kept the file locked, or kept changing it, for as long as we were ready to wait."""

    code = "file_busy"


class FileUnavailable(Unavailable):
    """The disk would not serve: full, over quota, or failing."""

    code = "file_unavailable"


class DirectoryUnsafe(Denied):
    """A directory for private things is open to others, or belongs to somebody else."""

    code = "directory_unsafe"


class BrokenText(ValueError):
    """Text that is not valid in its format; `line` and `column` count from one, 0 where there is no position."""

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column
