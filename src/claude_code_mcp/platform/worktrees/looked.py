"""The words of a walk: what it is asked for, what it saw, and where something may have changed since."""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from claude_code_mcp.platform.seal.content import SealWith
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions, IgnoreRules
from claude_code_mcp.platform.worktrees.models import Entry, Omitted
from claude_code_mcp.platform.worktrees.statcache import NEVER, RACY_NS, KnownFolder, Signature

MOST_FILE_BYTES = 2 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """What a scan takes: the ignore options, the size above which files are left out, and exact paths that are taken
    whatever the rules say (those that a restore will replace). `seal`: with what secrets are sealed, where they are."""

    ignore: IgnoreOptions = field(default_factory=IgnoreOptions)
    most_file_bytes: int = MOST_FILE_BYTES
    also: Collection[bytes] = ()
    seal: SealWith | None = None

    def fingerprint(self, rules: IgnoreRules) -> bytes:
        """Return what is the same where a file that looks the same is kept the same way."""
        sealed_by = self.seal.key_id if self.seal is not None else b""
        return hashlib.sha256(rules.fingerprint + sealed_by).digest() if sealed_by else rules.fingerprint


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many things were left out for one reason (folders count once), and a few of them."""

    reason: str
    count: int
    examples: tuple[bytes, ...]


class Pending(NamedTuple):
    """A file that must be read, its size when it was seen, and whether it is to be sealed."""

    path: bytes
    size: int
    sealed: bool = False


@dataclass(slots=True)
class Scan:
    """What a walk saw.

    `entries` (in no order) lacks the files that are `pending`. `changed` tells whether anything differs from the
    cache. `folders` is what the next cache will hold, once the pending files are in it. `hard_linked` files are kept
    as files of their own.
    """

    fingerprint: bytes
    exceptions: bytes
    started_ns: int
    changed: bool = False
    entries: list[Entry] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    omitted: list[Omitted] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    folders: dict[bytes, KnownFolder] = field(default_factory=dict)
    hard_linked: int = 0

    def signature(self, info: os.stat_result) -> Signature:
        """Return what changes when a file changes; of one that is too young to tell, what never fits."""
        young = max(info.st_mtime_ns, info.st_ctime_ns) > self.started_ns - RACY_NS
        return NEVER if young else signature_of(info)


@dataclass(frozen=True, slots=True)
class Dirty:
    """Where something may have changed since the cache was made: in these folders, and anywhere below these trees."""

    folders: frozenset[bytes] = frozenset()
    trees: frozenset[bytes] = frozenset()

    def touched(self) -> frozenset[bytes]:
        """Return them with all folders above them."""
        named = self.folders | self.trees
        above = {path[:at] for path in named for at, byte in enumerate(path) if byte == ord("/")}
        return named | above | {b""}


def signature_of(info: os.stat_result) -> Signature:
    """Return what changes when a file changes."""
    return (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_mode)
