"""A tree as a value, to be compared whole."""

import os
import stat
from pathlib import Path


def seen(root: Path) -> dict[str, tuple[str, int, bytes]]:
    """Return everything below `root` but git's own: kind, mode and content by path."""
    found: dict[str, tuple[str, int, bytes]] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*folders, *files):
            path = Path(folder, name)
            info = path.lstat()
            if stat.S_ISLNK(info.st_mode):
                one = ("link", 0, os.fsencode(os.readlink(path)))
            elif stat.S_ISDIR(info.st_mode):
                one = ("folder", stat.S_IMODE(info.st_mode), b"")
            else:
                one = ("file", stat.S_IMODE(info.st_mode), path.read_bytes())
            found[str(path.relative_to(root))] = one
    return found
