"""How `watch` looks: whole screens as stored, sizes, terminals of every kind, hostile words, and very much of it."""

import time

import pytest
from textual.app import App

from claude_code_mcp.surfaces.cli.node_lines import Look, Signs
from claude_code_mcp.surfaces.tui.frame import Wishes
from tests.surfaces.tui.fake_link import FakeLink, node, session, task
from tests.surfaces.tui.screen import LARGE, SMALL, stored, watching
from tests.surfaces.tui.stories import one_session

pytestmark = pytest.mark.anyio
HOSTILE = "\x1b]0;title\x07[bold red]x[/] \u202edrow\u2066 \x1b[2J\r\nnext \u200b\U000e0041 😀👨\u200d👩\u200d👧 end"


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("signs", list(Signs))
async def test_the_screen_is_as_stored(size: tuple[int, int], signs: Signs) -> None:
    async with watching(one_session(), size, Wishes(Look(signs), past=True, still=True)) as on:
        await on.shows("Long ago", "rm -rf build")
        await on.pilot.pause()
        stored(f"watch-{size[0]}x{size[1]}-{signs.value}", on.text)


async def test_the_question_is_as_stored() -> None:
    async with watching(one_session(), SMALL) as on:
        await on.shows("Clean up")
        await on.press("a")
        await on.shows("Esc decides later")
        stored("question-80x24", on.text)


async def test_a_terminal_with_ascii_only_is_sent_nothing_else() -> None:
    link = one_session()
    link.sessions[0]["root_task"] = "naïve 日本 😀"
    async with watching(link, wishes=Wishes(Look(Signs.ASCII))) as on:
        await on.shows("na?ve ???? ??")
        await on.press("tab", "enter")
        await on.shows("took: ")
        assert on.text.isascii(), on.text


async def test_settings_of_the_display_hold() -> None:
    link = one_session()
    link.settings = {"show_timings": False, "highlight_errors": False}
    async with watching(link) as on:
        await on.shows("make test", "Clean up")
        await on.hides("(1m02s)", "Exit code 2")


async def test_a_resize_lays_everything_out_anew() -> None:
    async with watching(one_session(), LARGE) as on:
        await on.shows("Clean up")
        for size in ((80, 24), (40, 10), (20, 5), (200, 60), (80, 24)):
            await on.pilot.resize_terminal(*size)
            await on.pilot.pause()
            lines = on.text.split("\n")
            assert len(lines) == size[1]
        await on.shows("Clean up", "q quit")


async def test_hostile_words_do_nothing_and_are_seen() -> None:
    link = FakeLink()
    link.sessions = [
        session(1, root_task=HOSTILE, project_path=f"/x/{HOSTILE}", waiting_for=HOSTILE),
        session(2, root_task="fine"),
    ]
    tree = [task("t", HOSTILE, node("n", HOSTILE, input_summary=HOSTILE, error_message=HOSTILE, status="failed"))]
    link.trees[link.sessions[0]["id"]] = tree
    link.details["t"] = {"input": {HOSTILE: HOSTILE}, "output": HOSTILE}
    async with watching(link, LARGE) as on:
        await on.shows("[bold red]x[/]", "␛]0;title␇")
        await on.press("tab", "home", "enter")
        await on.shows("input", "output")
        for bad in "\x1b\x07\u202e\u2066\u200b\u200d\r":
            assert bad not in on.text
        assert len(on.text.split("\n")) == LARGE[1]


async def test_no_color_leaves_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with watching(one_session()) as on:
        await on.shows("Clean up")
        colours = [
            colour
            for strip in on.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None and not colour.is_default
        ]
        assert colours == []


async def test_only_the_sixteen_colours_are_used() -> None:
    async with watching(one_session()) as on:
        await on.shows("Clean up")
        await on.press("a")
        await on.shows("Allow Bash?")
        for strip in on.app.screen._compositor.render_strips():
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    assert colour is None or colour.is_default or (colour.number or 0) < 16, (segment, colour)
                    assert colour is None or colour.triplet is None, (segment, colour)


async def test_fifty_sessions_are_listed_and_reached() -> None:
    link = FakeLink()
    link.sessions = [session(number) for number in range(50)]
    link.sessions[33]["waiting_for"] = "Bash: deploy"
    async with watching(link, SMALL) as on:
        await on.shows("50 live", "1 waits for you", "waits: Bash: deploy")
        assert on.text.index("app33") < on.text.index("app0")
        await on.press("end")
        await on.shows("app49")
        await on.press("home")
        await on.shows("app33")


async def test_the_cursor_stays_on_its_session_when_the_order_changes() -> None:
    link = FakeLink()
    link.sessions = [session(number) for number in range(10)]
    async with watching(link, SMALL) as on:
        await on.shows("10 live")
        await on.press("down", "down")
        await on.until(lambda: on.app.sessions.chosen is not None and on.app.sessions.chosen.project == "app2")
        link.sessions[7]["waiting_for"] = "you"
        link.change()
        await on.shows("waits: you")
        assert on.app.sessions.chosen is not None
        assert on.app.sessions.chosen.project == "app2"


async def test_ten_thousand_nodes_are_moved_in_without_waiting() -> None:
    link = FakeLink()
    link.sessions = [session(1)]
    link.trees[link.sessions[0]["id"]] = [
        task(
            f"t{turn}",
            f"turn {turn}",
            *(node(f"t{turn}n{call}", "Bash", input_summary=f"c {call}") for call in range(99)),
        )
        for turn in range(100)
    ]
    async with watching(link, LARGE) as on:
        await on.until(lambda: len(on.app.outline.rows) == 10_000)
        await on.press("tab")
        began = time.process_time()
        await on.press("home", *["pagedown"] * 20, "end", "up", "2", "1", "slash", *"c 98", "enter", "n")
        spent_s = time.process_time() - began
        await on.shows("100 found")
        assert spent_s < 10, f"{spent_s:.1f} s of CPU"
        began = time.process_time()
        link.change()
        await on.pilot.pause(0.5)
        assert time.process_time() - began < 2


async def test_a_nesting_of_a_hundred_levels_is_drawn() -> None:
    link = FakeLink()
    link.sessions = [session(1)]
    deep = node("n100", "Bash", input_summary="the deepest")
    for level in range(99, -1, -1):
        deep = node(f"n{level}", "agent", deep, kind="subagent", status="running")
    link.trees[link.sessions[0]["id"]] = [deep]
    async with watching(link, SMALL) as on:
        await on.shows("97…       └─ 🤖 Subagent: agent")
        await on.press("tab", "end")
        await on.shows("98…       └─ 🔧 Bash the deepest")


async def test_a_daemon_that_dies_and_comes_back_is_followed_on() -> None:
    link = one_session()
    async with watching(link) as on:
        await on.shows("Clean up")
        link.die()
        await on.shows("The daemon went away; looking for the next one ...")
        assert "Clean up" in on.text
        link.trees[link.sessions[1]["id"]].append(task("t3", "After the restart"))
        link.come_back()
        await on.shows("Connected again.", "After the restart")


async def test_no_session_at_all_is_said() -> None:
    async with watching(FakeLink()) as on:
        await on.shows("No session is live.")
        for key in ("tab", "enter", "w", "a", "x", "t", "space", "left", "c", "e", "n", "plus", "minus", "end"):
            await on.press(key)
        assert on.app.is_running


def test_the_application_is_a_textual_one_with_its_own_css_only() -> None:
    from claude_code_mcp.surfaces.tui.app import WatchApp

    assert issubclass(WatchApp, App)
    assert WatchApp.CSS_PATH is None
