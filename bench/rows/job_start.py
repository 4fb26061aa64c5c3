"""Small things about jobs: a start, the last lines of a huge file, a line that wakes a follower, a shim's memory."""

import contextlib
import os
import subprocess
import threading
import time
from time import perf_counter

import psutil

from bench.findings import Finding, Goal
from bench.place import Place, place
from bench.rounds import interleaved, percentile
from bench.rpc import Rpc
from bench.setting import Setting
from bench.usage import MB, memory

MOST = {"MCP_BG_MAX_JOBS": "1000"}
TICKS = "import os, sys, time\nfor line in sys.stdin: os.write(1, b'%d\\n' % time.monotonic_ns())"
HUGE_BYTES = 10 << 30


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    with place() as made:
        here = Place(made.base, {**made.env, **MOST})
        with contextlib.closing(here.rpc()) as rpc:
            return [
                *_starts(rpc, setting),
                _tail(here, rpc, setting),
                _wakes(here, rpc, setting),
                *_shims(rpc, setting),
            ]


def _starts(rpc: Rpc, setting: Setting) -> list[Finding]:
    count = setting.size(30, 3)
    found = interleaved(
        setting.rounds(7), setting.rng, {"ours": lambda: _ours(rpc, count), "popen": lambda: _popen(count)}
    )
    halves = {name: [percentile(one, 0.5) for one in samples] for name, samples in found.items()}
    ours = halves["ours"]
    return [
        Finding(
            "job_start",
            "execute to running, p50",
            "ms",
            ours,
            "subprocess.Popen",
            halves["popen"],
            Goal(2),
            note=f"p99 {max(percentile(one, 0.99) for one in found['ours']):.1f} ms; a durable record before, a "
            "supervisor and the program itself (two forks) after it, and a call through the socket around it",
        )
    ]


def _ours(rpc: Rpc, count: int) -> list[float]:
    took = []
    for _ in range(count):
        began = perf_counter()
        job = rpc.call("jobs.execute", command="exec sleep 1000")
        took.append((perf_counter() - began) * 1000)
        if job["state"] != "running":
            raise RuntimeError(f"the job is {job['state']}: {job['reason']}")
        rpc.call("jobs.remove", job_id=job["job_id"], force=True)
    return took


def _popen(count: int) -> list[float]:
    took = []
    for _ in range(count):
        began = perf_counter()
        process = subprocess.Popen(["/bin/sh", "-c", "exec sleep 1000"], start_new_session=True)
        took.append((perf_counter() - began) * 1000)
        process.kill()
        process.wait()
    return took


def _tail(here: Place, rpc: Rpc, setting: Setting) -> Finding:
    job = rpc.call("jobs.execute", command="true", wait_s=30)
    (out,) = (here.state / "jobs").glob("*/stdout")
    with out.open("r+b") as file:
        file.truncate(setting.size(HUGE_BYTES, 1 << 20))
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d of many\n" % n for n in range(1000)))
    took = []
    for _ in range(setting.size(200, 5)):
        began = perf_counter()
        page = rpc.call("jobs.tail", job_id=job["job_id"], lines=100)
        took.append((perf_counter() - began) * 1000)
        if page["stdout"].count("\n") != 100:
            raise RuntimeError("not the last lines")
    rpc.call("jobs.remove", ended=True)
    return Finding("job_start", "tail 100 of a 10 GB file, p50", "ms", [percentile(took, 0.5)], goal=Goal(5))


def _wakes(here: Place, rpc: Rpc, setting: Setting) -> Finding:
    """Measure from the write of a line to its arrival at a client that waits for it, through the socket."""
    ticker = here.base / "ticks.py"
    ticker.write_text(TICKS, encoding="utf-8")
    job = rpc.call("jobs.execute", command=f"exec python3 {ticker}")["job_id"]
    count, took, heard = setting.size(300, 5), list[float](), threading.Event()

    def follow() -> None:
        with contextlib.closing(here.rpc()) as mine:
            cursor = ""
            while len(took) < count:
                page = mine.call("jobs.output", job_id=job, cursor=cursor, wait_s=30)
                now = time.monotonic_ns()
                cursor = page["cursor"]
                took.extend((now - int(line)) / 1e6 for line in page["stdout"].split())
                heard.set()

    follower = threading.Thread(target=follow)
    follower.start()
    for number in range(count):
        heard.clear()
        rpc.call("jobs.interact", job_id=job, input="x", wait_s=0)
        if not heard.wait(30):
            raise RuntimeError(f"line {number} never came")
        time.sleep(0.005)  # the follower waits again
    follower.join(30)
    rpc.call("jobs.remove", job_id=job, force=True)
    note = f"p50 {percentile(took, 0.5):.2f} ms"
    return Finding(
        "job_start", "a line written to its follower, p99", "ms", [percentile(took, 0.99)], goal=Goal(10), note=note
    )


def _shims(rpc: Rpc, setting: Setting) -> list[Finding]:
    count = setting.size(20, 2)
    jobs = [rpc.call("jobs.execute", command="exec sleep 1000") for _ in range(count)]
    shims = [memory(psutil.Process(job["pid"]).ppid()) for job in jobs]
    rpc.call("jobs.list")
    for job in jobs:
        rpc.call("jobs.remove", job_id=job["job_id"], force=True)
    middle = sorted(one.pss for one in shims)[count // 2] / MB
    rss = sorted(one.rss for one in shims)[count // 2] / MB
    private = sorted(one.private for one in shims)[count // 2] / MB
    return [
        Finding(
            "job_start",
            f"shim of a job, {count} of them (PSS)",
            "MB",
            [middle],
            goal=Goal(12),
            note=f"RSS {rss:.1f} MB, of its own {private:.1f} MB",
        )
    ]
