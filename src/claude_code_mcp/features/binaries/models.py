"""Binaries and what may be asked about them."""

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply, Request


class FindBinary(Request):
    """Find Claude Code."""

    refresh: bool = False
    """Look at every candidate again instead of remembering those that did not change."""


class UseBinary(Request):
    """Prefer one binary."""

    path: str | None = Field(default=None, max_length=4096)
    """The binary to prefer; without it the preference is forgotten."""


class CheckUpdates(Request):
    """Look for a newer Claude Code."""


class Candidate(Reply):
    """One binary."""

    path: str
    """Where it was found."""
    source: str
    """How it was found."""
    version: str | None = None
    """Its version."""
    problem: str | None = None
    """Why it cannot be used."""
    chosen: bool = False
    """The one that is run."""

    def line(self) -> str:
        """Return one line."""
        mark = "*" if self.chosen else " "
        return f"{mark} {self.version or '-':12} {self.source:12} {self.path}" + (
            f"  BROKEN: {self.problem}" if self.problem else ""
        )


class BinaryFound(Reply):
    """The binary that is run, and all that were found."""

    binary_path: str
    """The binary that is run."""
    version: str
    """Its version."""
    source: str
    """How it was found."""
    candidates: list[Candidate] = Field(default_factory=list)
    """All that were found, best first."""

    def text(self) -> str:
        """Return the chosen one and the list."""
        rest = "\n".join(candidate.line() for candidate in self.candidates)
        return f"binary_path: {self.binary_path}\nversion: {self.version}\nsource: {self.source}\n{rest}"


class UpdateReport(Reply):
    """Whether there is a newer Claude Code."""

    current_version: str
    """The version that is run."""
    latest_version: str | None = None
    """The newest release, if it could be asked for."""
    update_available: bool | None = None
    """None when it is not known."""
    update_command: str
    """How to update."""
    problem: str | None = None
    """Why the newest release is not known."""

    def text(self) -> str:
        """Return one or two lines."""
        if self.latest_version is None:
            return f"current_version: {self.current_version}\nThe newest release is not known: {self.problem}"
        verdict = f"update with: {self.update_command}" if self.update_available else "up to date"
        return f"current_version: {self.current_version}\nlatest_version: {self.latest_version}\n{verdict}"
