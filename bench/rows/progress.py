"""1,000 progress notifications during one call."""

from contextlib import ExitStack
from time import perf_counter

from bench.findings import Finding, Goal
from bench.peers.sites import Site, ours, stock
from bench.rounds import interleaved
from bench.setting import Setting
from bench.wire import tool_call


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    steps = setting.size(1000, 50)
    with ExitStack() as stack:
        mine, theirs = stack.enter_context(ours()), stack.enter_context(stock())
        found = interleaved(
            setting.rounds(9), setting.rng, {"ours": lambda: _count(mine, steps), "sdk": lambda: _count(theirs, steps)}
        )
    return [
        Finding(
            "progress",
            f"{steps:,} progress notifications in a call",
            "/s",
            found["ours"],
            "SDK server, stock stdio",
            found["sdk"],
            Goal(4, at_least=True),
        )
    ]


def _count(site: Site, steps: int) -> float:
    """Return the notifications a second; each of them has to come, and the answer after them."""
    began = perf_counter()
    site.child.send(tool_call(1, "bench_count", {"steps": steps}, token="bench"))
    told = 0
    while True:
        for line in site.child.lines():
            if b'"notifications/progress"' in line:
                told += 1
            elif told == steps and b"counted" in line:
                return steps / (perf_counter() - began)
            else:
                raise RuntimeError(f"after {told} of {steps} notifications: {line[:300]!r}")
