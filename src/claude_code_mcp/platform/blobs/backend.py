"""Where packs lie: the few verbs that a disk, a memory or a bucket must have."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple, Protocol

Room = Literal["packs", "index", "marks"]


class Listed(NamedTuple):
    """What is known of a stored name without reading it."""

    size_bytes: int
    modified_at: float


class Staged(Protocol):
    """Bytes on their way in, seen by nobody. It is published or discarded, once; discarding twice is no error."""

    @property
    def size_bytes(self) -> int:
        """How much was written."""
        ...

    def write(self, data: bytes) -> None:
        """Append `data`."""
        ...

    def publish(self, room: Room, name: str) -> bool:
        """Make it durable, then visible under `name`, whole; False where the name is taken (what is there stays)."""
        ...

    def discard(self) -> None:
        """Forget it."""
        ...


class Backend(Protocol):
    """A place for named, immutable bytes. Every failure of the place is an OSError; an absent name FileNotFoundError.

    `tests/platform/blobs/test_backends.py` is what an implementation must pass.
    """

    def names(self, room: Room) -> Mapping[str, Listed]:
        """Return everything that is published in `room`."""
        ...

    def stage(self) -> Staged:
        """Begin something new."""
        ...

    def put(self, room: Room, name: str, data: bytes) -> bool:
        """Publish `data` unless the name is taken; return whether it was free. Nothing is ever overwritten.

        It is durable, but for what is empty: that may be forgotten when the machine loses its power.
        """
        ...

    def get(self, room: Room, name: str) -> bytes:
        """Return all of it."""
        ...

    def get_range(self, room: Room, name: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`; fewer where it ends before."""
        ...

    def delete(self, room: Room, name: str) -> None:
        """Delete it, where it is there."""
        ...

    def hold(self, lock: str, *, shared: bool, wait_s: float) -> AbstractContextManager[bool]:
        """Hold a lock among all users of the place; yields False where it could not be had within `wait_s`.

        It ends with its holder, however that ends.
        """
        ...

    def clean(self) -> int:
        """Remove what was staged by users who are gone; return how many."""
        ...
