"""A cheap tool call through relay and daemon: how long one takes, and how many a second with 50 in flight."""

from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter

from bench.findings import Finding, Goal
from bench.peers.sites import Site, ours, stock
from bench.rounds import interleaved, percentile
from bench.setting import Setting
from bench.wire import Child, tool_call

IN_FLIGHT = 50
TEXT = "The quick brown fox jumps over the lazy dog."


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    single, many = setting.size(400, 20), setting.size(4000, 100)
    rounds = setting.rounds(7)
    with ExitStack() as stack:
        sites: dict[str, Site] = {"ours": stack.enter_context(ours()), "sdk": stack.enter_context(stock())}
        alone = interleaved(rounds, setting.rng, _each(sites, lambda child: _alone(child, single)))
        crowd = interleaved(rounds, setting.rng, _each(sites, lambda child: _crowd(child, many)))
    peer = "SDK server, stock stdio"
    p99 = {name: sorted(percentile(list(one), 0.99) for one in found) for name, found in alone.items()}
    middle = {name: found[len(found) // 2] for name, found in p99.items()}
    return [
        Finding(
            "calls",
            "a cheap tool call, p50",
            "ms",
            [percentile(list(one), 0.5) for one in alone["ours"]],
            peer,
            [percentile(list(one), 0.5) for one in alone["sdk"]],
            Goal(0.6),
            note=f"p99 {middle['ours']:.2f} ms, the peer's {middle['sdk']:.2f} ms",
        ),
        Finding(
            "calls",
            f"calls a second, {IN_FLIGHT} in flight",
            "/s",
            [one[0] for one in crowd["ours"]],
            peer,
            [one[0] for one in crowd["sdk"]],
            Goal(3, at_least=True),
        ),
    ]


def _each(
    sites: dict[str, Site], run: Callable[[Child], tuple[float, ...]]
) -> dict[str, Callable[[], tuple[float, ...]]]:
    return {name: lambda site=site: run(site.child) for name, site in sites.items()}  # type: ignore[misc]  # bound now


def _alone(child: Child, count: int) -> tuple[float, ...]:
    """Return the milliseconds of each of `count` calls, one after the other."""
    found = []
    for number in range(1, count + 1):
        call = tool_call(number, "bench_echo", {"text": TEXT})
        began = perf_counter()
        child.send(call)
        answer = child.line()
        found.append((perf_counter() - began) * 1000)
        _check(answer)
    return tuple(found)


def _crowd(child: Child, count: int) -> tuple[float, ...]:
    """Return the calls a second when a new one is sent for each that is answered."""
    calls = [tool_call(number, "bench_echo", {"text": TEXT}) for number in range(1, count + 1)]
    sent = IN_FLIGHT
    began = perf_counter()
    child.send(b"".join(calls[:sent]))
    answers: list[bytes] = []
    while len(answers) < count:
        lines = child.lines()
        answers += lines
        if sent < count:
            child.send(b"".join(calls[sent : sent + len(lines)]))
            sent += len(lines)
    took_s = perf_counter() - began
    for answer in answers:
        _check(answer)
    return (count / took_s,)


def _check(answer: bytes) -> None:
    if TEXT.encode() not in answer:
        raise RuntimeError(f"not the answer: {answer[:300]!r}")
