"""A whole tree of 20,000 files is restored into an empty folder, and ten changed files of it: beside git."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from bench.findings import Finding, Goal
from bench.peers.archives import Command, Git, Ours, Used, present
from bench.peers.keeper import Keeper
from bench.place import place
from bench.rounds import interleaved
from bench.rows.checkpoints import CHANGED, against, memory_over_idle, timed, workshop
from bench.setting import Setting
from bench.trees import edit, files_of, write_sources
from bench.usage import MB

ROW = "checkpoint_restore"
ALL, TEN = Goal(0.4), Goal(0.5)


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    files, total = setting.size(20_000, 60), setting.size(192_000_000, 400_000)
    with workshop() as base:
        root = base / "tree"
        write_sources(root, files, total, Random(11))
        what = f"{files:,} files, {total / MB:,.0f} MB"
        with place() as here:
            return [*_all(setting, base, root, what), *_ten(setting, base, root, what, Command(here))]


def _all(setting: Setting, base: Path, root: Path, what: str) -> list[Finding]:
    ours = Ours(base / "all-ours")
    digest = ours.digest(root)
    keeper = Keeper(base / "all-ours")

    def into(write: Callable[[Path], Used]) -> Callable[[], Used]:
        def written() -> Used:
            shutil.rmtree(base / "out", ignore_errors=True)
            (base / "out").mkdir()
            return write(base / "out")

        return written

    contenders = {
        "ours": into(lambda out: ours.restore(out, digest)),
        "inside": into(lambda out: Used(timed(lambda: keeper.restore(out, digest)))),
    }
    if "git" in present():
        git = Git(base / "all-git")
        tree = git.take(root).said.strip()
        contenders["git"] = into(lambda out: git.restore_all(out, tree))
    used = interleaved(setting.rounds(5), setting.rng, contenders)
    return [
        *_both(f"restore all, {what}", used, ALL),
        memory_over_idle(ROW, f"restore all, {what}", used["ours"], ours.idle()),
    ]


def _both(what: str, used: dict[str, list[Used]], goal: Goal | None) -> list[Finding]:
    git = [one.wall_s for one in used.get("git", [])]
    where = {
        "command": "the command, beside a daemon",
        "inside": "in the daemon",
        "watching": "in the daemon, with a watch",
    }
    inside = [
        Finding(ROW, f"{what} ({where[name]})", "s", [one.wall_s for one in used.pop(name)], "git" * bool(git), git,
                goal if git else None)
        for name in list(where) if name in used
    ]  # fmt: skip
    return [*against(ROW, what, used, {"git": goal} if goal else {}), *inside]


def _ten(setting: Setting, base: Path, root: Path, what: str, command: Command) -> list[Finding]:
    files = files_of(root)
    ours, keeper = Ours(base / "ten-ours"), Keeper(base / "ten-inside")
    digest = ours.digest(root)
    kept_as = str(command.take(root).told()["id"])
    keeper.remember()
    keeper.take(root)
    watching = Keeper(base / "ten-watching")
    watching.remember()
    watching.follow(root)
    git = Git(base / "ten-git") if "git" in present() else None
    tree = git.take(root).said.strip() if git is not None else ""

    def edited(write: Callable[[list[str]], Used]) -> Callable[[], Used]:
        def written() -> Used:
            kept = {path: path.read_bytes() for path in setting.rng.sample(files, CHANGED)}
            edit(list(kept), CHANGED, setting.rng)
            used = write([str(path.relative_to(root)) for path in kept])
            if any(path.read_bytes() != data for path, data in kept.items()):
                raise RuntimeError("not what was kept")
            return used

        return written

    whole = {
        "ours": edited(lambda _: ours.restore(root, digest)),
        "inside": edited(lambda _: Used(timed(lambda: keeper.restore(root, digest)))),
        "command": edited(lambda _: command.restore(root, kept_as)),
        "watching": edited(lambda _: Used(timed(lambda: watching.restore(root, digest)))),
    }
    named = {
        "command": edited(lambda paths: command.restore(root, kept_as, paths)),
        "ours": edited(lambda paths: ours.restore(root, digest, paths)),
        "inside": edited(lambda paths: Used(timed(lambda: keeper.restore(root, digest, paths)))),
    }
    if git is not None:
        whole["git"] = edited(lambda _: git.restore_tree(root, tree))
        named["git"] = edited(lambda paths: git.restore_some(root, tree, paths))
    rounds = setting.rounds(7)
    return [
        *_both(f"restore where {CHANGED} differ, {what}", interleaved(rounds, setting.rng, whole), TEN),
        *_both(f"restore {CHANGED} by name, {what}", interleaved(rounds, setting.rng, named), None),
    ]
