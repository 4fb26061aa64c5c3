"""Run as a program: does something to a store in child processes, each ended or failed at one exact step, and tells
what was left of the store each time. `python -m tests.platform.blobs.killing kill|fail OPERATION DIRECTORY`"""

import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from claude_code_mcp.platform.blobs.catalog import MANY
from claude_code_mcp.platform.blobs.errors import BlobsUnavailable
from claude_code_mcp.platform.blobs.objects import Wanted
from claude_code_mcp.platform.blobs.store import Store
from tests.platform.blobs.content import digest_of, keep, some
from tests.support.faults.stepping import Steps

OLD, NEW, GONE = some(30, seed=1), some(30, seed=2), some(30, seed=3)
HALF = some(60, seed=4)
WATCHED = ("write", "fsync", "link", "rename", "unlink", "mkdir")
KEPT = {digest_of(data): data for data in (*OLD, *HALF[:10])}
WANTED = Wanted(KEPT)
ALSO = {digest_of(data): data for data in NEW}


def prepare(path: Path, operation: str) -> None:
    store = Store.open(path)
    for contents in (OLD, GONE, HALF):
        keep(store, contents)
    if operation == "merge":  # the next commit finds enough tables to merge
        for number in range(MANY - 4):
            keep(store, [b"%d" % number])


def commit(path: Path) -> None:
    keep(Store.open(path), NEW)


def sweep(path: Path) -> None:
    swept = Store.open(path).gc(lambda: WANTED, grace_s=0, wait_s=5)
    assert not swept.postponed


def repair(path: Path) -> None:
    (pack,) = {pack for pack in (path / "packs").iterdir() if pack.name == (path.parent / "victim").read_text()}
    data = bytearray(pack.read_bytes())
    if data[60] != 0xFF:
        data[60:63] = b"\xff\xff\xff"
        with pack.open("wb") as file:
            file.write(data)
    Store.open(path).verify(WANTED, repair=KEPT.get)


def take_in(path: Path) -> None:
    Store.open(path).import_from(path.parent / "new.export")


def send_out(path: Path) -> None:
    Store.open(path).export_to(path.parent / "out.export", WANTED)


OPERATIONS: dict[str, Callable[[Path], None]] = {
    "commit": commit,
    "merge": commit,
    "sweep": sweep,
    "repair": repair,
    "import": take_in,
    "export": send_out,
}
ADDING = {"commit", "merge", "import"}


class Failing(Steps):
    """Fails at its last step instead of dying there."""

    def take(self, what: str) -> None:
        self._count += 1
        if what.startswith("before"):
            self._left -= 1
            if self._left == 0:
                raise OSError(errno.EIO, "Input/output error")


def _creating(steps: Steps) -> Callable[..., int]:
    """Return open(2) with steps around it where it makes a file."""
    plain, stepped = os.open, steps.around("open", os.open)

    def opened(path: str, flags: int, *args: Any, **more: Any) -> int:
        found: int = (stepped if flags & os.O_CREAT else plain)(path, flags, *args, **more)
        return found

    return opened


def child(how: str, operation: str, path: Path, step: int) -> int:
    """Return the wait status of a child that does `operation` until its `step`."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    code = 70
    try:
        steps = {"kill": Steps, "fail": Failing}[how](str(step), str(path.parent / "journal"))
        for name in WATCHED:
            setattr(os, name, steps.around(name, getattr(os, name)))
        setattr(os, "open", _creating(steps))  # noqa: B010 - its type is another's
        try:
            OPERATIONS[operation](path)
            code = 0
        except BlobsUnavailable as exc:
            code = 3 if exc.details["errno"] == errno.EIO else 71
    finally:
        sys.stderr.flush()
        os._exit(code)


def left(operation: str, path: Path, acknowledged: bool) -> list[str]:
    """Return what is wrong with the store after a child, and after the operation was done again to its end."""
    wrong = []
    for when in ("after", "again"):
        if when == "again":
            OPERATIONS[operation](path)
        store = Store.open(path)
        verified = store.verify(WANTED)
        if not verified.whole or (verified.damages and operation != "repair"):
            wrong.append(f"{when}: {verified.damages}")
        there = [digest for digest in (*KEPT, *ALSO) if store.has(digest)]
        with store.reader() as reader:
            wrong += [f"{when}: {one.hex()}" for one in there if reader.read(one) != {**KEPT, **ALSO}[one]]
        if operation in ADDING and (acknowledged or when == "again"):
            wrong += [f"{when}: {one.hex()} is not there" for one in store.missing(ALSO)]
    store = Store.open(path)
    store.gc(lambda: Wanted({*KEPT, *ALSO} if operation in ADDING else KEPT), grace_s=0)
    final = store.verify(WANTED)
    if final.damages or not final.whole:
        wrong.append(f"at the end: {final}")
    wrong += [f"left: {one}" for room in ("staging", "marks") for one in (path / room).iterdir()]
    wrong += [f"left: {one}" for one in path.parent.glob(".*.ccmtmp")]
    return wrong


def whole(operation: str, path: Path, acknowledged: bool) -> list[str]:
    """As `left`, for a store of which one pack was harmed first: then it must only heal."""
    if operation != "repair":
        return left(operation, path, acknowledged)
    repair(path)
    return left(operation, path, acknowledged)


def main(how: str, operation: str, directory: Path) -> None:
    """Try every step until none is left, and print what was found."""
    template = directory / "template"
    prepare(template / "blobs", operation)
    spare = Store.open(directory / "spare")
    spare.export_to(template / "new.export", Wanted(keep(spare, NEW)))
    (template / "victim").write_text(_holder(template / "blobs"))
    found: dict[str, Any] = {"steps": 0, "wrong": {}, "statuses": []}
    for step in range(1, 2000):
        work = directory / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(template, work)
        status = child(how, operation, work / "blobs", step)
        ended = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        refused = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 3
        wrong = whole(operation, work / "blobs", ended)
        if not ended and not (killed if how == "kill" else refused):
            wrong.append(f"status {status}")
        if wrong:
            found["wrong"][step] = wrong
        found["statuses"].append("done" if ended else "killed" if killed else "refused")
        found["steps"] = step
        told = (work / "journal").read_text() if (work / "journal").exists() else ""
        if ended and how == "kill" and not told:
            break
        if ended and how == "fail" and found["statuses"][-8:] == ["done"] * 8:
            break
    print(json.dumps(found))


def _holder(path: Path) -> str:
    place = Store.open(path).locate(digest_of(OLD[0]))
    assert place is not None
    return f"{place.pack}.pack"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
