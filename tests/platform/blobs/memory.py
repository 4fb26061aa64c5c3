"""A place for packs in memory, for tests that need no disk; it passes the same suite as the one on a disk."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from claude_code_mcp.platform.blobs.backend import Listed, Room


class MemoryBackend:
    """Named bytes in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[tuple[Room, str], bytes] = {}
        self._made: dict[tuple[Room, str], float] = {}
        self._holders: dict[str, list[bool]] = {}
        self._lock = threading.Lock()

    def names(self, room: Room) -> dict[str, Listed]:
        with self._lock:
            return {
                name: Listed(len(data), self._made[kind, name])
                for (kind, name), data in self.held.items()
                if kind == room
            }

    def stage(self) -> "StagedBytes":
        return StagedBytes(self)

    def put(self, room: Room, name: str, data: bytes) -> bool:
        with self._lock:
            if (room, name) in self.held:
                return False
            self.held[room, name] = data
            self._made[room, name] = time.time()
            return True

    def get(self, room: Room, name: str) -> bytes:
        try:
            return self.held[room, name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def get_range(self, room: Room, name: str, start: int, length: int) -> bytes:
        return self.get(room, name)[start : start + length]

    def delete(self, room: Room, name: str) -> None:
        with self._lock:
            self.held.pop((room, name), None)

    @contextmanager
    def hold(self, lock: str, *, shared: bool, wait_s: float) -> Generator[bool]:
        end = time.monotonic() + wait_s
        while not (held := self._taken(lock, shared)) and time.monotonic() < end:
            threading.Event().wait(0.002)
        try:
            yield held
        finally:
            if held:
                with self._lock:
                    self._holders[lock].remove(shared)

    def _taken(self, lock: str, shared: bool) -> bool:
        with self._lock:
            holders = self._holders.setdefault(lock, [])
            if holders and not (shared and all(holders)):
                return False
            holders.append(shared)
            return True

    def clean(self) -> int:
        return 0


class StagedBytes:
    """Bytes on their way in."""

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self._data = bytearray()

    @property
    def size_bytes(self) -> int:
        return len(self._data)

    def write(self, data: bytes) -> None:
        self._data += data

    def publish(self, room: Room, name: str) -> bool:
        return self._backend.put(room, name, bytes(self._data))

    def discard(self) -> None:
        self._data.clear()
