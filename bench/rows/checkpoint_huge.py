"""One file of 1 GB is taken, then again with one byte inserted in its middle: beside git, restic and borg."""

from pathlib import Path
from random import Random

from bench.findings import Finding, Goal
from bench.peers.archives import PEERS, Archive, Ours, Used, present
from bench.rows.checkpoints import absent, against, memory_over_idle, size_of, workshop
from bench.setting import Setting
from bench.trees import insert_byte, write_huge
from bench.usage import MB

ROW = "checkpoint_huge"
FIRST = {"git": Goal(0.15)}
SECOND = {"borg": Goal(1)}


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    total = setting.size(1_000_000_000, 12_000_000)
    rounds = setting.rounds(2)
    first: dict[str, list[Used]] = {}
    second: dict[str, list[Used]] = {}
    added: list[float] = []
    for number in range(rounds):
        with workshop() as base:
            root = base / "tree"
            write_huge(root / "huge.dat", total, Random(number))
            archives: dict[str, Archive] = {"ours": Ours(base / "ours")}
            archives |= {peer: PEERS[peer](base / peer) for peer in present()}
            _turn(setting, archives, root, first)
            before = size_of(base / "ours" / "blobs")
            insert_byte(root / "huge.dat")
            # git would store all of it again, which takes as long as before and tells nothing new.
            _turn(setting, {name: one for name, one in archives.items() if name != "git"}, root, second)
            added.append((size_of(base / "ours" / "blobs") - before) / MB)
    with workshop() as base:
        idle = Ours(base / "idle").idle()
    what = f"a file of {total / 1e9:g} GB"
    inserted = f"{what}, a byte inserted"
    return [
        *against(ROW, f"first, {what}", first, FIRST, absent()),
        memory_over_idle(ROW, f"first, {what}", first["ours"], idle),
        *against(ROW, inserted, second, SECOND),
        Finding(ROW, f"new in the store, {inserted}", "MB", added, goal=Goal(3)),
        memory_over_idle(ROW, inserted, second["ours"], idle),
    ]


def _turn(setting: Setting, archives: dict[str, Archive], root: Path, into: dict[str, list[Used]]) -> None:
    order = list(archives)
    setting.rng.shuffle(order)
    for name in order:
        into.setdefault(name, []).append(archives[name].take(root))
