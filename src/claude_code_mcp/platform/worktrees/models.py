"""The words of a tree: its entries, what was left out of it, and the whole of both."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Annotated

import msgspec

RESERVED = b".claude-code-mcp-restore-"
"""What the folder that a restore prepares its files in begins with; no scan and no manifest holds it."""


class Kind(IntEnum):
    """What an entry is; other kinds are never kept."""

    FILE = 1
    LINK = 2
    FOLDER = 3


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """One thing of a tree.

    `path` is relative, its components separated by `/`. `mode` holds the nine permission bits (0 for a link).
    `size` is that of the content, `digest` the SHA-256 of it, or of the list of its chunks where `chunked`; both are
    empty for links and folders. `target` is what a link says. `mtime_ns` of a folder is kept, but its change alone
    is none of the folder. `sealed`: what is stored is the content sealed (`platform.seal`), and the digest is that of
    the sealed bytes; `size` is that of the content. The bounds of the numbers are seen to when entries are decoded.
    """

    path: bytes
    kind: Annotated[int, msgspec.Meta(ge=1, le=3)]
    mode: Annotated[int, msgspec.Meta(ge=0, le=0o777)]
    size: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    mtime_ns: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    digest: bytes = b""
    chunked: bool = False
    target: bytes = b""
    sealed: bool = False

    def same_thing(self, other: "Entry") -> bool:
        """Tell whether a restore would have nothing to do, times aside."""
        return (self.kind, self.mode, self.size, self.digest, self.target) == (
            other.kind, other.mode, other.size, other.digest, other.target,
        )  # fmt: skip


class Reason(StrEnum):
    """Why something of the tree is not in its manifest, although no ignore rule says so."""

    SPECIAL = "special"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    TORN = "torn"
    OTHER_FILE_SYSTEM = "other_file_system"
    NAME_TOO_LONG = "name_too_long"
    VANISHED = "vanished"
    NO_KEY = "no_key"


class Omitted(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """One thing that was left out by name: a pipe, a socket, a device, what cannot be read, what kept changing.

    `torn`: the file changed during every try to read it. `no_key`: it was to be sealed, and the key was not to be had.
    A restore never touches what stands here.
    """

    path: bytes
    reason: Reason
    detail: str = ""


class Manifest(msgspec.Struct, frozen=True, dict=True):
    """A whole tree at one time: all entries by path, and what was left out by name."""

    entries: tuple[Entry, ...]
    omitted: tuple[Omitted, ...] = ()

    @cached_property
    def by_path(self) -> Mapping[bytes, Entry]:
        """Return the entries by their paths."""
        return {entry.path: entry for entry in self.entries}

    @property
    def files(self) -> int:
        """How many files it has."""
        return sum(entry.kind == Kind.FILE for entry in self.entries)

    @property
    def content_bytes(self) -> int:
        """How many bytes its files have."""
        return sum(entry.size for entry in self.entries)
