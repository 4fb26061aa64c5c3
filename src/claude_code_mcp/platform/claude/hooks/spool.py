"""The spool as its reader sees it: records in the order of their times, each file gone once it was read."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from claude_code_mcp.platform.claude.hooks.payload import LIMIT_BYTES
from claude_code_mcp.platform.claude.hooks.script import BIG, LOG, LOST

SLICE_BYTES = 32 * 1024
"""Some eighty hooks: a millisecond or two for whoever reads them as facts."""
ROTATE_BYTES = 1024 * 1024
QUIET_S = 60.0
"""How long a log that was put aside is kept for a writer that had opened it before: those write within microseconds."""
_RETIRED = re.compile(r"log\.(\d{1,12})\Z")
_HEAD = re.compile(rb"(\d{9,11})(?:\.(\d{1,9}|N))? (\d{1,10}) ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_S, _LATEST_S = 1_577_836_800, 4_102_444_800  # 2020, 2100


Mark = tuple[int, int]


class Record(msgspec.Struct, frozen=True):
    """One hook that was kept: its payload, when, and the Claude Code that it is of (0 where not told)."""

    body: bytes
    at: datetime
    pid: int = 0


@dataclass(slots=True)
class Slice:
    """Some records in order, and what they take out of the spool: a log read up to `end`, files of their own.

    `raw`: all their bytes, to be looked through at once.
    """

    records: list[Record]
    raw: bytes = b""
    log: int = 0
    end: int = 0
    files: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Log:
    path: Path
    inode: int
    size: int
    aside_for_s: float | None


class Spool:
    """Reads what hooks left. What was read and is not `done` comes again; after a restart, all that is still there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._offsets: dict[int, int] = {}
        self._marked = (str(directory), str(directory / LOG))

    def mark(self) -> Mark:
        """Return what changes whenever something is added; cheap."""
        changed, size = 0, 0
        with suppress(OSError):
            changed = os.stat(self._marked[0]).st_mtime_ns
            size = os.stat(self._marked[1]).st_size
        return changed, size

    def slices(self) -> Iterator[Slice]:
        """Yield what is there, at most about `SLICE_BYTES` at a time, in the order in which they are to be `done`."""
        alone = self._files()
        for log in self._logs():
            offset = self._offsets.get(log.inode, 0)
            while (found := _next(log, offset)) is not None:
                offset = found.end
                last = found.records[-1].at if found.records else None
                while alone and last is not None and alone[0][0] <= last:
                    self._add(found, alone.pop(0)[1])
                found.records.sort(key=lambda record: record.at)
                yield found
        while alone:
            found, size = Slice([]), 0
            while alone and size < SLICE_BYTES:
                _, path = alone.pop(0)
                size += self._add(found, path)
            yield found

    def done(self, slice_: Slice) -> None:
        """Take what was read out of the spool; it is safe elsewhere."""
        if slice_.log:
            self._offsets[slice_.log] = slice_.end
        for path in slice_.files:
            path.unlink(missing_ok=True)

    def tidy(self, *, aside: bool = False) -> None:
        """Put a log aside that has grown (`aside`: any), and remove those aside that nobody writes to any more."""
        for log in self._logs():
            read = self._offsets.get(log.inode, 0)
            if log.aside_for_s is None:
                if log.size and (aside or log.size >= ROTATE_BYTES):
                    log.path.rename(log.path.with_name(f"{LOG}.{self._next_number()}"))
            elif log.aside_for_s >= QUIET_S and read >= log.size:
                log.path.unlink(missing_ok=True)
                self._offsets.pop(log.inode, None)
        for path in self._directory.glob(".*.*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > 3600:
                    path.unlink()

    def take_lost(self) -> tuple[int, str]:
        """Return how many hooks found no room, and a name for that message; 0 where all did."""
        path = self._directory / LOST
        try:
            info = path.stat()
        except OSError:
            return 0, ""
        return info.st_size, f"{info.st_ino}:{info.st_size}:{info.st_mtime_ns}"

    def forget_lost(self) -> None:
        """That hooks were lost was said."""
        (self._directory / LOST).unlink(missing_ok=True)

    def _logs(self) -> list[_Log]:
        numbered: list[tuple[int, _Log]] = []
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    retired = _RETIRED.match(entry.name)
                    if (retired or entry.name == LOG) and entry.is_file(follow_symlinks=False):
                        info = entry.stat(follow_symlinks=False)
                        aside = max(0.0, time.time() - info.st_ctime) if retired else None
                        number = int(retired[1]) if retired else 10**12
                        numbered.append((number, _Log(Path(entry.path), info.st_ino, info.st_size, aside)))
        except OSError:
            return []
        return [log for _, log in sorted(numbered, key=lambda item: item[0])]

    def _next_number(self) -> int:
        found = (_RETIRED.match(path.name) for path in self._directory.iterdir())
        return max((int(match[1]) for match in found if match), default=0) + 1

    def _files(self) -> list[tuple[datetime, Path]]:
        found = []
        for path in self._directory.glob(f"*{BIG}"):
            with suppress(OSError):
                seconds, _, fraction = path.name.partition(".")
                at = _time(seconds.encode(), fraction.split(".")[0].encode()) if seconds.isdigit() else None
                found.append((at or _modified(path), path))
        return sorted(found, key=lambda item: (item[0], item[1].name))

    def _add(self, found: Slice, path: Path) -> int:
        try:
            with path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 128)
                modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        except OSError:
            return 0
        found.files.append(path)
        found.records.append(_record(data.rstrip(b"\n"), modified))
        found.raw += data
        return len(data)


def _next(log: _Log, offset: int) -> Slice | None:
    """Return the next whole lines of a log, None where there are none; of one put aside, a torn last line too."""
    offset = offset if offset <= log.size else 0  # another file under an old number
    try:
        with log.path.open("rb") as file:
            file.seek(offset)
            data = file.read(SLICE_BYTES)
            modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError:
        return None
    end = data.rfind(b"\n") + 1
    ended = log.aside_for_s is not None and log.aside_for_s >= QUIET_S
    if not end and (ended or len(data) >= SLICE_BYTES):
        end = len(data)
    if not end:
        return None
    lines = [line for line in data[:end].split(b"\n") if line]
    return Slice([_record(line, modified) for line in lines], data, log.inode, offset + end)


def _record(line: bytes, modified: datetime) -> Record:
    head = _HEAD.match(line)
    if head is None:
        return Record(line, modified)
    return Record(line[head.end() :], _time(head[1], head[2] or b"") or modified, min(int(head[3]), 2**31 - 1))


def _time(seconds: bytes, fraction: bytes) -> datetime | None:
    whole = int(seconds)
    if not _EARLIEST_S <= whole < _LATEST_S:
        return None
    micros = int(fraction[:6].ljust(6, b"0")) if fraction.isdigit() else 0
    return _EPOCH + timedelta(seconds=whole, microseconds=micros)


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
