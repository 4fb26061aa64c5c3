"""Facts about trust."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class ProjectTrusted(Fact, frozen=True, kw_only=True):
    """The user trusts what can run code in a project, as it is now. Subject: the folder. `by`: `user` or `claude`."""

    kind: ClassVar[str] = "project.trusted"

    project_path: str
    fingerprint: str
    by: str


class ProjectUntrusted(Fact, frozen=True, kw_only=True):
    """The user took trust back. Subject: the folder."""

    kind: ClassVar[str] = "project.untrusted"

    project_path: str
