"""The relay: from its start to the first MCP answer, with the daemon up and without one, and its memory."""

import contextlib
from dataclasses import dataclass, field

from bench.findings import Finding, Goal
from bench.place import ROOT, Place, place
from bench.rounds import interleaved
from bench.setting import Setting
from bench.usage import MB, memory
from bench.wire import started


@dataclass(slots=True)
class _Seen:
    """What the relays used, besides the times that the rounds give."""

    rss: list[float] = field(default_factory=list)
    private: list[float] = field(default_factory=list)


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    seen = _Seen()
    with place() as here, contextlib.closing(here.rpc()):
        warm = interleaved(
            setting.rounds(25),
            setting.rng,
            {
                "relay": lambda: _start(here.relay(), here, seen),
                "echo": lambda: _start(here.python("-m", "bench.peers.echo"), here),
            },
        )
    cold = [_cold() for _ in range(setting.rounds(5))]
    return [
        Finding(
            "relay",
            "start to first answer, daemon up",
            "ms",
            warm["relay"],
            "stdlib echo server",
            warm["echo"],
            Goal(2.5),
        ),
        Finding(
            "relay",
            "memory (RSS)",
            "MB",
            seen.rss,
            goal=Goal(20),
            note=f"of which private {sorted(seen.private)[len(seen.private) // 2]:.1f} MB",
        ),
        Finding("relay", "start to first answer, no daemon runs", "s", cold, goal=Goal(0.8)),
    ]


def _start(argv: list[str], here: Place, seen: _Seen | None = None) -> float:
    """Return the milliseconds until the server of `argv` has answered; note what it uses then."""
    child, took_s = started(argv, here.env, str(ROOT))
    with child:
        if seen is not None:
            used = memory(child.process.pid)
            seen.rss.append(used.rss / MB)
            seen.private.append(used.private / MB)
    return took_s * 1000


def _cold() -> float:
    """Return the seconds until the relay answers that had to start the daemon first."""
    with place() as here:
        child, took_s = started(here.relay(), here.env, str(ROOT))
        with child:
            return took_s
