"""A log file that only we can read, begun anew at a size, with a bounded number of old ones."""

import logging
import os
from contextlib import suppress
from pathlib import Path


class PrivateRotatingFile(logging.Handler):
    """Writes to `path` (0600); at `max_bytes` that becomes `path.1`, and so on up to `path.<files>`.

    When the disk refuses, lines are lost, not the program: the next one that can be written tells how many in
    `lost_lines`. A file that was taken away is begun anew.
    """

    def __init__(self, path: Path, *, max_bytes: int, files: int) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._files = files
        self._lost = 0
        self._torn = False
        self._fd = self._opened()

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`; a disk that refuses is no error of the caller."""
        if self._lost:
            record = logging.makeLogRecord(vars(record) | {"lost_lines": self._lost})
        line = self.format(record).encode("ascii", "backslashreplace") + b"\n"
        try:
            self._write(line)
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def close(self) -> None:
        """Close the file; it may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        super().close()

    def _write(self, line: bytes) -> None:
        size = self._size()
        if size and size + len(line) > self._max_bytes:
            self._rotate()
        # A line that the disk cut in the middle must not swallow the next one.
        data = b"\n" + line if self._torn else line
        self._torn = True
        if os.write(self._fd, data) < len(data):
            raise OSError("the disk took a part of the line")
        self._torn = False

    def _size(self) -> int:
        ours = os.fstat(self._fd)
        with suppress(FileNotFoundError):
            if os.path.samestat(ours, os.stat(self._path, follow_symlinks=False)):
                return ours.st_size
        self._reopen()
        return 0

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            with suppress(FileNotFoundError):
                self._numbered(number).rename(self._numbered(number + 1))
        self._path.rename(self._numbered(1))
        self._reopen()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _reopen(self) -> None:
        fresh = self._opened()
        os.close(self._fd)
        self._fd = fresh
        self._torn = False

    def _opened(self) -> int:
        # O_NOFOLLOW: a link in a log's place would make us append to a file of somebody's choice.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(self._path, flags, 0o600)
        os.fchmod(fd, 0o600)
        return fd
