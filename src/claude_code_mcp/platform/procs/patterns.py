"""Regular expressions over bytes that take time in proportion to what they read: one that hangs would stop all jobs.

They are RE2's: no back references, no looking around. `^` and `$` are those of a line.
"""

from collections.abc import Iterator
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]  # it has no stubs

_MEMORY = 8 << 20


class Hit(Protocol):
    """One match."""

    def start(self) -> int:
        """Return where it begins."""
        ...

    def end(self) -> int:
        """Return where it ends."""
        ...


class Pattern(Protocol):
    """A regular expression."""

    def search(self, text: bytes, /) -> Hit | None:
        """Return the first match."""
        ...

    def finditer(self, text: bytes, pos: int, /) -> Iterator[Hit]:
        """Yield the matches from `pos` on; what stands before it is seen by `^`."""
        ...


class NoPattern(ValueError):
    """It is no regular expression, or a larger one than may be."""


def compiled(text: str) -> Pattern:
    """Return `text` as a regular expression of UTF-8.

    Raises:
        NoPattern: it is none.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return cast("Pattern", re2.compile(b"(?m)" + text.encode("utf-8", "surrogateescape"), options))
    except re2.error as exc:
        said = exc.args[0] if exc.args else ""
        raise NoPattern(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from exc
