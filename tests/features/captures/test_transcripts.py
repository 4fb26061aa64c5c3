"""Transcripts of others are followed into the log while they are fresh, and known by the index for ever."""

import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from claude_code_mcp.app import App
from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.features.captures import store
from claude_code_mcp.features.captures.models.sources import Sources
from claude_code_mcp.features.captures.service.tailing import Policy, Tailer
from claude_code_mcp.features.sessions import store as sessions_store
from claude_code_mcp.features.sessions.models import Origin, Session, SessionState
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.claude.redaction import PLAIN
from claude_code_mcp.platform.tasks import Tasks
from tests.features.captures.machine import SESSION, Machine
from tests.platform.claude.transcript.files import NAMES, recorded

pytestmark = pytest.mark.anyio
OTHER = SessionId("60149376-bd13-4c6e-9303-f3f5d55c6e40")
OURS = SessionId("70149376-bd13-4c6e-9303-f3f5d55c6e40")


def _made_old(path: Path, hours: float = 100.0) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


async def test_a_session_that_began_before_us_is_in_the_log_from_its_beginning(machine: Machine) -> None:
    machine.say("one", "two")
    async with machine.looking():
        await machine.caught_up()
        assert machine.said() == ["one", "two"]
        (opened,) = machine.events("session.opened")
        assert (opened.payload["cwd"], opened.source) == ("/home/dev/proj", "transcript")


async def test_what_is_appended_is_seen_as_it_happens(machine: Machine) -> None:
    async with machine.looking():
        await machine.caught_up()
        machine.say("one")
        await machine.until(lambda: machine.said() == ["one"])
        machine.say("two")
        await machine.until(lambda: machine.said() == ["one", "two"])


async def test_a_session_in_a_new_project_is_seen(machine: Machine) -> None:
    shutil.rmtree(machine.config)
    async with machine.looking(activity_watch="poll"):
        await machine.caught_up()
        machine.say("first in its project")
        await machine.until(lambda: machine.said() == ["first in its project"])


async def test_the_very_first_session_of_a_home_is_seen(machine: Machine) -> None:
    shutil.rmtree(machine.config)
    async with machine.looking():
        await machine.caught_up()
        machine.say("the first of all")
        await machine.until(lambda: machine.said() == ["the first of all"])
        machine.say("and the second")
        await machine.until(lambda: machine.said() == ["the first of all", "and the second"])


async def test_where_nothing_tells_of_changes_they_are_looked_for(machine: Machine) -> None:
    async with machine.looking(activity_watch="poll"):
        await machine.caught_up()
        machine.say("one")
        await machine.until(lambda: machine.said() == ["one"])


async def test_where_it_is_switched_off_nothing_is_read(machine: Machine) -> None:
    machine.say("one")
    async with machine.looking(activity_watch="off") as app:
        await app.database.probe()
        assert machine.events() == []
        assert app.database.read(store.counts) == (0, 0)


async def test_what_is_looked_into_is_shown(machine: Machine) -> None:
    machine.say("one")
    _made_old(machine.say("long ago", session=OTHER))
    async with machine.looking() as app:
        await machine.caught_up()
        caller = Caller(cwd="/", surface=Surface.CLI, client="terminal", env={})
        shown = await build_catalog()["captures.sources"].call(app.context(caller), {})
        assert isinstance(shown, Sources)
        assert (shown.config_dirs, shown.watch) == ([str(machine.config)], "auto")
        assert (shown.transcripts, shown.followed, shown.waiting, shown.queued) == (2, 1, 0, 0)


async def test_a_restart_goes_on_where_it_stopped_and_adds_nothing_twice(machine: Machine) -> None:
    machine.say("one")
    async with machine.looking():
        await machine.caught_up()
        before = machine.events()
    machine.say("two")
    async with machine.looking():
        await machine.caught_up()
        assert machine.events()[: len(before)] == before
        assert machine.said() == ["one", "two"]
    async with machine.looking():
        await machine.caught_up()
        assert machine.said() == ["one", "two"]


async def test_an_old_session_is_known_but_nothing_of_it_is_copied(machine: Machine) -> None:
    _made_old(machine.say("long ago"))
    async with machine.looking() as app:
        await machine.caught_up()
        assert machine.events() == []
        (past,) = app.services.captures.past(10)
        assert (past.session_id, past.first_prompt, past.prompts, past.cwd) == (
            SESSION,
            "long ago",
            1,
            "/home/dev/proj",
        )
        history = app.services.captures.history(SESSION)
        assert history is not None
        kinds = [event.kind for event in history]
        assert kinds == ["session.opened", "prompt.taken", "message.said"]
        assert app.services.captures.history(OTHER) is None


async def test_an_old_session_that_goes_on_is_taken_in_from_its_beginning(machine: Machine) -> None:
    _made_old(machine.say("long ago"))
    async with machine.looking():
        await machine.caught_up()
        machine.say("again")
        await machine.until(lambda: machine.said() == ["long ago", "again"])


async def test_a_torn_line_is_taken_when_it_is_whole(machine: Machine) -> None:
    line = machine.prompt("ünfinished")
    cut = line.index("ü".encode()) + 1
    path = machine.say("one")
    path.write_bytes(path.read_bytes() + line[:cut])
    async with machine.looking():
        await machine.caught_up()
        assert machine.said() == ["one"]
        with path.open("ab") as file:
            file.write(line[cut:])
        await machine.until(lambda: machine.said() == ["one", "ünfinished"])


async def test_a_line_of_a_quarter_gigabyte_is_told_by_its_size_and_costs_no_memory(machine: Machine) -> None:
    size = 256 * 1024 * 1024
    with machine.transcript().open("wb") as file:
        file.write(b'{"type":"user","uuid":"')
        file.truncate(size)
        file.seek(size)
        file.write(b'"}\n')
    machine.say("after it")
    tracemalloc.start()
    try:
        async with machine.looking():
            await machine.until(lambda: machine.said() == ["after it"])
            _, most_bytes = tracemalloc.get_traced_memory()
            (told,) = machine.events("line.oversized")
            assert told.payload["line_bytes"] == size + 2
    finally:
        tracemalloc.stop()
    assert most_bytes < 100 * 1024 * 1024


async def test_a_cut_or_replaced_transcript_is_read_anew_and_counted_anew(machine: Machine) -> None:
    path = machine.say("one", "two")
    kept = path.read_bytes().splitlines(keepends=True)[0]
    async with machine.looking() as app:
        await machine.caught_up()
        other = machine.root / "other"
        other.write_bytes(kept + machine.prompt("three"))
        other.replace(path)
        await machine.until(lambda: machine.said() == ["one", "two", "three"])
        assert app.services.captures.past(1)[0].prompts == 2
        path.write_bytes(machine.prompt("four"))
        await machine.until(lambda: machine.said()[-1] == "four")
        assert app.services.captures.past(1)[0].prompts == 1


async def test_a_copied_and_a_renamed_transcript_add_nothing(machine: Machine) -> None:
    path = machine.say("one", "two")
    async with machine.looking():
        await machine.caught_up()
        before = machine.events()
        other = machine.config / "projects" / "-elsewhere"
        other.mkdir()
        shutil.copy(path, other / path.name)
        (other / path.name).rename(other / f"{OTHER}.jsonl")
        machine.say("the end", session=OURS)
        await machine.until(lambda: machine.said(OURS) == ["the end"])
        await machine.caught_up()
        assert machine.events() == before


async def test_a_deleted_transcript_is_forgotten_and_its_events_stay(machine: Machine) -> None:
    path = machine.say("one")
    async with machine.looking() as app:
        await machine.caught_up()
        path.unlink()
        await machine.until(lambda: app.services.captures.past(1) == [])
        assert machine.said() == ["one"]
    path = machine.say("two", session=OTHER)
    async with machine.looking():
        await machine.caught_up()
    path.unlink()
    async with machine.looking() as app:
        await machine.caught_up()
        assert app.database.read(store.counts) == (0, 0)


async def _adopted(app: App, conversation: str) -> None:
    """Have a session of ours that has no process now."""
    session = Session(
        id=OURS,
        conversation_id=conversation,
        project_path="/",
        origin=Origin.STARTED,
        state=SessionState.IDLE,
        priority=1,
        created_at="",
        updated_at="",
    )
    await app.database.write(lambda db: sessions_store.put_session(db, session))


async def test_of_our_own_sessions_only_the_subagents_transcripts_are_taken_under_our_id(machine: Machine) -> None:
    conversation = OTHER
    async with machine.looking() as app:
        await machine.caught_up()
        await _adopted(app, conversation)
        machine.say("to the main thread", session=conversation)
        machine.say("to the subagent", session=conversation, agent="a1")
        await machine.until(lambda: bool(machine.events(session=OURS)))
        await machine.caught_up()
        (said,) = machine.events(session=OURS)
        assert (said.payload["text"], said.agent_id) == ("to the subagent", "a1")
        assert machine.events(session=conversation) == []


async def test_what_a_process_of_ours_writes_is_counted_now_and_then(machine: Machine) -> None:
    async with machine.looking(activity_watch="off") as app, AsyncExitStack() as stack:
        policy = Policy(3600, lambda _: True, lambda _: OURS, lambda _: False, lambda _: True, PLAIN)
        tailer, tasks = Tailer(app.recorder, app.database, app.services.captures.homes, policy), Tasks()
        stack.push_async_callback(tasks.close)
        tasks.start("read", tailer.read())
        tasks.start("look", tailer.look())
        await tailer.caught_up()

        async def counted() -> int:
            await tailer.caught_up()
            return app.services.captures.past(1)[0].prompts

        path = machine.say("one")
        assert not await tailer.changed([path])
        assert await counted() == 1
        for number in range(5):
            machine.say(f"more {number}")
            assert not await tailer.changed([path])
        assert (await counted(), tailer.waiting) == (1, 1)
        tailer.take_up_own()
        assert (await counted(), tailer.waiting) == (6, 0)
        assert machine.events() == []
        assert await tailer.changed([machine.say("to a subagent", agent="a1")])


async def test_what_others_do_in_a_session_of_ours_is_taken_from_where_our_own_output_ends(machine: Machine) -> None:
    async with machine.looking() as app:
        await machine.caught_up()
        await _adopted(app, OTHER)
        machine.say("through us", session=OTHER)
        await machine.until(lambda: app.database.read(store.counts) == (1, 1))
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            machine.register(process.pid, OTHER)
            await machine.until(lambda: bool(machine.events("session.opened", session=OURS)))
            machine.say("in a terminal", session=OTHER)
            await machine.until(lambda: machine.said(OURS) == ["in a terminal"])
            process.kill()
            process.wait()
            await machine.until(lambda: bool(machine.events("process.gone", session=OURS)))


async def test_a_subagents_description_that_comes_late_is_told(machine: Machine) -> None:
    async with machine.looking():
        await machine.caught_up()
        path = machine.say("do it", agent="a1")
        await machine.until(lambda: bool(machine.events("message.said")))
        meta = path.with_name("agent-a1.meta.json")
        meta.write_text('{"agentType":"Explore","toolUseId":"toolu_1","spawnDepth":1,"finished":true}')
        await machine.until(lambda: bool(machine.events("subagent.finished")))
        (linked,) = machine.events("agent.linked")
        assert (linked.tool_use_id, linked.agent_id, linked.payload["agent_type"]) == ("toolu_1", "a1", "Explore")


async def test_every_recorded_session_is_the_same_in_the_log_as_from_its_files(machine: Machine) -> None:
    for name in NAMES:
        shutil.copytree(recorded(name).parent, machine.config / "projects" / f"-{name}")
    async with machine.looking() as app:
        await machine.caught_up()
        for name in NAMES:
            session = recorded(name).stem
            history = app.services.captures.history(session)
            assert history is not None
            there = {event.source_key: (event.kind, event.payload) for event in history}
            logged = {event.source_key: (event.kind, event.payload) for event in machine.events(session=session)}
            assert logged == there


async def test_the_homes_of_callers_are_looked_into_and_remembered(machine: Machine, tmp_path: Path) -> None:
    theirs = Machine(tmp_path / "their")
    theirs.say("hers", session=OTHER)
    async with machine.looking() as app:
        await machine.caught_up()
        app.context(Caller(cwd="/", surface=Surface.CLI, client="terminal", env={"HOME": str(theirs.home)}))
        await machine.until(lambda: machine.said(OTHER) == ["hers"])
    async with machine.looking():
        await machine.caught_up()
        theirs.say("more", session=OTHER)
        await machine.until(lambda: machine.said(OTHER) == ["hers", "more"])


async def test_ten_thousand_transcripts_are_known_and_listed_in_pages(machine: Machine) -> None:
    for number in range(10_000):
        session = f"00000000-0000-4000-9000-{number:012x}"
        path = machine.say(f"prompt {number}", session=session)
        os.utime(path, (1, 1))
    async with machine.looking() as app:
        await machine.caught_up()
        assert app.database.read(store.counts) == (10_000, 0)
        listed: list[str] = []
        after: str | None = None
        while page := app.services.captures.past(3000, after):
            listed += [one.session_id for one in page]
            after = page[-1].path
        assert len(set(listed)) == len(listed) == 10_000
