"""A project's tree is taken: first, with nothing and with ten files changed; by processes beside git, restic and borg.

Inside the daemon: beside the least that any such program must do, a walk, and reading and hashing everything.
"""

import hashlib
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.findings import Finding, Goal
from bench.peers.archives import PEERS, Archive, Command, Ours, Used, present
from bench.peers.keeper import Keeper
from bench.place import place
from bench.rounds import interleaved
from bench.setting import Setting
from bench.trees import edit, files_of, write_mixed, write_sources
from bench.usage import MB

MEMORY = Goal(80)
CHANGED = 10
FIRST = {
    "t1": {"git": Goal(0.2), "restic": Goal(0.25), "borg": Goal(0.45)},
    "t2": {"git": Goal(0.22), "restic": Goal(0.35), "borg": Goal(0.35)},
}
AGAIN = {"git": Goal(1.7), "restic": Goal(0.2), "borg": Goal(0.25)}
NO_GOALS: Mapping[str, Goal] = {}


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    found: list[Finding] = []
    for name, write, files, total in (
        ("t1", write_mixed, setting.size(1000, 20), setting.size(100_000_000, 200_000)),
        ("t2", write_sources, setting.size(20_000, 60), setting.size(192_000_000, 400_000)),
    ):
        with workshop() as base:
            root = base / "tree"
            write(root, files, total, Random(11))
            what = f"{files:,} files, {total / MB:,.0f} MB"
            found += _first(setting, base, root, (name, what))
            if name == "t2":
                with place() as here:
                    found += _again(setting, base, root, what, Command(here))
    return found


@contextmanager
def workshop() -> Generator[Path]:
    """Make a folder for trees and stores (below BENCH_TMP, where that is set) and take it away again."""
    with TemporaryDirectory(prefix="ccb-", dir=os.environ.get("BENCH_TMP")) as made:
        yield Path(made).resolve()


def absent() -> str:
    """Return the sentence that names the peers that are not installed, empty where all are."""
    missing = [name for name in PEERS if name not in present()]
    return f"not installed, so not measured: {', '.join(missing)}" if missing else ""


def memory_over_idle(row: str, what: str, used: Sequence[Used], idle: Used) -> Finding:
    """Return the most memory that our process had, less what it has when it only opens the store."""
    least = idle.told()["peak_bytes"]
    most = [(one.told()["peak_bytes"] - least) / MB for one in used]
    note = f"the idle process: {least / MB:.0f} MB"
    return Finding(row, f"most memory over the idle process, {what}", "MB", most, goal=MEMORY, note=note)


def _first(setting: Setting, base: Path, root: Path, tree: tuple[str, str]) -> list[Finding]:
    name, what = tree
    count = [0]

    def fresh(make: Callable[[Path], Archive]) -> Callable[[], Used]:
        def taken() -> Used:
            count[0] += 1
            return make(base / f"store{count[0]}").take(root)

        return taken

    contenders: dict[str, Callable[[], Used]] = {"ours": fresh(Ours)}
    contenders |= {peer: fresh(PEERS[peer]) for peer in present()}
    used = interleaved(setting.rounds(5 if name == "t1" else 3), setting.rng, contenders)
    found = against("checkpoints", f"first, {what}", used, FIRST[name], absent())
    found.append(memory_over_idle("checkpoints", f"first, {what}", used["ours"], Ours(base / "idle").idle()))
    found += _first_inside(setting, base, root, tree)
    return [*found, *([] if name == "t1" else _sizes(base, root, what))]


def against(
    row: str, what: str, used: Mapping[str, Sequence[Used]], goals: Mapping[str, Goal], note: str = ""
) -> list[Finding]:
    """Return our process beside each peer's."""
    ours = [one.wall_s for one in used["ours"]]
    peers = [peer for peer in used if peer != "ours"]
    if not peers:
        return [Finding(row, f"{what} (process)", "s", ours, note=note)]
    return [
        Finding(
            row,
            f"{what} (process)",
            "s",
            ours,
            peer,
            [one.wall_s for one in used[peer]],
            goals.get(peer),
            note=note if peer == peers[0] else "",
        )
        for peer in peers
    ]


def _first_inside(setting: Setting, base: Path, root: Path, tree: tuple[str, str]) -> list[Finding]:
    """Measure in this process, whose imports are done, as the daemon's are."""
    count = [0]

    def ours() -> float:
        count[0] += 1
        keeper = Keeper(base / f"inside{count[0]}")
        return timed(lambda: keeper.take(root))

    found = interleaved(setting.rounds(5), setting.rng, {"ours": ours, "floor": lambda: timed(lambda: _read(root))})
    what = f"first, {tree[1]} (in the daemon)"
    goal = Goal(3.5) if tree[0] == "t1" else None
    floor = "read + SHA-256, 2 threads"
    return [Finding("checkpoints", what, "s", found["ours"], floor, found["floor"], goal)]


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` took."""
    began = perf_counter()
    work()
    return perf_counter() - began


def _walk(root: Path) -> list[str]:
    """Return all files of a tree after a look at each: the least that a program without a watch must do."""
    found, waiting = [], [str(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    found.append(entry.path)
    return found


def _read(root: Path) -> None:
    files = _walk(root)

    def some(part: int) -> None:
        for path in files[part::2]:
            hashlib.sha256(Path(path).read_bytes()).digest()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(some, range(2)))


def _sizes(base: Path, root: Path, what: str) -> list[Finding]:
    home = base / "sized"
    Ours(home).take(root)
    ours = [size_of(home / "blobs") / MB]
    found = []
    for peer, goal in (("git", Goal(0.75)), ("restic", None), ("borg", None)):
        if peer in present():
            archive = PEERS[peer](base / f"sized-{peer}")
            archive.take(root)
            theirs = [size_of(archive.store) / MB]
            found.append(Finding("checkpoints", f"size of the store, {what}", "MB", ours, peer, theirs, goal))
    return found


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _again(setting: Setting, base: Path, root: Path, what: str, command: Command) -> list[Finding]:
    files = files_of(root)
    archives: dict[str, Archive] = {"ours": Ours(base / "again-ours")}
    archives |= {peer: PEERS[peer](base / f"again-{peer}") for peer in present()}
    archives["command"] = command
    for archive in archives.values():
        archive.take(root)
        archive.take(root)  # files that were young at the first are looked at once more
    walked, watched = Keeper(base / "walked"), Keeper(base / "watched")
    for keeper in (walked, watched):
        keeper.remember()
        keeper.take(root)
    watched.follow(root)
    found = []
    for changed in (0, CHANGED):
        took = _rounds(setting, root, (files, changed), (archives, walked, watched))
        found += _told(f"{changed or 'nothing'} changed, {what}", took)
    return found


def _rounds(
    setting: Setting,
    root: Path,
    edits: tuple[list[Path], int],
    sides: tuple[Mapping[str, Archive], Keeper, Keeper],
) -> dict[str, list[Used]]:
    files, changed = edits
    archives, walked, watched = sides
    contenders: dict[str, Callable[[], Used]] = {
        name: partial(archive.take, root) for name, archive in archives.items()
    }
    contenders["floor"] = lambda: _spent(lambda: _walk(root))
    contenders["walked"] = lambda: _spent(lambda: walked.take(root))
    contenders["watched"] = lambda: _spent(lambda: watched.take(root))
    return interleaved(setting.rounds(7), setting.rng, contenders, lambda: edit(files, changed, setting.rng))


def _spent(work: Callable[[], object]) -> Used:
    return Used(timed(work))


def _told(what: str, took: Mapping[str, Sequence[Used]]) -> list[Finding]:
    seconds = {name: [one.wall_s for one in used] for name, used in took.items()}
    processes = {name: used for name, used in took.items() if name == "ours" or name in PEERS}
    found = against("checkpoints", what, processes, AGAIN)
    floor, inside = "scandir + stat", f"{what} (in the daemon)"
    found.append(Finding("checkpoints", inside, "s", seconds["walked"], floor, seconds["floor"], Goal(1.5)))
    if "git" in seconds:
        command = f"{what} (the command, beside a daemon)"
        found.append(Finding("checkpoints", command, "s", seconds["command"], "git", seconds["git"], AGAIN["git"]))
        watch = f"{what} (in the daemon, with a watch)"
        found.append(Finding("checkpoints", watch, "s", seconds["watched"], "git", seconds["git"], Goal(0.3)))
    return found
