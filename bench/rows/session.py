"""A session of 99 tool steps: first event, wall, and the daemon's processor time for each line of the stream."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.findings import Finding, Goal
from bench.peers import cli
from bench.place import Place, place
from bench.rounds import interleaved
from bench.rpc import Rpc
from bench.setting import Setting
from bench.talk import start, until_event, until_idle
from bench.usage import cpu_s

READER = "asyncio reader"
WHY = (
    "all that the daemon did from the first event to the end, commits and the tree of what happens included; the next "
    "row has who only reads. Lines that come together cost less than half: much of it is waking up for each. Tried: "
    "reading and committing in beats instead of per line, fewer wakes, a news check that does not grow with the log"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds to the first event and to the end; processor time of whoever reads, in milliseconds: until the first
    event, and after it for each line."""

    first_s: float
    wall_s: float
    start_ms: float = 0.0
    line_ms: float = 0.0
    lines: int = 0


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    steps = setting.size(99, 3)
    prompt = f"[s:steps:{steps}]"
    with place(setting.model_url) as here, contextlib.closing(here.rpc()) as rpc:
        found = interleaved(
            setting.rounds(7),
            setting.rng,
            {
                "ours": lambda: _ours(rpc, here, prompt),
                "reader": lambda: _reader(here, prompt),
                "bare": lambda: Sample(0.0, cli.bare_wall_s(here, prompt)),
            },
        )
    return _walls(steps, found) + _costs(found)


def _walls(steps: int, found: Mapping[str, Sequence[Sample]]) -> list[Finding]:
    ours, reader, bare = found["ours"], found["reader"], found["bare"]
    wall = [one.wall_s for one in ours]
    return [
        Finding(
            "session",
            "first event",
            "s",
            [one.first_s for one in ours],
            READER,
            [one.first_s for one in reader],
            Goal(1.1),
        ),
        Finding(
            "session",
            f"{steps} tool steps, wall",
            "s",
            wall,
            "bare CLI, output dropped",
            [one.wall_s for one in bare],
            Goal(1.05),
        ),
        Finding("session", f"{steps} tool steps, wall", "s", wall, READER, [one.wall_s for one in reader]),
    ]


def _costs(found: Mapping[str, Sequence[Sample]]) -> list[Finding]:
    ours, reader = found["ours"], found["reader"]
    return [
        Finding(
            "session",
            "daemon CPU per stream line",
            "ms",
            [one.line_ms for one in ours],
            goal=Goal(0.15),
            note=f"{ours[-1].lines} lines; {WHY}",
        ),
        Finding(
            "session",
            "the same, beside who keeps nothing",
            "ms",
            [one.line_ms for one in ours],
            READER,
            [one.line_ms for one in reader],
        ),
        Finding("session", "daemon CPU until the first event", "ms", [one.start_ms for one in ours]),
    ]


def _ours(rpc: Rpc, here: Place, prompt: str) -> Sample:
    before = cpu_s(rpc.daemon_pid)
    session = start(rpc, here, prompt)
    first = until_event(rpc, session, source="stream")
    begun = cpu_s(rpc.daemon_pid)
    knew = until_idle(rpc, session)
    ended = cpu_s(rpc.daemon_pid)
    lines = _lines(here, session.id)
    rpc.call("sessions.abort", session_id=session.id, mode="stop")
    return Sample(
        first - session.began, knew - session.began, (begun - before) * 1000, (ended - begun) * 1000 / lines, lines
    )


def _lines(here: Place, session_id: str) -> int:
    """Return how many lines the session's process wrote."""
    for path in (here.state / "runs").glob("*/stdout"):
        text = path.read_bytes()
        if session_id.encode() in text[:100_000]:
            return text.count(b"\n")
    raise RuntimeError(f"no output of session {session_id} in {Path(here.state)}")


def _reader(here: Place, prompt: str) -> Sample:
    read = cli.read(here, prompt)
    return Sample(read.first_s, read.result_s, 0.0, read.cpu_s * 1000 / read.lines, read.lines)
