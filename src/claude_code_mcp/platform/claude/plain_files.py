"""Opening files of a project that nobody vouches for: a pipe or device in their place holds nobody up."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_plain(path: Path, *, follow: bool = True) -> BinaryIO:
    """Return the regular file at `path`, opened for reading; a link at its end is followed unless told otherwise.

    Raises:
        FileNotFoundError: there is nothing.
        OSError: it is no regular file, or cannot be read; `strerror` says which.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except ValueError:
        raise OSError(errno.EINVAL, "not a path") from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a file")
    return os.fdopen(fd, "rb")
