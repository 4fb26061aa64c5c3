"""The words of the object store: what is put, what is found, what is told."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

BIG_BYTES = 8 * 1024 * 1024
"""Content above this is cut into chunks by what it holds."""

OBJECT_BYTES = 16 * 1024 * 1024
"""No object, and no block of objects, is larger."""


class Ref(NamedTuple):
    """Where content is: the SHA-256 of its bytes, or, where `chunked`, of the list of its chunks."""

    digest: bytes
    size: int
    chunked: bool


class Place(NamedTuple):
    """Where an object lies: `length` bytes at `start` of the block of `raw` bytes, of which `stored` at `at` of
    `pack`."""

    pack: str
    at: int
    stored: int
    raw: int
    start: int
    length: int


class Wanted(NamedTuple):
    """What must be kept: `objects` as they are, `lists` with the chunks that they name."""

    objects: Collection[bytes]
    lists: Collection[bytes] = ()


@dataclass(frozen=True, slots=True)
class Faults:
    """Objects that cannot be had: not there at all, or damaged in every copy."""

    missing: tuple[bytes, ...] = ()
    damaged: tuple[bytes, ...] = ()

    @property
    def none(self) -> bool:
        """Whether everything is there and whole."""
        return not self.missing and not self.damaged


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit added: `objects` new ones of `raw_bytes`, in `packs` of `stored_bytes` on disk."""

    objects: int = 0
    raw_bytes: int = 0
    stored_bytes: int = 0
    packs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Swept:
    """What gc did. `postponed`: somebody used the store all the time, so nothing was deleted; ask again later.

    `missing` wanted objects were not there before it began either.
    """

    packs_deleted: int = 0
    packs_rewritten: int = 0
    objects_deleted: int = 0
    freed_bytes: int = 0
    missing: int = 0
    postponed: bool = False


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged place: in `pack`, the block at `at` (None: not in a block), with the digests it holds."""

    pack: str
    at: int | None
    reason: str
    digests: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What verify found. `lost` objects have no whole copy; `healed` ones were lost and are whole again."""

    packs: int = 0
    objects: int = 0
    raw_bytes: int = 0
    damages: tuple[Damage, ...] = ()
    lost: frozenset[bytes] = frozenset()
    missing: frozenset[bytes] = frozenset()
    healed: frozenset[bytes] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether every object that should be there is there, byte for byte."""
        return not self.lost and not self.missing


@dataclass(frozen=True, slots=True)
class Usage:
    """How much room the store takes; `wanted_*` is the share of what was asked for, compressed sizes in proportion."""

    packs: int
    objects: int
    raw_bytes: int
    stored_bytes: int
    wanted_objects: int = 0
    wanted_raw_bytes: int = 0
    wanted_stored_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import held: the note of whoever exported it, and its objects, of which `added` were new."""

    note: bytes
    digests: tuple[bytes, ...] = field(repr=False)
    added: int
