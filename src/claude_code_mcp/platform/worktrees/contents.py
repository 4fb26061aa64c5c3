"""Contents of stored entries as they were in the tree: put together from chunks, and opened where they are sealed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from claude_code_mcp.platform.blobs.errors import ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.objects import Ref
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.seal.content import (
    HEAD_BYTES,
    Keys,
    Opening,
    SealWith,
    broken,
    key_id_of,
    opened,
    seal,
    sealed_size,
)
from claude_code_mcp.platform.seal.errors import KeyUnavailable, SealBroken
from claude_code_mcp.platform.worktrees.models import Entry


@dataclass(frozen=True, slots=True)
class Contents:
    """Gives contents. `seal_with`: how the tree's own secrets are sealed now, None where they are not."""

    reader: Reader
    keys: Keys
    seal_with: SealWith | None = None

    def read(self, entry: Entry) -> bytes:
        """Return the whole content of a file.

        Raises:
            ObjectMissing, ObjectDamaged: the store cannot give it.
            KeyUnavailable, SealBroken: it is sealed, and cannot be opened.
        """
        if entry.chunked:
            data = b"".join(self.reader.read(chunk.digest) for chunk in self.reader.chunks(entry.digest))
        else:
            data = self.reader.read(entry.digest)
        return opened(data, self.keys) if entry.sealed else data

    def why_closed(self, entry: Entry) -> str:
        """Return why a content cannot be opened, empty where it can. That the store lacks it is told elsewhere."""
        if not entry.sealed:
            return ""
        try:
            first = next(iter(self.reader.chunks(entry.digest))).digest if entry.chunked else entry.digest
            self.keys.key(key_id_of(self.reader.read(first)[:HEAD_BYTES]))
        except KeyUnavailable as exc:
            return f"it is sealed; {exc.message[:1].lower()}{exc.message[1:].removesuffix('.')}"
        except (SealBroken, StopIteration):
            return "it says that it is sealed, and is not"
        except (ObjectMissing, ObjectDamaged):
            return ""
        return ""

    def alike(self, stored: Entry, other: Entry) -> bool:
        """Tell whether two files have the same content, also where one is sealed or they are with different keys.

        What cannot be opened, or is large, counts as another content.
        """
        if (stored.digest, stored.sealed) == (other.digest, other.sealed):
            return True
        if not (stored.sealed or other.sealed) or stored.size != other.size or stored.chunked or other.chunked:
            return False
        try:
            data = self.read(stored)
            if other.sealed:
                data = seal(data, self.seal_with.key()) if self.seal_with is not None else b""
        except (KeyUnavailable, SealBroken, ObjectMissing, ObjectDamaged):
            return False
        return hashlib.sha256(data).digest() == other.digest


def write_opened(
    entry: Entry, give: Callable[[Ref, Callable[[bytes], object]], int], write: Callable[[bytes], object], keys: Keys
) -> None:
    """Give the opened content of a sealed entry to `write`, piece by piece; `give` is `Reader.write_to`.

    Raises:
        KeyUnavailable, SealBroken: it cannot be opened.
    """
    size = 0

    def take(data: bytes) -> None:
        nonlocal size
        size += len(data)
        write(data)

    opening = Opening(take, keys)
    give(Ref(entry.digest, sealed_size(entry.size), entry.chunked), opening.take)
    opening.end()
    if size != entry.size:
        raise broken("it is of another size")
