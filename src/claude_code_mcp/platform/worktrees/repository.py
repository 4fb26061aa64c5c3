"""What git knows about a tree: its repository, the files that it tracks, and ignore files outside the tree."""

import os
import stat
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CONFIG_WAIT_S = 2.0
_EXCLUDES_BYTES = 16 * 1024 * 1024
_INDEX_BYTES = 512 * 1024 * 1024
_EXTENDED = 0x4000


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository: the top of its work tree, its own directory, and the one that its work trees share."""

    top: bytes
    git_dir: bytes
    common_dir: bytes


def repository_at(folder: bytes) -> Repository | None:
    """Return the repository whose work tree has its top at `folder`, None where there is none."""
    place = os.path.join(folder, b".git")
    git_dir = place
    try:
        if not Path(os.fsdecode(place)).is_dir():
            text = small_file(place)
            if text is None or not text.startswith(b"gitdir:"):
                return None
            git_dir = os.path.join(folder, text.removeprefix(b"gitdir:").strip())
        if not os.path.lexists(os.path.join(git_dir, b"HEAD")):
            return None
        shared = small_file(os.path.join(git_dir, b"commondir"))
    except (OSError, ValueError):
        return None
    common = git_dir if shared is None else os.path.join(git_dir, shared.strip())
    return Repository(folder, git_dir, common)


def repository_around(root: bytes) -> Repository | None:
    """Return the repository that `root`, or the nearest folder above it, is the top of."""
    folder = root
    while True:
        found = repository_at(folder)
        if found is not None or folder == os.path.dirname(folder):
            return found
        folder = os.path.dirname(folder)


def small_file(path: bytes, *, follow: bool = True, most_bytes: int = _EXCLUDES_BYTES) -> bytes | None:
    """Return the bytes of a regular file of at most `most_bytes`, None where there is none that can be read.

    What stands there may be anybody's: a pipe or a device holds nobody up.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read(most_bytes + 1)
    except (OSError, ValueError):
        return None
    return data if len(data) <= most_bytes else None


@dataclass(frozen=True, slots=True)
class Excludes:
    """git's configuration as far as it is about ignoring: `core.excludesFile` and `core.ignoreCase`."""

    file: bytes
    fold: bool


def configured_excludes(root: bytes, repository: Repository | None) -> Excludes:
    """Return what git would use in `root`, in `repository`; without git, what it uses where nothing is configured."""
    home = os.environb.get(b"XDG_CONFIG_HOME") or os.path.join(_from_home(b"~"), b".config")
    excludes, fold = os.path.join(home, b"git", b"ignore"), False
    for name, value in _core_settings(root) if repository is None or _readable(repository) else ():
        if name == b"core.ignorecase":
            fold = value.lower() in (b"", b"true", b"yes", b"on", b"1")
        elif value:
            excludes = os.path.join(root, _from_home(value))
    return Excludes(excludes, fold)


def _readable(repository: Repository) -> bool:
    """Tell whether git would not wait for ever: no pipe is in the place of what it reads first."""
    places = [os.path.join(repository.git_dir, name) for name in (b"HEAD", b"commondir", b"config.worktree")]
    for place in [*places, os.path.join(repository.common_dir, b"config")]:
        try:
            if not stat.S_ISREG(os.stat(place).st_mode):
                return False
        except OSError:
            continue
    return True


def _from_home(path: bytes) -> bytes:
    return os.path.expanduser(path)  # noqa: PTH111 - Path raises where a user is unknown, and git takes it as it is


def _core_settings(root: bytes) -> list[tuple[bytes, bytes]]:
    # Reading its configuration is all that git is asked for: other commands may run what a repository names.
    command = ["git", "config", "-z", "--includes", "--get-regexp", r"^core\.(excludesfile|ignorecase)$"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            command, cwd=os.fsdecode(root), env=env, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_CONFIG_WAIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return []
    pairs = (entry.partition(b"\n") for entry in done.stdout.split(b"\0") if entry)
    return [(name.lower(), value) for name, _, value in pairs]


def index_state(repository: Repository | None) -> tuple[int, int, int]:
    """Return what changes when git's index changes: inode, size, time in nanoseconds; zeros where there is none."""
    if repository is None:
        return (0, 0, 0)
    try:
        info = os.stat(os.path.join(repository.git_dir, b"index"))
    except OSError:
        return (0, 0, 0)
    return (info.st_ino, info.st_size, info.st_mtime_ns)


def tracked_paths(repository: Repository, below: bytes) -> frozenset[bytes]:
    """Return the paths that git's index holds, relative to the folder `below` (relative to the top, ends in a slash).

    Ignore rules do not apply to them. An index that cannot be read is taken as empty.
    """
    data = small_file(os.path.join(repository.git_dir, b"index"), most_bytes=_INDEX_BYTES)
    if data is None or data[:4] != b"DIRC":
        return frozenset()
    try:
        paths = _index_paths(data)
    except (struct.error, IndexError, ValueError):
        return frozenset()
    return frozenset(path[len(below) :] for path in paths if path.startswith(below))


def _index_paths(data: bytes) -> list[bytes]:
    version, count = struct.unpack_from(">II", data, 4)
    paths, at, before = [], 12, b""
    for _ in range(count):
        (flags,) = struct.unpack_from(">H", data, at + 60)
        start = at + 62 + (2 if version >= 3 and flags & _EXTENDED else 0)
        if version >= 4:
            cut, start = _offset(data, start)
            end = data.index(b"\0", start)
            before = before[: len(before) - cut] + data[start:end]
            at = end + 1
        else:
            end = data.index(b"\0", start)
            before = data[start:end]
            at += (end - at + 8) // 8 * 8
        paths.append(before)
    return paths


def _offset(data: bytes, at: int) -> tuple[int, int]:
    """Return git's variable width number at `at`, and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1
