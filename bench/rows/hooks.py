"""What our hooks add to each tool call of a real Claude Code: while the daemon listens, and while none does."""

import contextlib
import json
import subprocess
from functools import partial

from bench.findings import Finding, Goal
from bench.place import Place, claude_binary, place
from bench.rounds import interleaved
from bench.setting import Setting

NOWHERE = "http://127.0.0.1:9"
RUN_S = 300.0


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    calls = setting.size(40, 2)
    with place(setting.model_url) as here, contextlib.closing(here.rpc()) as rpc:
        url = rpc.call("daemon.http")["url"]
        told = json.dumps(rpc.call("hooks.settings")["settings"])
        settings = {"none": "{}", "up": told, "down": told.replace(url, NOWHERE)}
        found = interleaved(
            setting.rounds(7),
            setting.rng,
            {name: partial(_turn_ms, here, text, calls) for name, text in settings.items()},
        )
    return [
        Finding(
            "hooks",
            f"added to each tool call, {how}",
            "ms",
            [(with_ours - without) / calls for with_ours, without in zip(found[name], found["none"], strict=True)],
            goal=Goal(goal),
            note=note,
        )
        for name, how, goal, note in (
            ("up", "daemon up", 6, "two hooks a call; Claude Code itself takes 2 ms to post one"),
            ("down", "daemon down", 4, ""),
        )
    ]


def _turn_ms(here: Place, settings: str, calls: int) -> float:
    """Return how long Claude Code says that a turn of so many calls took."""
    argv = [str(claude_binary()), "-p", f"[s:loop:{calls}]", "--output-format", "json", "--settings", settings]
    done = subprocess.run(
        argv,
        cwd=here.project,
        env=dict(here.env),
        capture_output=True,
        check=True,
        timeout=RUN_S,
        stdin=subprocess.DEVNULL,
    )
    result = json.loads(done.stdout)
    if result["is_error"] or result["num_turns"] != calls + 1:
        raise RuntimeError(f"the turn did not go as written: {done.stdout[:500]!r}")
    return float(result["duration_ms"])
