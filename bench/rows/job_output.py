"""What jobs write: a flood, many floods at once, many small writes; beside `sh > file` and beside asyncio's pipes."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from bench.findings import Finding, Goal
from bench.peers import piped
from bench.place import Place, place
from bench.rounds import interleaved
from bench.rpc import Rpc
from bench.setting import Setting
from bench.usage import MB, cpu_s, memory

MOST = {"MCP_BG_MAX_JOBS": "1000"}
FLOOD = "yes 'the quick brown fox jumps over the lazy dog, again and again, up to eighty lett' | head -c {size}"
LINES = "i=0; while [ $i -lt {count} ]; do echo line $i of a program that flushes each of its lines; i=$((i+1)); done"
WHOLE = 1 << 40
RING = 10_000_000
WAIT_S = 300
PAGE_BYTES = 1 << 20
PACE_S = 0.05
"""What `jobs follow` waits after a full page of a job that runs."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: how long it took, the processor time of who captures, and its memory."""

    wall_s: float
    cpu_s: float
    rss: float = 0.0


class Bench:
    """The contenders in one place."""

    def __init__(self, here: Place, rpc: Rpc) -> None:
        self.here = here
        self.rpc = rpc

    def ours(self, commands: list[str], *, limit: int = WHOLE, follow: bool = False) -> Sample:
        """Run the commands as jobs to their end, keeping `limit` bytes of each output; with `follow` a client reads
        the first one as it comes."""
        before, began = cpu_s(self.rpc.daemon_pid), perf_counter()
        for command in commands:
            self.rpc.send("jobs.execute", command=command, output_limit_bytes=limit)
        jobs = [self.rpc.receive()["job_id"] for _ in commands]
        cursor, over, self.rpc.wants_text = "", not follow, not follow  # as `jobs follow` does
        while not over:
            page = self.rpc.call("jobs.output", job_id=jobs[0], cursor=cursor, wait_s=30, limit_bytes=PAGE_BYTES)
            cursor, over = page["cursor"], page["over"]
            if page["more"] and page["state"] == "running":
                sleep(PACE_S)
        self.rpc.wants_text = True
        ends = [self.rpc.call("jobs.wait", job_id=job, wait_s=WAIT_S) for job in jobs]
        wall, used = perf_counter() - began, cpu_s(self.rpc.daemon_pid) - before
        if not all(end["reached"] and end["job"]["code"] == 0 for end in ends):
            raise RuntimeError(f"jobs ended with {[end['job']['state'] for end in ends]}")
        rss = memory(self.rpc.daemon_pid).rss / MB
        self.rpc.call("jobs.remove", ended=True)
        return Sample(wall, used, rss)

    def bare(self, commands: list[str]) -> Sample:
        """Run the commands with a shell each, into files."""
        began = perf_counter()
        files = [(self.here.base / f"out-{n}").open("wb") for n in range(len(commands))]
        processes = [
            subprocess.Popen(["bash", "-c", command], stdout=file)  # what our jobs are run by
            for command, file in zip(commands, files, strict=True)
        ]
        codes = [process.wait() for process in processes]
        wall = perf_counter() - began
        for file in files:
            file.close()
            Path(file.name).unlink()
        if any(codes):
            raise RuntimeError(f"shells ended with {codes}")
        return Sample(wall, 0.0)

    def pipes(self, commands: list[str]) -> Sample:
        """Run the commands by asyncio, through pipes."""
        began = perf_counter()
        done = subprocess.run([sys.executable, piped.__file__, *commands], check=True, capture_output=True, text=True)
        return Sample(perf_counter() - began, float(done.stdout))


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    with place() as made:
        here = Place(made.base, {**made.env, **MOST})
        with contextlib.closing(here.rpc()) as rpc:
            bench = Bench(here, rpc)
            return [*_flood(bench, setting), *_many(bench, setting), *_lines(bench, setting)]


def _flood(bench: Bench, setting: Setting) -> list[Finding]:
    size = setting.size(1_000_000_000, 5_000_000)
    command = [FLOOD.format(size=size)]
    found = _rounds(
        setting,
        {
            "ours": lambda: bench.ours(command),
            "ring": lambda: bench.ours(command, limit=RING),
            "followed": lambda: bench.ours(command, limit=RING, follow=True),
            "bare": lambda: bench.bare(command),
            "pipes": lambda: bench.pipes(command),
        },
    )
    what = f"{size / 1e9:g} GB of output"
    wall = {name: [one.wall_s for one in samples] for name, samples in found.items()}
    cpu = {name: [one.cpu_s for one in samples] for name, samples in found.items()}
    bare, pipes = "sh > file", "asyncio pipe"
    return [
        _against(f"{what}, wall", "s", wall["ours"], bare, wall["bare"], 1.15),
        _against(f"{what}, daemon CPU", "s", cpu["ours"], pipes, cpu["pipes"], 0.1),
        _against(f"{what}, 10 MB kept, wall", "s", wall["ring"], bare, wall["bare"], None),
        _against(f"{what}, 10 MB kept, daemon CPU", "s", cpu["ring"], pipes, cpu["pipes"], None),
        _against(f"{what}, followed, daemon CPU", "s", cpu["followed"], pipes, cpu["pipes"], 0.4),
    ]


def _many(bench: Bench, setting: Setting) -> list[Finding]:
    count, size = setting.size(50, 2), setting.size(20_000_000, 200_000)
    commands = [FLOOD.format(size=size)] * count
    found = _rounds(setting, {"ours": lambda: bench.ours(commands), "bare": lambda: bench.bare(commands)})
    what = f"{count} jobs x {size / MB:g} MB"
    return [
        _against(
            f"{what}, wall",
            "s",
            [one.wall_s for one in found["ours"]],
            "sh > file",
            [one.wall_s for one in found["bare"]],
            1.2,
        ),
        Finding("job_output", f"{what}, daemon RSS", "MB", [one.rss for one in found["ours"]], goal=Goal(80)),
    ]


def _lines(bench: Bench, setting: Setting) -> list[Finding]:
    count = setting.size(300_000, 2000)
    commands = [LINES.format(count=count)]
    found = _rounds(setting, {"ours": lambda: bench.ours(commands), "bare": lambda: bench.bare(commands)})
    ours, bare = ([one.wall_s for one in found[name]] for name in ("ours", "bare"))
    return [_against(f"{count:,} single-line writes, wall", "s", ours, "sh > file", bare, 1.1)]


def _rounds(setting: Setting, contenders: dict[str, Callable[[], Sample]]) -> dict[str, list[Sample]]:
    return interleaved(setting.rounds(5), setting.rng, contenders)


def _against(what: str, unit: str, ours: list[float], peer: str, theirs: list[float], goal: float | None) -> Finding:
    return Finding("job_output", what, unit, ours, peer, theirs, None if goal is None else Goal(goal))
