"""Bringing back what the store has lost from the trees that still have it."""

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader
from pathlib import Path

from claude_code_mcp.features.checkpoints.models import TreeSettings
from claude_code_mcp.features.checkpoints.rules.options import scan_options
from claude_code_mcp.platform.blobs.chunks import WINDOW_BYTES, Chunk, cut, encode_list
from claude_code_mcp.platform.blobs.objects import OBJECT_BYTES
from claude_code_mcp.platform.seal.content import Sealing, SealWith
from claude_code_mcp.platform.seal.errors import KeyUnavailable
from claude_code_mcp.platform.worktrees.errors import ManifestRefused, TreeNotFound
from claude_code_mcp.platform.worktrees.models import Entry
from claude_code_mcp.platform.worktrees.rooted import PLAIN, Rooted, open_root
from claude_code_mcp.platform.worktrees.taking import Digests, take_tree


class Healer:
    """Knows the contents of the trees as they are now. Nothing is read before the first question. For one thread."""

    def __init__(
        self,
        trees: Iterable[tuple[Path, TreeSettings]],
        seal_with: Callable[[TreeSettings], SealWith | None] = lambda _: None,
    ) -> None:
        """`seal_with` says with what the secrets of a tree are sealed."""
        self._trees = list(trees)
        self._seal_with = seal_with
        self._files: dict[bytes, _File] = {}
        self._pieces: dict[bytes, tuple[_File, int, int]] = {}
        self._made: dict[bytes, bytes] = {}
        self._looked = False

    def offer(self, digest: bytes) -> bytes | None:
        """Return what may be the bytes of this digest; None where no tree has them. The store checks them."""
        if not self._looked:
            self._look()
        if digest in self._made:
            return self._made[digest]
        if digest in self._files:
            return self._files[digest].read()
        if digest in self._pieces:
            file, at, size = self._pieces[digest]
            return file.read(at, size)
        return None

    def _look(self) -> None:
        self._looked = True
        for root, settings in self._trees:
            with suppress(TreeNotFound, ManifestRefused, OSError):
                seal_with = self._seal_with(settings)
                taken = take_tree(root, Digests(), scan_options(settings, seal_with=seal_with))
                self._made.update(taken.encoded().objects())
                for entry in taken.manifest.entries:
                    self._index(entry, _File(root, entry.path, seal_with if entry.sealed else None))

    def _index(self, entry: Entry, file: "_File") -> None:
        if entry.digest and not entry.chunked:
            self._files[entry.digest] = file
        elif entry.chunked:
            with suppress(OSError, KeyUnavailable):
                self._cut(entry.digest, file)

    def _cut(self, digest: bytes, file: "_File") -> None:
        chunks: list[Chunk] = []
        at = 0
        with file.opened() as read:
            for piece in cut(b"", lambda: read(WINDOW_BYTES)):
                chunk = Chunk(sha256(piece).digest(), len(piece))
                chunks.append(chunk)
                self._pieces[chunk.digest] = (file, at, chunk.size)
                at += chunk.size
        self._made[digest] = encode_list(chunks)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a tree, whose content is sealed on the way where `seal_with` is."""

    root: Path
    path: bytes
    seal_with: SealWith | None

    @contextmanager
    def opened(self) -> Generator[Callable[[int], bytes]]:
        """Yield what gives the content as it is stored."""
        with _opened(self.root, self.path) as file:
            yield file.read if self.seal_with is None else Sealing(file.read, self.seal_with.key()).read

    def read(self, at: int = 0, size: int | None = None) -> bytes | None:
        """Return the content, or a piece of it; None where it cannot be had."""
        try:
            with self.opened() as read:
                while at and (passed := len(read(min(at, WINDOW_BYTES)))):
                    at -= passed
                return _whole(read, OBJECT_BYTES if size is None else size)
        except (OSError, TreeNotFound, KeyUnavailable):
            return None


def _whole(read: Callable[[int], bytes], most: int) -> bytes:
    found = b""
    while len(found) < most and (more := read(most - len(found))):
        found += more
    return found


def _opened(root: Path, path: bytes) -> BufferedReader:
    root_fd = open_root(root)
    try:
        with Rooted(root_fd) as rooted:
            folder, name = rooted.at(path)
            return os.fdopen(os.open(name, PLAIN, dir_fd=folder), "rb")
    finally:
        os.close(root_fd)
