"""What the last scan of a tree saw, in one compressed blob: a file that looks the same need not be read again.

A cache is a copy that may be lost: one that cannot be read is as good as none.
"""

from collections.abc import Mapping

import msgspec
import zstandard

from claude_code_mcp.platform.worktrees.models import Entry, Omitted

VERSION = 1
RACY_NS = 10_000_000
"""Two changes within one tick of a file system's clock look like one, so whoever is this young is read again."""
_MOST_BYTES = 4 * 1024 * 1024 * 1024

Signature = tuple[int, int, int, int, int]
"""Size, mtime and ctime in nanoseconds, inode, mode with its type."""
NEVER: Signature = (-1, -1, -1, -1, -1)


class Known(msgspec.Struct, array_like=True, gc=False):
    """One thing that was kept: how it looked, and what it was. `plain`: no override had a say about it."""

    signature: Signature
    entry: Entry
    plain: bool = True


class KnownFolder(msgspec.Struct, array_like=True, gc=False):
    """What one folder held under the rules with the digest `rules`; `left_out` has the source of each verdict."""

    rules: bytes
    kept: dict[bytes, Known]
    left_out: dict[bytes, tuple[bool, str]]


class StatCache(msgspec.Struct, array_like=True):
    """The last scan: the rules outside the tree, their exceptions, the manifest that came of it, and all folders."""

    fingerprint: bytes
    exceptions: bytes
    manifest: bytes
    folders: Mapping[bytes, KnownFolder]
    omitted: tuple[Omitted, ...] = ()


class _File(msgspec.Struct, array_like=True):
    version: int
    cache: StatCache


def encode_cache(cache: StatCache) -> bytes:
    """Return the cache as one blob."""
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(
        msgspec.msgpack.encode(_File(VERSION, cache))
    )


def decode_cache(blob: bytes | None) -> StatCache | None:
    """Return what `blob` holds, None where it is no cache of this version."""
    if not blob:
        return None
    try:
        if not 0 <= zstandard.get_frame_parameters(blob).content_size <= _MOST_BYTES:
            return None
        file = _decoder().decode(zstandard.ZstdDecompressor().decompress(blob))
    except (zstandard.ZstdError, msgspec.MsgspecError, MemoryError):
        return None
    return file.cache if file.version == VERSION else None


def _decoder() -> msgspec.msgpack.Decoder[_File]:
    return msgspec.msgpack.Decoder(_File)
