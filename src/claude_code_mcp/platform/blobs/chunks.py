"""Big content: cut where its bytes say so, so that an insertion moves the cuts along, and listed chunk by chunk."""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from claude_code_mcp.platform.blobs.errors import Malformed

SMALLEST, AVERAGE, LARGEST = 256 * 1024, 1024 * 1024, 2 * 1024 * 1024
WINDOW_BYTES = 2 * LARGEST
"""So much is asked for at once."""
_HEAD = struct.Struct("<8sQI")
_MAGIC = b"CCMLIST\x01"
_CHUNK = struct.Struct("<32sI")


class Chunk(NamedTuple):
    """One piece of big content."""

    digest: bytes
    size: int


def cut(first: bytes, read: Callable[[], bytes]) -> Iterator[memoryview]:
    """Yield the chunks of `first` and of what `read` gives until it gives none, as views of what was read.

    Holds what it has not yet yielded, at most LARGEST and one reading more. Equal content gives equal chunks, however
    `read` cuts it.
    """
    # It brings a command line along: who has no big files does not pay for it.
    from fastcdc import fastcdc  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no stubs

    held = first
    ended = False
    while held or not ended:
        if not ended and len(held) < WINDOW_BYTES:
            more = read()
            ended = not more
            held = held + more if held else more
            continue
        view = memoryview(held)
        at = 0
        for chunk in fastcdc(view, SMALLEST, AVERAGE, LARGEST):
            # A cut depends on the next LARGEST bytes: nearer to the end it is only right where there is no more.
            if not ended and len(held) - at < LARGEST:
                break
            yield view[at : at + chunk.length]
            at += chunk.length
        held = held[at:]


def encode_list(chunks: Sequence[Chunk]) -> bytes:
    """Return the list of `chunks` as bytes."""
    head = _HEAD.pack(_MAGIC, sum(chunk.size for chunk in chunks), len(chunks))
    return head + b"".join(_CHUNK.pack(*chunk) for chunk in chunks)


def decode_list(data: bytes) -> list[Chunk]:
    """Return the chunks that `data` lists.

    Raises:
        Malformed: it is no such list.
    """
    if len(data) < _HEAD.size:
        raise Malformed("a list of chunks is cut off")
    magic, size, count = _HEAD.unpack_from(data)
    if magic != _MAGIC or len(data) != _HEAD.size + count * _CHUNK.size:
        raise Malformed("bytes are no list of chunks")
    chunks = [Chunk(*found) for found in _CHUNK.iter_unpack(data[_HEAD.size :])]
    if sum(chunk.size for chunk in chunks) != size:
        raise Malformed("a list of chunks does not add up")
    return chunks
