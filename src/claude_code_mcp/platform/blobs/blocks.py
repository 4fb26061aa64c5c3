"""Compressed blocks: zstd frames that say how long they are, and are believed only within bounds."""

import threading

import zstandard

from claude_code_mcp.platform.blobs.errors import Malformed
from claude_code_mcp.platform.blobs.objects import OBJECT_BYTES

LEVEL = 1
_WINDOW_BYTES = 1 << 27


class Codec:
    """Compresses and expands, from any thread."""

    def __init__(self, level: int = LEVEL) -> None:
        self._level = level
        self._own = threading.local()

    def pack(self, raw: bytes | memoryview) -> bytes:
        """Return `raw` as one frame, with its length and a checksum."""
        packer = getattr(self._own, "packer", None)
        if packer is None:
            packer = self._own.packer = zstandard.ZstdCompressor(level=self._level, write_checksum=True)
        return bytes(packer.compress(raw))

    def unpack(self, frame: bytes, raw_bytes: int, *, limit_bytes: int = OBJECT_BYTES) -> bytes:
        """Return what `frame` holds, which must be exactly `raw_bytes`.

        Memory is taken for what we expect, never for what a frame claims.

        Raises:
            Malformed: it is no such frame, claims or holds another length, or more than `limit_bytes`.
        """
        try:
            claims = zstandard.get_frame_parameters(frame)
            # zstandard ignores max_output_size where the frame names a size, so the size is compared before.
            if claims.content_size != raw_bytes or raw_bytes > limit_bytes or claims.dict_id:
                raise Malformed("a frame claims another length than its block has")
            expander = getattr(self._own, "expander", None)
            if expander is None:
                expander = self._own.expander = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
            raw = bytes(expander.decompress(frame, max_output_size=raw_bytes, allow_extra_data=False))
        except zstandard.ZstdError as exc:
            raise Malformed(f"a frame cannot be expanded ({exc})") from None
        if len(raw) != raw_bytes:
            raise Malformed("a frame holds another length than its block has")
        return raw
