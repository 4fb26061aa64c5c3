"""Bringing back what the store has lost from the trees that still have it."""

import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from io import BufferedReader
from pathlib import Path

from claude_code_mcp.features.checkpoints.models import TreeSettings
from claude_code_mcp.features.checkpoints.rules.options import scan_options
from claude_code_mcp.platform.blobs.chunks import WINDOW_BYTES, Chunk, cut, encode_list
from claude_code_mcp.platform.worktrees.errors import ManifestRefused, TreeNotFound
from claude_code_mcp.platform.worktrees.models import Entry, Manifest
from claude_code_mcp.platform.worktrees.rooted import PLAIN, Rooted, open_root
from claude_code_mcp.platform.worktrees.taking import Digests, take_tree


class Healer:
    """Knows the contents of the trees as they are now. Nothing is read before the first question. For one thread."""

    def __init__(self, trees: Iterable[tuple[Path, TreeSettings]]) -> None:
        self._trees = list(trees)
        self._files: dict[bytes, tuple[Path, bytes]] = {}
        self._pieces: dict[bytes, tuple[Path, bytes, int, int]] = {}
        self._made: dict[bytes, bytes] = {}
        self._looked = False

    def offer(self, digest: bytes) -> bytes | None:
        """Return what may be the bytes of this digest; None where no tree has them. The store checks them."""
        if not self._looked:
            self._look()
        if digest in self._made:
            return self._made[digest]
        if digest in self._files:
            root, path = self._files[digest]
            return _read(root, path)
        if digest in self._pieces:
            root, path, at, size = self._pieces[digest]
            return _read(root, path, at, size)
        return None

    def _look(self) -> None:
        self._looked = True
        for root, settings in self._trees:
            with suppress(TreeNotFound, ManifestRefused, OSError):
                taken = take_tree(root, Digests(), scan_options(settings))
                self._made.update(taken.encoded().objects())
                self._index(root, taken.manifest)

    def _index(self, root: Path, manifest: Manifest) -> None:
        for entry in manifest.entries:
            if entry.digest and not entry.chunked:
                self._files[entry.digest] = (root, entry.path)
            elif entry.chunked:
                with suppress(OSError):
                    self._cut(root, entry)

    def _cut(self, root: Path, entry: Entry) -> None:
        chunks: list[Chunk] = []
        at = 0
        with _opened(root, entry.path) as file:
            for piece in cut(b"", lambda: file.read(WINDOW_BYTES)):
                chunk = Chunk(sha256(piece).digest(), len(piece))
                chunks.append(chunk)
                self._pieces[chunk.digest] = (root, entry.path, at, chunk.size)
                at += chunk.size
        self._made[entry.digest] = encode_list(chunks)


def _opened(root: Path, path: bytes) -> BufferedReader:
    root_fd = open_root(root)
    try:
        with Rooted(root_fd) as rooted:
            folder, name = rooted.at(path)
            return os.fdopen(os.open(name, PLAIN, dir_fd=folder), "rb")
    finally:
        os.close(root_fd)


def _read(root: Path, path: bytes, at: int = 0, size: int = -1) -> bytes | None:
    try:
        with _opened(root, path) as file:
            file.seek(at)
            return file.read(size)
    except (OSError, TreeNotFound):
        return None
