"""Following a session: everything once, then what changed, at once and for any number of followers."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from claude_code_mcp.features.activity.models import (
    DisplayAction,
    OutputFormat,
    StreamActivity,
    StreamReply,
)
from claude_code_mcp.kernel.operation import Shared
from tests.features.activity.looking import (
    ONE,
    over,
    stream,
    until_followed,
    within,
    working,
)
from tests.features.activity.place import CALLER, Story, place

pytestmark = pytest.mark.anyio


async def test_a_stream_brings_everything_once_and_then_only_what_changed(tmp_path: Path) -> None:
    story = working()
    async with place(tmp_path) as here:
        await here.tell(story)
        first = await stream(here)
        assert {record.activity_update.display_action for record in first.updates} == {DisplayAction.APPEND}
        assert (await stream(here, first.cursor)).updates == []
        told = len(story.events)
        await here.tell(story.finished("toolu_2"), after=told)
        second = await stream(here, first.cursor)
        changed = {one.activity_update.line_id: one.activity_update.display_action for one in second.updates}
        # Its line is written anew, and as it took a second, the warning is a new one.
        assert changed == {"toolu_2": DisplayAction.UPDATE, "toolu_2/slow": DisplayAction.APPEND}
        assert second.cursor > first.cursor


async def test_formats_say_the_same_with_icons_in_ascii_and_as_events(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(working())
        drawn = [one.activity_update for one in (await stream(here)).updates]
        plain = [one.activity_update for one in (await stream(here, output_format=OutputFormat.TEXT)).updates]
        events = [one.activity_update for one in (await stream(here, output_format=OutputFormat.JSON)).updates]
        assert any("✅" in one.formatted_line for one in drawn)
        assert all(one.formatted_line.isascii() for one in plain)
        assert [type(one.raw_event).model_validate_json(one.formatted_line) for one in events] == [
            one.raw_event for one in events
        ]


async def test_a_stream_without_progress_tells_only_of_what_has_ended(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(working())
        told = (await stream(here, show_progress=False)).updates
        assert {one.activity_update.raw_event.status.value for one in told} == {"success"}


async def test_what_is_inside_of_a_completed_part_is_collapsed_into_its_line(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(over())
        whole = {one.activity_update.line_id for one in (await stream(here)).updates}
        collapsed = {one.activity_update.line_id for one in (await stream(here, collapse_completed=True)).updates}
        assert collapsed < whole


async def test_a_long_stream_comes_in_parts_that_are_the_whole_together(tmp_path: Path) -> None:
    story = Story(ONE).opened().asked("work")
    for number in range(40):
        story.called(f"toolu_{number}").finished(f"toolu_{number}")
    async with place(tmp_path) as here:
        await here.tell(story)
        whole = {one.activity_update.line_id for one in (await stream(here)).updates}
        cursor, seen, parts, more = 0, set[str](), 0, True
        while more:
            part = await stream(here, cursor, limit=15)
            assert part.cursor > cursor
            cursor, more, parts = part.cursor, part.more, parts + 1
            seen |= {one.activity_update.line_id for one in part.updates}
        # A stream warns of every slow call, a tree drawn whole only of the slowest.
        assert {line_id for line_id in seen if not line_id.endswith("/slow")} == {
            line_id for line_id in whole if not line_id.endswith("/slow")
        }
        assert parts > 2


async def test_a_follower_waits_and_hears_of_the_next_event(tmp_path: Path) -> None:
    story = working()
    async with place(tmp_path) as here:
        await here.tell(story)
        cursor = (await stream(here)).cursor
        waiting = [asyncio.ensure_future(stream(here, cursor, wait_s=30)) for _ in range(5)]
        await until_followed(here, ONE)
        told = len(story.events)
        await here.tell(story.finished("toolu_2"), after=told)
        replies = [await within(one) for one in waiting]
        assert replies[0].updates
        # Built once for all who look at the same.
        assert all(reply is replies[0] for reply in replies)


async def test_a_follower_that_asks_for_parts_gets_each_change_at_once_and_an_end(tmp_path: Path) -> None:
    story = working()
    parts: list[StreamReply] = []
    came = asyncio.Event()

    async def push(part: Shared) -> None:
        assert isinstance(part, StreamReply)
        parts.append(part)
        came.set()

    follower = replace(CALLER, push=push)
    async with place(tmp_path) as here:
        await here.tell(story)
        wish = StreamActivity(session_id=ONE, follow=True, wait_s=1)
        answer = asyncio.ensure_future(here.activity.stream(wish, follower))
        await until_followed(here, ONE)
        came.clear()
        told = len(story.events)
        await here.tell(story.finished("toolu_2"), after=told)
        await within(came.wait())
        assert [len(part.updates) > 0 for part in parts] == [True, True]
        assert parts[1].updates[0].activity_update.line_id == "toolu_2"
        last = await within(answer)
        assert (last.updates, last.cursor) == ([], parts[1].cursor)
        assert here.captured.looks == 1


async def test_a_follower_that_reads_nothing_holds_up_only_itself(tmp_path: Path) -> None:
    story = working()

    async def never(part: Shared) -> None:
        assert isinstance(part, StreamReply)
        await asyncio.Event().wait()

    async with place(tmp_path) as here:
        await here.tell(story)
        wish = StreamActivity(session_id=ONE, follow=True, wait_s=30)
        stuck = [asyncio.ensure_future(here.activity.stream(wish, replace(CALLER, push=never))) for _ in range(20)]
        cursor = (await stream(here)).cursor
        waiting = asyncio.ensure_future(stream(here, cursor, wait_s=30))
        await until_followed(here, ONE)
        told = len(story.events)
        await here.tell(story.finished("toolu_2"), after=told)
        assert (await within(waiting)).updates
        for one in stuck:
            one.cancel()
        await asyncio.wait(stuck)


async def test_a_cursor_from_elsewhere_begins_anew(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(working())
        assert (await stream(here, 10**9)).updates == (await stream(here)).updates


async def test_events_in_quick_succession_are_told_together_and_none_is_lost(tmp_path: Path) -> None:
    story = Story(ONE).opened().asked("work")
    async with place(tmp_path) as here:
        await here.tell(story)
        seen, replies, cursor = set[str](), 0, 0

        async def follow() -> None:
            nonlocal replies, cursor
            while len(seen) < 300:
                reply = await stream(here, cursor, wait_s=30, limit=5000)
                cursor, replies = reply.cursor, replies + 1
                seen.update(
                    one.activity_update.line_id for one in reply.updates if "toolu" in one.activity_update.line_id
                )

        follower = asyncio.ensure_future(follow())
        await until_followed(here, ONE)
        for number in range(300):
            told = len(story.events)
            await here.tell(story.called(f"toolu_{number}"), after=told)
        await within(follower, 20)
        assert len(seen) == 300
        assert replies < 300
