"""Keeping the head and the tail of a growing file and giving the middle back to the disk, without moving a byte.

The space is freed by fallocate(2) with FALLOC_FL_PUNCH_HOLE; offsets and the size of the file stay, the freed part
reads as zeros. Its writer notices nothing, so no line, however long, is too long, and nothing passes through us.
"""

import ctypes
import errno
import os
import sys
from dataclasses import dataclass

_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # linux/falloc.h
_F_PUNCHHOLE = 99  # sys/fcntl.h of macOS
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a file that is gone: bytes `start` up to `end`; nothing where both are equal."""

    start: int = 0
    end: int = 0

    @property
    def size_bytes(self) -> int:
        """How many bytes are gone."""
        return self.end - self.start


class CannotPunch(OSError):
    """The file system of the file cannot free a part of it."""


def planned(size: int, limit: int, cut: Cut) -> Cut:
    """Return what should be gone from a file of `size` bytes of which `limit` may stay, `cut` being gone already.

    A quarter of the limit is its head, the rest its tail. A cut only grows, in steps that make it worth while, so
    that between two of them the file holds up to a quarter more than the limit.
    """
    if size - cut.size_bytes <= limit + limit // 4 or limit <= 0:
        return cut
    start = cut.start if cut.size_bytes else _up(limit // 4)
    end = (size - (limit - start)) // _BLOCK * _BLOCK
    return Cut(start, end) if end > max(start, cut.end) else cut


def punch(fd: int, cut: Cut) -> None:
    """Free the part of the open file that `cut` names.

    Raises:
        CannotPunch: the file system cannot.
        OSError: it failed.
    """
    if cut.size_bytes <= 0:
        return
    code = _fallocate(fd, cut) if sys.platform == "linux" else _punch_mac(fd, cut)
    if code in {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}:
        raise CannotPunch(code, "this file system cannot free a part of a file")
    if code:
        raise OSError(code, os.strerror(code))


def _fallocate(fd: int, cut: Cut) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_int(fd), ctypes.c_int(_KEEP_SIZE | _PUNCH_HOLE), ctypes.c_int64(cut.start))
    done = library.fallocate64 if hasattr(library, "fallocate64") else library.fallocate
    return 0 if done(*arguments, ctypes.c_int64(cut.size_bytes)) == 0 else ctypes.get_errno()


def _punch_mac(fd: int, cut: Cut) -> int:
    import fcntl  # noqa: PLC0415 - only macOS comes here
    import struct  # noqa: PLC0415 - likewise

    try:
        fcntl.fcntl(fd, _F_PUNCHHOLE, struct.pack("=IIqq", 0, 0, cut.start, cut.size_bytes))
    except OSError as exc:
        return exc.errno or errno.EIO
    return 0


def _up(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
