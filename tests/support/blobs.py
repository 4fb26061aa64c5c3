"""Looking into an object store without its own code: everything that its packs hold, expanded."""

from collections.abc import Iterator
from pathlib import Path

import zstandard

HEADER_BYTES = 16
FOOTER_BYTES = 24


def expanded(blobs: Path) -> Iterator[bytes]:
    """Yield each block of each pack in the store at `blobs`, as docs/format/store.md describes them."""
    for path in (blobs / "packs").iterdir():
        pack = path.read_bytes()
        table_at = int.from_bytes(pack[-FOOTER_BYTES : 8 - FOOTER_BYTES], "little")
        left = pack[HEADER_BYTES:table_at]
        while left:
            frame = zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(left)
            left = frame.unused_data
