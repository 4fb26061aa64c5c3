"""Contents to store, and a store to put them in."""

import hashlib
import io
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from claude_code_mcp.platform.blobs.objects import Ref
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.blobs.store import Store


def digest_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def some(count: int, *, seed: int = 1, most: int = 3000) -> list[bytes]:
    """Return `count` different contents, text and noise."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        size = chance.randrange(most)
        text = b"".join(b"line %d of %d\n" % (line, number) for line in range(size // 16))
        found.append(b"%d:%d:" % (seed, number) + (text if number % 3 else chance.randbytes(size)))
    return found


def keep(store: Store, contents: Iterable[bytes]) -> list[bytes]:
    """Put and commit `contents`; return their digests."""
    with store.writer() as writer:
        digests = [writer.put(data) for data in contents]
        writer.commit()
    return digests


def keep_stream(store: Store, data: bytes) -> Ref:
    with store.writer() as writer:
        ref = writer.put_stream(io.BytesIO(data).read)
        writer.commit()
    return ref


def content(reader: Reader, ref: Ref) -> bytes:
    out = io.BytesIO()
    assert reader.write_to(ref, out.write) == ref.size
    return out.getvalue()


def read_all(store: Store, digests: Sequence[bytes]) -> list[bytes]:
    with store.reader() as reader:
        return [reader.read(digest) for digest in digests]


def packs_of(path: Path) -> list[Path]:
    return sorted((path / "packs").iterdir())
