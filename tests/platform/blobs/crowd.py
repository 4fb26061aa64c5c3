"""Run as a program: one of many processes that share a store. `... crowd write|sweep DIRECTORY NAME`

What is wanted is told as rows of checkpoints would: a file of digests for each, made while the writer is open."""

import os
import random
import sys
from pathlib import Path

from claude_code_mcp.platform.blobs.objects import Wanted
from claude_code_mcp.platform.blobs.store import Store
from tests.platform.blobs.content import read_all, some

ROUNDS = 15


def wanted(directory: Path) -> Wanted:
    """Return what all checkpoints want now."""
    found: set[bytes] = set()
    for file in (directory / "wanted").glob("*.done"):
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            continue
        found.update(data[at : at + 32] for at in range(0, len(data), 32))
    return Wanted(found)


def write(directory: Path, name: str) -> None:
    """Keep checkpoints and delete some of them again; much of what they hold is in others' too."""
    store = Store.open(directory / "blobs")
    chance = random.Random(name)
    for number in range(ROUNDS):
        contents = [*some(15, seed=chance.randrange(4), most=900), f"{name} {number}".encode()]
        row = directory / "wanted" / f"{name}-{number}"
        with store.writer() as writer:
            digests = [writer.put(data) for data in contents]
            writer.commit()
            row.write_bytes(b"".join(digests))
            row.rename(row.with_suffix(".done"))
        if read_all(store, digests) != contents:
            raise AssertionError("other bytes came back")
        if chance.random() < 0.6:
            row.with_suffix(".done").unlink()


def sweep(directory: Path) -> None:
    """Sweep until told to stop, and once more."""
    store = Store.open(directory / "blobs")
    deleted = 0
    stop = directory / "stop"
    while not stop.exists():
        deleted += store.gc(lambda: wanted(directory), grace_s=0, wait_s=0.3).packs_deleted
    deleted += store.gc(lambda: wanted(directory), grace_s=0, wait_s=10).packs_deleted
    print(deleted)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text stream
    print(f"{os.getpid()} begins")
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), sys.argv[3])
    else:
        sweep(Path(sys.argv[2]))
