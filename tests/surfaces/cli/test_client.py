"""The daemon's line protocol from our side: answers, progress, interrupts, and a daemon that goes away."""

import signal
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.surfaces.cli.client import Answer, Client, dialer
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from tests.surfaces.cli.rpc_server import HangUp, Send, serving


def connected(state: Path) -> Client:
    return Client(dialer(state, {"HOME": "/nowhere"}, start=False))


async def echo(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
    return {"reply": {"op": op, **args}, "text": "told"}


def test_an_answer_is_the_reply_and_its_text(state: Path) -> None:
    with serving(state, echo) as server, closing(connected(state)) as client:
        assert client.call("things.show", {"é": "x" * 3_000_000}) == Answer(
            {"op": "things.show", "é": "x" * 3_000_000}, "told"
        )
        assert client.daemon["welcome"] == 1
        assert server.peers[0].kind == "rpc"


def test_progress_is_told_while_the_call_waits(state: Path) -> None:
    async def slow(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        await send({"progress": {"done_s": 1.5, "message": "half"}})
        await send({"progress": {"done_s": 3, "message": "all"}})
        return {"reply": {}, "text": ""}

    told: list[tuple[float, str]] = []
    with serving(state, slow), closing(connected(state)) as client:
        client.call("x.y", {}, on_progress=lambda done, message: told.append((done, message)))
    assert told == [(1.5, "half"), (3.0, "all")]


def test_a_read_is_asked_again_when_the_daemon_was_restarted(state: Path) -> None:
    calls = 0

    async def once_dead(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise HangUp
        return {"reply": {"calls": calls}, "text": ""}

    with serving(state, once_dead) as server, closing(connected(state)) as client:
        assert client.call("x.y", {}, retry=True).reply == {"calls": 2}
        assert len(server.peers) == 2


def test_a_change_is_never_asked_twice(state: Path) -> None:
    async def dead(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        raise HangUp

    with serving(state, dead) as server, closing(connected(state)) as client:
        with pytest.raises(Failure) as caught:
            client.call("x.y", {})
        assert len(server.seen) == 1
    assert (caught.value.code, caught.value.exit_code) == ("daemon_lost", Exit.UNAVAILABLE)
    assert "not known" in caught.value.message


def test_an_interrupt_cancels_the_call_in_the_daemon(state: Path) -> None:
    async def never(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        await send({"progress": {"done_s": 0, "message": "begun"}})
        await server.forever.wait()
        return {}

    def press(_done: float, _message: str) -> None:
        signal.raise_signal(signal.SIGINT)

    with serving(state, never) as server, closing(connected(state)) as client:
        with pytest.raises(KeyboardInterrupt):
            client.call("x.y", {}, on_progress=press)
        assert server.was_cancelled.wait(60)
        assert server.cancelled == [1]


def test_no_daemon_is_started_where_that_is_not_wished(state: Path) -> None:
    with pytest.raises(Failure) as caught:
        connected(state)
    assert (caught.value.code, caught.value.exit_code) == ("no_daemon", Exit.UNAVAILABLE)


def test_answers_of_another_request_and_junk_are_passed_over(state: Path) -> None:
    async def confused(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        await send({"id": 99, "reply": {"wrong": True}})
        return {"reply": {"right": True}, "text": ""}

    with serving(state, confused), closing(connected(state)) as client:
        assert client.call("x.y", {}).reply == {"right": True}


def test_two_requests_can_be_open_on_one_connection(state: Path) -> None:
    first_waits = threading.Event()

    async def handle(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        if op == "slow.one":
            first_waits.set()
            await server.forever.wait()
        return {"reply": {"op": op}, "text": ""}

    with serving(state, handle) as server, closing(connected(state)) as client:
        client.send("slow.one", {})
        assert first_waits.wait(60)
        assert client.call("quick.one", {}).reply == {"op": "quick.one"}
