"""A sealed content: AES-SIV (RFC 5297) over pieces of 4 MiB, after a head that names the key (docs/format/sealed.md).

Sealing is deterministic: the same bytes under the same key are the same sealed bytes, so a content that did not change
is stored once and compares as equal. What that gives away is exactly this equality, and the size.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from claude_code_mcp.platform.seal.errors import SealBroken

MAGIC = b"CCMSEAL\1"
KEY_ID_BYTES = 16
KEY_BYTES = 64
"""AES-256-SIV takes two keys of 32 bytes."""
HEAD_BYTES = len(MAGIC) + KEY_ID_BYTES
PIECE_BYTES = 4 * 1024 * 1024
TAG_BYTES = 16
_LABEL = b"claude-code-mcp sealed content"


class SealKey(NamedTuple):
    """A key, and the name under which it is kept and asked for."""

    id: bytes
    secret: bytes

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"SealKey({self.id.hex()})"


class Keys(Protocol):
    """Where keys come from."""

    def key(self, key_id: bytes) -> SealKey:
        """Return a key.

        Raises:
            KeyUnavailable: it cannot be had now.
        """
        ...


@dataclass(frozen=True, slots=True)
class SealWith:
    """With which key things are sealed; it is asked for when there is something to seal."""

    keys: Keys
    key_id: bytes

    def key(self) -> SealKey:
        """Return the key.

        Raises:
            KeyUnavailable: it cannot be had now.
        """
        return self.keys.key(self.key_id)


def key_of(secret: bytes) -> SealKey:
    """Return the key with its name, which tells nothing about it."""
    return SealKey(hashlib.sha256(b"claude-code-mcp key id" + secret).digest()[:KEY_ID_BYTES], secret)


def sealed_size(size: int) -> int:
    """Return how many bytes a content of `size` bytes has when it is sealed."""
    return HEAD_BYTES + size + TAG_BYTES * max(1, -(-size // PIECE_BYTES))


def seal(data: bytes, key: SealKey) -> bytes:
    """Return `data` sealed."""
    left = memoryview(data)
    found = [MAGIC, key.id]
    number = 0
    while True:
        piece, left = left[:PIECE_BYTES], left[PIECE_BYTES:]
        found.append(_encrypted(key, bytes(piece), number, last=not left))
        number += 1
        if not left:
            return b"".join(found)


class Sealing:
    """Seals a content while it is read: `read` gives the sealed bytes. `size` counts what was read of the content."""

    def __init__(self, read: Callable[[int], bytes], key: SealKey) -> None:
        self._read = read
        self._key = key
        self._ready = MAGIC + key.id
        self._next = b""
        self._number = 0
        self._begun = self._ended = False
        self.size = 0

    def read(self, most: int) -> bytes:
        """Return at most `most` bytes, none at the end."""
        while len(self._ready) < most and not self._ended:
            self._more()
        data, self._ready = self._ready[:most], self._ready[most:]
        return data

    def _more(self) -> None:
        """Seal one piece; the last one is known by the emptiness behind it."""
        if not self._begun:
            self._next, self._begun = self._piece(), True
        piece, self._next = self._next, self._piece()
        self._ended = not self._next
        self._ready += _encrypted(self._key, piece, self._number, last=self._ended)
        self._number += 1

    def _piece(self) -> bytes:
        found = b""
        while len(found) < PIECE_BYTES and (more := self._read(PIECE_BYTES - len(found))):
            found = found + more if found else more
        self.size += len(found)
        return found


def key_id_of(head: bytes) -> bytes:
    """Return the name of the key of a sealed content, of which `head` is the beginning.

    Raises:
        SealBroken: it is no sealed content.
    """
    if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
        raise broken("it does not begin as one")
    return head[len(MAGIC) : HEAD_BYTES]


def opened(data: bytes, keys: Keys) -> bytes:
    """Return the content that was sealed.

    Raises:
        KeyUnavailable: its key cannot be had now.
        SealBroken: it is not what was sealed.
    """
    found: list[bytes] = []
    opening = Opening(found.append, keys)
    opening.take(data)
    opening.end()
    return b"".join(found)


class Opening:
    """Opens a sealed content that comes in pieces of any size; what `write` gets was checked."""

    def __init__(self, write: Callable[[bytes], object], keys: Keys) -> None:
        self._write = write
        self._keys = keys
        self._key: SealKey | None = None
        self._ready = b""
        self._number = 0

    def take(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            KeyUnavailable: the key cannot be had now.
            SealBroken: they are not what was sealed.
        """
        self._ready = self._ready + data if self._ready else data
        if self._key is None:
            if len(self._ready) < HEAD_BYTES:
                return
            self._key = self._keys.key(key_id_of(self._ready))
            self._ready = self._ready[HEAD_BYTES:]
        # One more byte tells that a piece is not the last one.
        while len(self._ready) > PIECE_BYTES + TAG_BYTES:
            piece, self._ready = self._ready[: PIECE_BYTES + TAG_BYTES], self._ready[PIECE_BYTES + TAG_BYTES :]
            self._open(self._key, piece, last=False)

    def end(self) -> None:
        """Open the last piece.

        Raises:
            SealBroken: it is not what was sealed, or something is missing.
        """
        if self._key is None:
            raise broken("it is too short")
        self._open(self._key, self._ready, last=True)

    def _open(self, key: SealKey, piece: bytes, *, last: bool) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see `_encrypted`
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415 - see `_encrypted`

        try:
            data = AESSIV(key.secret).decrypt(piece, _about(self._number, last=last))
        except (InvalidTag, ValueError):
            raise broken("it was changed, or cut") from None
        self._number += 1
        self._write(data)


def broken(why: str) -> SealBroken:
    """Return the error that says that a sealed content is none."""
    return SealBroken(
        f"A sealed content cannot be opened: {why}.",
        remedy="Nothing was changed. Use another checkpoint, or restore the rest with skip_sealed.",
    )


def _encrypted(key: SealKey, piece: bytes, number: int, *, last: bool) -> bytes:
    # Imported where it is used: who seals nothing does not pay for it.
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415 - see above

    return AESSIV(key.secret).encrypt(piece, _about(number, last=last))


def _about(number: int, *, last: bool) -> list[bytes | bytearray | memoryview]:
    """Return what is bound to a piece: its place, and whether it is the last, so that none can be cut off or moved."""
    return [_LABEL, number.to_bytes(8, "little") + bytes([last])]
