"""A thousand checkpoints of one project, through the daemon: one more, the list, a difference, a sweep."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from bench.findings import Finding, Goal
from bench.place import place
from bench.rounds import interleaved
from bench.rows.checkpoints import timed
from bench.rpc import Rpc
from bench.setting import Setting
from bench.trees import edit, files_of, write_sources

ROW = "checkpoint_many"


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    count, files = setting.size(1000, 5), setting.size(1000, 30)
    with place() as here, contextlib.closing(here.rpc()) as rpc:
        write_sources(here.project, files, files * 9600, Random(11))
        where = {"project_path": str(here.project)}
        made = [_create(rpc, here.project, setting, where) for _ in range(count)]
        took = [one["took_ms"] for one in made]
        ids = [one["id"] for one in made]
        found = _asked(setting, rpc, where, ids)
        sweep = interleaved(
            setting.rounds(5),
            setting.rng,
            {
                "ours": lambda: timed(lambda: rpc.call("checkpoints.gc")),
                "walk": lambda: timed(lambda: _read(here.state)),
            },
        )
    what = f"{count:,} checkpoints of {files:,} files"
    ours, walk = ([one * 1000 for one in sweep[name]] for name in ("ours", "walk"))
    return [
        Finding(ROW, f"one of {what}, 10 files edited before each", "ms", took, note="what the daemon says it took"),
        *(
            Finding(ROW, f"{name}, {what}", "ms", [one * 1000 for one in found[name]], goal=goal)
            for name, goal in (("list", Goal(50)), ("diff of the first and the last", Goal(100)), ("diff", Goal(100)))
        ),
        Finding(ROW, f"gc with nothing to do, {what}", "ms", ours, "read the store's files", walk, Goal(1)),
    ]


def _create(rpc: Rpc, root: Path, setting: Setting, where: dict[str, str]) -> dict[str, Any]:
    edit(files_of(root), 10, setting.rng)
    return rpc.call("checkpoints.create", **where)


def _asked(setting: Setting, rpc: Rpc, where: dict[str, str], ids: list[str]) -> dict[str, list[float]]:
    def diff(before: str, after: str) -> Callable[[], float]:
        return lambda: timed(lambda: rpc.call("checkpoints.diff", checkpoint_id=before, compare_with=after, **where))

    contenders = {
        "list": lambda: timed(lambda: rpc.call("checkpoints.list", limit=1000, **where)),
        "diff": diff(ids[-2], ids[-1]),
        "diff of the first and the last": diff(ids[0], ids[-1]),
    }
    return interleaved(setting.rounds(7), setting.rng, contenders)


def _read(state: Path) -> None:
    """Read every file of the store once: what it takes to look at all of it."""
    for path in (state / "blobs").rglob("*"):
        if path.is_file():
            path.read_bytes()
