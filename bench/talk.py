"""A session of our daemon as a client drives it: start, long polls after a cursor, and what came when."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from bench.place import Place
from bench.rpc import Rpc

WAIT_S = 240.0


@dataclass(slots=True)
class Session:
    """One session, and how far we have read."""

    id: str
    cursor: int
    began: float


def start(rpc: Rpc, here: Place, prompt: str) -> Session:
    """Start a session; returns when the daemon has accepted it."""
    began = perf_counter()
    reply = rpc.call("sessions.start", prompt=prompt, project_path=str(here.project))
    return Session(reply["session_id"], reply["cursor"], began)


def until_event(rpc: Rpc, session: Session, **wanted: str) -> float:
    """Poll until an event has all these fields (a dot enters the payload); return when it reached us."""
    while True:
        reply = rpc.call(
            "sessions.wait",
            session_id=session.id,
            cursor=session.cursor,
            until="event",
            detail="full",
            wait_s=WAIT_S,
        )
        if not reply["reached"]:
            raise TimeoutError(f"session {session.id} said nothing for {WAIT_S:.0f} s")
        session.cursor = reply["cursor"]
        if any(_fits(event, wanted) for event in reply["events"]):
            return perf_counter()


def until_idle(rpc: Rpc, session: Session) -> float:
    """Wait until the session is at rest with a good result; return when we knew."""
    reply = rpc.call(
        "sessions.wait", session_id=session.id, cursor=session.cursor, until="idle", limit=1, wait_s=WAIT_S
    )
    knew = perf_counter()
    check(reply)
    return knew


def check(reply: dict[str, Any]) -> None:
    """Raise where a wait did not end in a good result."""
    outcome = reply["outcome"]
    if not reply["reached"] or outcome is None or not outcome["ok"]:
        raise RuntimeError(f"the session did not end well: {reply['status']}, {outcome}, needs {reply['needs']}")


def _fits(event: dict[str, Any], wanted: dict[str, str]) -> bool:
    for name, value in wanted.items():
        outer, _, inner = name.partition(".")
        found = event.get(outer)
        if (found.get(inner) if inner and isinstance(found, dict) else found) != value:
            return False
    return True
