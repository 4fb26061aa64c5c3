"""Small JSON records that are whole or absent, whatever is killed meanwhile. Standard library only."""

import json
import os

Json = dict[str, object]


def publish(path: str, record: Json, *, reserved: str | None = None) -> None:
    """Make `path` hold `record`, mode 0600; `reserved` names a file whose space is already ours (full disk).

    Renamed first, flushed after: readers of this boot see it at once even when the disk is busy, and after a power
    failure a record that did not reach the disk reads like none.

    Raises:
        OSError: it could not be written; what stood there before still stands.
    """
    temporary = reserved or f"{path}.new"
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | (0 if reserved else os.O_TRUNC), 0o600)
    try:
        data = json.dumps(record).encode()
        os.write(fd, data.ljust(os.fstat(fd).st_size))  # blanks after the object are still JSON
        os.rename(temporary, path)  # noqa: PTH104 -- pathlib costs the shim memory
        if reserved:
            os.fsync(fd)
    finally:
        os.close(fd)


def read_all(fd: int) -> bytes:
    """Return all bytes from here to the end."""
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)


def load(path: str) -> Json:
    """Return the JSON object in `path`; an empty one when there is none or it is broken.

    Raises:
        OSError: it could not be looked at (no descriptor left, say), so nothing is known.
    """
    try:
        fd = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    try:
        found = json.loads(read_all(fd))
    except ValueError:
        return {}
    finally:
        os.close(fd)
    return found if isinstance(found, dict) else {}


def number(record: Json, name: str, default: float) -> float:
    """Return the number called `name`, or the default when it is missing or no number."""
    found = record.get(name)
    return float(found) if isinstance(found, (int, float)) else default
