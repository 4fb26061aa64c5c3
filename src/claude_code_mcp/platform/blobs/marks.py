"""Marks on packs: empty files whose name says everything, so that there is nothing in them to be damaged."""

import re
from dataclasses import dataclass

from claude_code_mcp.platform.blobs.backend import Backend

_MARK = re.compile(r"(?P<pack>[0-9a-f]{64})\.(?:(?P<condemned>condemned)|(?P<at>\d{1,19})\.damaged)\Z")


@dataclass(frozen=True, slots=True)
class Marks:
    """`condemned` packs are about to be swept; `damaged` are blocks (pack, offset) that were seen to be."""

    condemned: frozenset[str] = frozenset()
    damaged: frozenset[tuple[str, int]] = frozenset()


def read_marks(backend: Backend) -> Marks:
    """Return all marks; names that are none are passed over.

    Raises:
        OSError: the place would not serve.
    """
    found = [match for name in backend.names("marks") if (match := _MARK.match(name))]
    return Marks(
        frozenset(match["pack"] for match in found if match["condemned"]),
        frozenset((match["pack"], int(match["at"])) for match in found if match["at"]),
    )


def condemn(backend: Backend, pack: str) -> None:
    """Mark `pack`: from now on nobody new relies on what it holds."""
    backend.put("marks", f"{pack}.condemned", b"")


def spare(backend: Backend, pack: str) -> None:
    """Take that back, or clear it away with the pack."""
    backend.delete("marks", f"{pack}.condemned")


def mark_damaged(backend: Backend, pack: str, at: int) -> None:
    """Mark the block at `at` of `pack`: whoever puts what it holds stores it again."""
    backend.put("marks", f"{pack}.{at}.damaged", b"")


def clear_damaged(backend: Backend, pack: str, at: int) -> None:
    """Clear the mark away, with the pack."""
    backend.delete("marks", f"{pack}.{at}.damaged")
