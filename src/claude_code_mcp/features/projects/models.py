"""Projects, their standing, and what may be asked about them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply, Request

ProjectPath = Annotated[str, Field(min_length=1, max_length=4096)]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a project is trusted.

    `why` says who said so; `left_out` what an untrusted run goes without; `first_seen` that its trust is not kept yet.
    """

    trusted: bool
    why: str
    fingerprint: str
    left_out: tuple[str, ...] = ()
    first_seen: bool = False


class ShowProject(Request):
    """Look at a project."""

    project_path: ProjectPath | None = None
    """Its folder; default: the client's."""


class TrustProject(Request):
    """Trust a project as it is now."""

    project_path: ProjectPath | None = None
    """Its folder; default: the client's."""


class UntrustProject(Request):
    """Take trust back."""

    project_path: ProjectPath | None = None
    """Its folder; default: the client's."""


class ListProjects(Request):
    """Find projects that were trusted here."""


class ExecutableFile(Reply):
    """One part of a project's configuration that can run code."""

    path: str
    """File, relative to the project."""
    does: list[str] = Field(default_factory=list)
    """What it can do."""


class ProjectInfo(Reply):
    """A project and its standing."""

    project_path: str
    """Its folder, links resolved."""
    trusted: bool
    """Its own configuration is used."""
    why: str
    """Who said so, or why not."""
    executable: list[ExecutableFile] = Field(default_factory=list)
    """Its configuration that can run code."""
    trusted_at: str | None = None
    """When it was trusted here, UTC."""

    def text(self) -> str:
        """Return the standing, what there is to trust, and how to trust it."""
        head = f"{self.project_path}: {'trusted' if self.trusted else 'not trusted'} ({self.why})"
        files = [f"  {item.path}: {', '.join(item.does)}" for item in self.executable]
        how = "" if self.trusted or not files else "\nTrust it with: claude-code-mcp projects trust"
        return "\n".join([head, *files]) + how


class ProjectList(Reply):
    """Projects that were trusted here."""

    items: list[ProjectInfo]
    """The projects."""

    def text(self) -> str:
        """Return one line each."""
        return "\n".join(item.text() for item in self.items) or "No project was trusted here."
