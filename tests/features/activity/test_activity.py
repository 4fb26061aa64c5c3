"""Activity on a real store: lists, trees, single calls; restarts, archives and transcripts change nothing."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from claude_code_mcp.features.activity.errors import ActivityNotFound, NodeNotFound, SessionAmbiguous
from claude_code_mcp.features.activity.models import (
    ConfigureDisplay,
    ListActivity,
    Scope,
    ShowNode,
    ShowTree,
)
from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.service import shelf
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.operation import Surface
from tests.features.activity.looking import (
    ONE,
    OTHER,
    PAST,
    listed,
    names,
    over,
    stream,
    tree,
    until_followed,
    within,
    working,
)
from tests.features.activity.place import CALLER, NOON, Story, Transcripts, place
from tests.features.activity.trees import session

pytestmark = pytest.mark.anyio


async def test_a_tree_is_the_same_live_after_a_restart_and_from_the_transcript_alone(tmp_path: Path) -> None:
    story = over()
    async with place(tmp_path / "a") as here:
        for number in range(len(story.events)):
            await here.tell(story, after=number, until=number + 1)
            await tree(here)
        live = await tree(here)
    async with place(tmp_path / "a") as here:
        assert await tree(here) == live
    captured = Transcripts(events={story.id: story.recorded()})
    async with place(tmp_path / "b", captured) as here:
        assert names(await tree(here)) == names(live) == ["Read completed", "Read failed"]


async def test_live_sessions_come_first_then_the_last_active(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        late = Story(OTHER, began=NOON).opened().asked("x").stopped().closed()
        await here.tell(working(), late)
        assert await listed(here) == [ONE, OTHER]
        assert await listed(here, Scope.LIVE) == [ONE]
        assert await listed(here, project_path="/code/other") == []


async def test_sessions_known_by_their_transcript_alone_are_listed_without_being_read(tmp_path: Path) -> None:
    captured = Transcripts(rows=[session(id=PAST, live=False, last_event_at="2026-01-01T00:00:00.000000Z")])
    async with place(tmp_path, captured) as here:
        await here.tell(working())
        assert await listed(here, Scope.ALL) == [ONE, PAST]
        assert await listed(here, Scope.RECENT) == [ONE]
        assert captured.read == 0


async def test_a_session_is_found_by_the_beginning_of_its_id_and_by_where_the_caller_is(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(working(), working(OTHER, "/code/other"))
        assert names(await tree(here, ONE[:13])) == ["Read completed", "Read running"]
        elsewhere = Caller(cwd="/code/other", surface=Surface.CLI)
        reply = await here.activity.tree(ShowTree(), elsewhere)
        assert reply.session.id == OTHER
        with pytest.raises(SessionAmbiguous) as caught:
            await tree(here, ONE[:8])
        assert ONE in str(caught.value)
        with pytest.raises(SessionAmbiguous) as caught:
            await tree(here, None, Caller(cwd="/nowhere", surface=Surface.CLI))
        assert "/code/other" in str(caught.value)
        for unknown in ("ffff", PAST):
            with pytest.raises(ActivityNotFound):
                await tree(here, unknown)


async def test_a_tree_can_leave_out_what_has_ended_and_what_lies_deep(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(working())
        assert names(await tree(here, include_completed=False)) == ["Read running"]
        shallow = await tree(here, max_depth=1)
        assert [child.children for child in shallow.children] == [[]]
        assert shallow.children[0].hidden == 2


async def test_a_wait_for_a_tree_or_a_list_ends_with_a_change_or_with_its_time(tmp_path: Path) -> None:
    story = working()
    async with place(tmp_path) as here:
        await here.tell(story)
        before = await here.activity.tree(ShowTree(session_id=ONE), CALLER)
        rows = await here.activity.sessions(ListActivity(), CALLER)
        same = await within(here.activity.tree(ShowTree(session_id=ONE, cursor=before.cursor, wait_s=0.05), CALLER))
        assert same.cursor == before.cursor
        grown_tree = asyncio.ensure_future(
            here.activity.tree(ShowTree(session_id=ONE, cursor=before.cursor, wait_s=30), CALLER)
        )
        grown_list = asyncio.ensure_future(here.activity.sessions(ListActivity(cursor=rows.cursor, wait_s=30), CALLER))
        await until_followed(here, ONE)
        await until_followed(here, None)
        told = len(story.events)
        await here.tell(story.finished("toolu_2"), after=told)
        assert (await within(grown_tree)).cursor > before.cursor
        assert (await within(grown_list)).cursor > rows.cursor


async def test_what_ended_long_ago_leaves_memory_and_is_made_anew_the_same(tmp_path: Path) -> None:
    async with place(tmp_path, archive_after=timedelta(hours=24)) as here:
        await here.tell(over(), working(OTHER))
        before = await tree(here)
        await tree(here, OTHER)
        here.activity.shelf.tidy()
        assert here.activity.shelf.sessions == {ONE, OTHER}
        here.clock.moment += timedelta(hours=26)
        here.activity.shelf.tidy()
        assert here.activity.shelf.sessions == {OTHER}
        assert await tree(here) == before
        # And it is followed again: what is new in it arrives.
        cursor = (await stream(here)).cursor
        story = over()
        told = len(story.events)
        await here.tell(story.opened().asked("more", 2), after=told)
        assert (await stream(here, cursor)).updates


async def test_a_listed_session_at_rest_is_not_unfolded_again(tmp_path: Path) -> None:
    async with place(tmp_path, archive_after=timedelta(0)) as here:
        await here.tell(over())
        before = await listed(here)
        here.activity.shelf.tidy()
        assert await listed(here) == before == [ONE]
        assert here.activity.shelf.sessions == frozenset()


async def test_a_session_of_the_past_is_read_once_while_it_is_looked_at(tmp_path: Path) -> None:
    story = over(PAST)
    captured = Transcripts(events={story.id: story.recorded()})
    async with place(tmp_path, captured) as here:
        await tree(here, PAST)
        await tree(here, PAST, max_depth=1)
        assert captured.read == 1


async def test_settings_of_display_change_what_is_shown(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(working())
        await here.activity.configure(ConfigureDisplay(session_id=ONE[:13], max_tree_depth=1), CALLER)
        assert names(await tree(here)) == []
        assert names(await tree(here, max_depth=5)) == ["Read completed", "Read running"]
        with pytest.raises(ActivityNotFound):
            await here.activity.configure(ConfigureDisplay(session_id=PAST, max_tree_depth=1), CALLER)


async def test_a_call_is_shown_whole_from_the_log_and_where_it_is_cut_from_the_transcript(tmp_path: Path) -> None:
    story = Story(ONE).opened().asked("x").called("toolu_1", command="ls").finished("toolu_1", "whole")
    story.called("toolu_2", command="cat").finished("toolu_2", "beginning", cut=1 << 20)
    home = tmp_path / "home"
    transcript = home / ".claude" / "projects" / "-code-app" / f"{ONE}.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_text(
        '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"toolu_2","content":"all of it"}]}}\n'
    )
    caller = Caller(cwd="/", surface=Surface.CLI, env={"HOME": str(home)})
    async with place(tmp_path) as here:
        await here.tell(story)
        logged = await here.activity.show(ShowNode(id="toolu_1"), caller)
        assert (logged.input, logged.output, logged.seen_in, logged.whole) == ({"command": "ls"}, "whole", "log", True)
        read = await here.activity.show(ShowNode(id="toolu_2", session_id=ONE), caller)
        assert (read.output, read.seen_in, read.whole) == ("all of it", "transcript", True)
        cut = await here.activity.show(ShowNode(id="toolu_2", part="output"), CALLER)
        assert (cut.input, cut.output, cut.whole) == (None, "beginning", False)
        by_node = await here.activity.show(ShowNode(id=logged.node.id), CALLER)
        assert by_node.node == logged.node
        with pytest.raises(NodeNotFound):
            await here.activity.show(ShowNode(id="toolu_9"), CALLER)


async def test_no_more_trees_are_kept_than_fit_and_those_unused_longest_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MOST_EVENTS", 12)
    third = "0197a4d0-4444-7000-8000-000000000004"
    async with place(tmp_path) as here:
        await here.tell(working(), working(OTHER), working(third))
        cursor = (await stream(here)).cursor
        waiting = asyncio.ensure_future(stream(here, cursor, wait_s=30))
        await until_followed(here, ONE)
        before = await tree(here, OTHER)
        await tree(here, third)
        # Somebody follows the first, so the second made room.
        assert here.activity.shelf.sessions == {ONE, third}
        assert await tree(here, OTHER) == before
        waiting.cancel()
        await asyncio.wait({waiting})


async def test_a_session_that_cannot_be_unfolded_costs_no_other_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    story, other = working(), working(OTHER)
    told = len(story.events)
    async with place(tmp_path) as here:
        await here.tell(story, other)
        await tree(here)
        await tree(here, OTHER)
        whole = SessionFold.extend

        def extend(self: SessionFold, events: Iterable[Recorded]) -> None:
            if self.session_id == ONE:
                raise ZeroDivisionError
            whole(self, events)

        monkeypatch.setattr(SessionFold, "extend", extend)
        await here.tell(story.finished("toolu_2"), other.finished("toolu_2"), after=told)
        assert names(await tree(here, OTHER)) == ["Read completed", "Read completed"]
        assert ONE in caplog.text
        monkeypatch.undo()
        assert names(await tree(here)) == ["Read completed", "Read completed"]


async def test_a_session_is_active_while_something_runs_paused_while_it_can_go_on_and_then_completed_or_failed(
    tmp_path: Path,
) -> None:
    story = Story(ONE).opened()
    steps: tuple[tuple[Callable[[], Story], str], ...] = (
        (lambda: story.asked("x").called("toolu_1"), "active"),
        (lambda: story.finished("toolu_1").stopped(), "paused"),
        (story.closed, "completed"),
        (lambda: story.opened(99).asked("more", 2).called("toolu_2"), "active"),
        (lambda: story.gone(99), "failed"),
    )
    async with place(tmp_path) as here:
        for tell, status in steps:
            told = len(story.events)
            tell()
            await here.tell(story, after=told if told > 1 else 0)
            (row,) = (await here.activity.sessions(ListActivity(), CALLER)).items
            assert (row.status.value, row.live) == (status, status in {"active", "paused"})
