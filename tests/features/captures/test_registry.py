"""Who works on a session now is known from Claude Code's registry, crashed processes and all."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from claude_code_mcp.features.captures.service.registry import Registry
from claude_code_mcp.kernel.ids import SessionId
from tests.features.captures.machine import SESSION, Machine

pytestmark = pytest.mark.anyio


@pytest.fixture
def process() -> "Iterator[subprocess.Popen[bytes]]":
    """A process that does nothing until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as made:
        yield made
        made.kill()


async def test_who_is_there_is_told_with_what_it_waits_for(
    machine: Machine, process: "subprocess.Popen[bytes]"
) -> None:
    machine.register(process.pid)
    async with machine.looking() as app:
        await machine.until(lambda: bool(machine.events("session.state_changed")))
        (opened,) = machine.events("session.opened")
        assert (opened.payload["pid"], opened.payload["entrypoint"]) == (process.pid, "cli")
        assert [entry.pid for entry in app.services.captures.live()] == [process.pid]
        machine.register(process.pid, status="waiting", waitingFor="permission prompt")
        await machine.until(lambda: bool(machine.events("person.needed")))
        (needed,) = machine.events("person.needed")
        assert needed.payload["what"] == "permission_prompt"
        states = [event.payload["state"] for event in machine.events("session.state_changed")]
        assert states == ["running", "requires_action"]


async def test_a_crashed_process_is_gone_although_its_file_is_there(
    machine: Machine, process: "subprocess.Popen[bytes]"
) -> None:
    machine.register(process.pid)
    async with machine.looking() as app:
        await machine.until(lambda: bool(machine.events("session.opened")))
        process.kill()
        process.wait()
        await machine.until(lambda: bool(machine.events("process.gone")))
        assert app.services.captures.live() == []


async def test_a_process_that_left_in_order_is_gone(machine: Machine, process: "subprocess.Popen[bytes]") -> None:
    entry = machine.register(process.pid)
    async with machine.looking():
        await machine.until(lambda: bool(machine.events("session.opened")))
        entry.unlink()
        await machine.until(lambda: bool(machine.events("process.gone")))


async def test_what_a_crashed_process_left_behind_opens_nothing(
    machine: Machine, process: "subprocess.Popen[bytes]"
) -> None:
    process.kill()
    process.wait()
    machine.register(process.pid)
    machine.register(process.pid + 1_000_000, "not a session")
    (machine.config / "sessions" / "12.json").write_bytes(b"\0\0{")
    (machine.config / "sessions" / "12.abc.key").write_text("secret")
    async with machine.looking() as app:
        await machine.caught_up()
        await app.services.captures.registry.look()
        assert machine.events() == []
        assert app.services.captures.live() == []


async def test_one_that_ended_while_nobody_looked_is_told_to_be_gone(
    machine: Machine, process: "subprocess.Popen[bytes]"
) -> None:
    entry = machine.register(process.pid)
    async with machine.looking():
        await machine.until(lambda: bool(machine.events("session.opened")))
    process.kill()
    process.wait()
    entry.unlink()
    async with machine.looking():
        await machine.until(lambda: bool(machine.events("process.gone")))
        assert len(machine.events("session.opened")) == 1


async def test_an_old_transcript_of_a_live_session_is_followed(
    machine: Machine, process: "subprocess.Popen[bytes]"
) -> None:
    machine.say("long ago")
    machine.register(process.pid)
    async with machine.looking(activity_keep_h=0):
        await machine.until(lambda: machine.said() == ["long ago"])


async def test_processes_are_measured_only_while_somebody_looks(
    machine: Machine, process: "subprocess.Popen[bytes]"
) -> None:
    machine.register(process.pid)
    async with machine.looking() as app:
        await machine.until(lambda: bool(machine.events("session.opened")))
        assert machine.events("process.measured") == []
        with app.services.captures.watched():
            await machine.until(lambda: bool(machine.events("process.measured")))
        (measured, *_) = machine.events("process.measured")
        assert (measured.payload["pid"], measured.session_id) == (process.pid, SESSION)
        assert measured.payload["memory_bytes"] > 1_000_000
        assert await app.services.captures.measuring.measure() == 0


class Ours:
    """What is ours, as a test says it."""

    def __init__(self) -> None:
        self.sessions: dict[str, SessionId] = {}
        self.asked = 0

    def own_id(self, conversation_id: str, /) -> SessionId | None:
        self.asked += 1
        return self.sessions.get(conversation_id)

    def serves(self, session_id: SessionId, /) -> bool:
        return False


async def test_whose_a_conversation_is_is_asked_anew_after_each_commit_only(machine: Machine) -> None:
    async with machine.looking(activity_watch="off") as app:
        captures, ours = app.services.captures, Ours()
        database = app.database
        registry = Registry(captures.recorder, database, captures.homes, ours, watch=False)
        assert [registry.owner(SESSION) for _ in range(3)] == [None, None, None]
        ours.sessions[SESSION] = SessionId("ours")
        await database.write(lambda _: None)
        assert [registry.owner(SESSION) for _ in range(3)] == ["ours", "ours", "ours"]
        assert ours.asked == 2
