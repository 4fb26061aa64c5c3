"""Facts about the choice of binary."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class BinaryPreferred(Fact, frozen=True, kw_only=True):
    """The user prefers a binary; an empty path means none any more."""

    kind: ClassVar[str] = "binary.preferred"

    path: str
