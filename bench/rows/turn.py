"""The second message to a live session: its first answer, against that of a new process."""

import contextlib
from time import perf_counter

from bench.findings import Finding, Goal
from bench.peers import cli
from bench.place import Place, place
from bench.rounds import interleaved
from bench.rpc import Rpc
from bench.setting import Setting
from bench.talk import Session, start, until_event, until_idle

PROMPT = "[s:hi]"


def measure(setting: Setting) -> list[Finding]:
    """Measure the row."""
    with place(setting.model_url) as here, contextlib.closing(here.rpc()) as rpc:
        session = start(rpc, here, PROMPT)
        until_idle(rpc, session)
        found = interleaved(
            setting.rounds(15),
            setting.rng,
            {"live": lambda: _next(rpc, session), "new": lambda: _new(here)},
        )
    return [
        Finding(
            "turn",
            "second message, first answer",
            "ms",
            found["live"],
            "new process, asyncio reader",
            found["new"],
            Goal(0.15),
        )
    ]


def _next(rpc: Rpc, session: Session) -> float:
    began = perf_counter()
    reply = rpc.call("sessions.send", session_id=session.id, prompt=PROMPT)
    session.cursor = reply["cursor"]
    answered = until_event(rpc, session, **{"kind": "message.said", "payload.role": "assistant"})
    until_idle(rpc, session)
    return (answered - began) * 1000


def _new(here: Place) -> float:
    return cli.read(here, PROMPT).answer_s * 1000
