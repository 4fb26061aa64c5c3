"""What each key of `watch` does, on a screen of the smallest size that is promised."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from claude_code_mcp.surfaces.cli.exits import Failure
from claude_code_mcp.surfaces.tui.frame import Wishes
from tests.surfaces.tui.fake_link import session, task
from tests.surfaces.tui.screen import SMALL, SYMBOLS, watching
from tests.surfaces.tui.stories import one_session

pytestmark = pytest.mark.anyio
LOOK = Wishes(SYMBOLS)


async def test_it_shows_at_once_who_waits_and_where() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("3 live  1 waits for you", "● shop Do thing 2", "waits: Bash: rm", "Bash rm -rf build")
        assert on.text.index("shop") < on.text.index("app1") < on.text.index("app3")


async def test_arrows_go_through_the_sessions_and_the_tree_goes_along() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("down")
        await on.shows("Another thing", "Write a.txt")
        await on.hides("Clean up")
        await on.press("up")
        await on.shows("Clean up")


async def test_tab_goes_to_the_tree_and_back() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("tab")
        assert on.app.outline.has_focus
        await on.press("tab")
        assert on.app.sessions.has_focus


@pytest.mark.parametrize(
    ("key", "shown", "hidden"),
    [
        ("2", ["Grep password"], ["Read src"]),
        ("3", ["Add a greeting", "make test", "Exit code 2"], ["Read src", "Clean up"]),
        ("4", ["Clean up", "rm -rf build"], ["Grep", "make test"]),
        ("5", ["make test"], ["Read src"]),
    ],
)
async def test_a_filter_shows_such_nodes_with_what_they_are_part_of(
    key: str, shown: list[str], hidden: list[str]
) -> None:
    link = one_session()
    running = link.trees[link.sessions[1]["id"]][1]["children"][0]["children"][0]
    running["status"] = "running"
    async with watching(link, wishes=LOOK) as on:
        await on.shows("Read src")
        await on.press(key)
        await on.shows(*shown)
        await on.hides(*hidden)
        await on.press("1")
        await on.shows("Read src", "make test", "Clean up")


async def test_a_filter_that_takes_nothing_says_so() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.press("down")
        await on.shows("Another thing")
        await on.press("3")
        await on.shows("Nothing is failed.", "only failed")


async def test_search_marks_goes_round_and_opens_what_it_is_in() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("tab", "c", "slash", *"auth", "enter")
        await on.shows("2 found; n and N go on.", "Read src/auth.py")
        assert on.app.outline.chosen is not None
        assert on.app.outline.chosen.id == "r1"
        await on.press("n")
        assert on.app.outline.chosen.id == "e1"
        await on.press("n")
        assert on.app.outline.chosen.id == "r1"
        await on.press("N")
        assert on.app.outline.chosen.id == "e1"
        await on.press("escape")
        assert on.app.outline.view.query == ""
        await on.press("slash", *"nowhere", "enter")
        await on.shows("Nothing in this tree has that.")


async def test_a_slash_can_be_searched_for() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("slash", *"src", "slash", *"auth", "enter")
        await on.shows("2 found")
        assert on.app.outline.view.query == "src/auth"


async def test_escape_leaves_the_search_line() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("slash", "x", "escape")
        assert on.app.outline.has_focus
        assert on.app.outline.view.query == ""


async def test_following_stands_on_the_newest_until_the_person_moves() -> None:
    link = one_session()
    link.approvals.clear()
    works = link.sessions[0]["id"]
    async with watching(link, wishes=LOOK) as on:
        await on.press("down", "tab")
        await on.shows("Write a.txt")
        link.trees[works].append(task("z9", "The newest"))
        link.change()
        await on.until(lambda: on.app.outline.chosen is not None and on.app.outline.chosen.id == "z9")
        await on.press("home")
        assert "following" not in on.text
        link.trees[works].append(task("z10", "Newer still"))
        link.change()
        await on.shows("Newer still")
        assert on.app.outline.chosen is not None
        assert on.app.outline.chosen.id == "z1"
        await on.press("f")
        await on.until(lambda: on.app.outline.chosen is not None and on.app.outline.chosen.id == "z10")
        await on.shows("following")


async def test_w_jumps_to_what_waits_in_whatever_session() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.press("down")
        await on.shows("Another thing")
        await on.press("w")
        await on.shows("Clean up")
        await on.until(lambda: on.app.outline.chosen is not None and on.app.outline.chosen.id == "q1")
        await on.press("w")
        await on.shows("Nothing else waits for you.")


async def test_an_approval_is_allowed_after_its_input_was_shown() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("a")
        await on.shows("$ rm -rf build", "description: make room", "Allow Bash?", "Esc decides later")
        await on.press("y")
        await on.shows("Bash: allowed.")
        assert on.link.of("approvals.answer") == [{"approval_id": "ap1", "decision": "allow"}]


@pytest.mark.parametrize(
    ("keys", "args", "said"),
    [
        (["n", *"no", "enter"], {"decision": "deny", "message": "no"}, "Bash: denied."),
        (["a"], {"decision": "always"}, "Bash: always allowed."),
    ],
)
async def test_an_approval_is_denied_with_a_reason_or_given_for_good(
    keys: list[str], args: Mapping[str, str], said: str
) -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("y")
        await on.shows("always means: allow Bash(rm *)")
        await on.press(*keys)
        await on.shows(said)
        assert on.link.of("approvals.answer") == [{"approval_id": "ap1", **args}]


async def test_an_approval_can_be_put_off() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("a")
        await on.shows("Allow Bash?")
        await on.press("n")
        await on.shows("Why not?")
        await on.press("escape")
        await on.shows("Allow Bash?")
        await on.press("escape")
        await on.shows("Clean up")
        assert on.link.of("approvals.answer") == []


async def test_an_approval_that_was_answered_elsewhere_is_told() -> None:
    link = one_session()
    link.approvals.clear()
    async with watching(link, wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("a")
        await on.shows("It was answered elsewhere.")


async def test_what_waits_in_a_session_of_others_is_answered_there() -> None:
    link = one_session()
    link.sessions = [session(5, ours=False, waiting_for="permission")]
    async with watching(link, wishes=LOOK) as on:
        await on.shows("waits: permission")
        await on.press("a")
        await on.shows("answer it where it runs")


async def test_a_session_of_ours_is_stopped_after_a_question() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("x")
        await on.shows("Stop Do thing 2?", "s stop the session")
        await on.press("escape")
        await on.hides("s stop the session")
        assert on.link.of("sessions.abort") == []
        await on.press("x")
        await on.shows("s stop the session")
        await on.press("s")
        await on.shows("It is being stopped.")
        (args,) = on.link.of("sessions.abort")
        assert (args["session_id"], args["mode"]) == (on.link.sessions[1]["id"], "stop")


async def test_a_session_of_others_is_never_stopped() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.press("end")
        await on.until(lambda: on.app.session is not None and not on.app.session.ours)
        await on.press("x")
        await on.shows("it can be watched, not stopped")


async def test_the_transcript_is_read_in_the_built_in_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAGER", raising=False)
    link = one_session()
    link.transcript = "said\n\x1b[31mred\u202e"
    async with watching(link, wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("t")
        await on.shows("shop: Do thing 2", "said", "␛[31mred<U+202E>", "Esc closes")
        await on.press("escape")
        await on.shows("Clean up")
        (args,) = link.of("activity.export")
        assert not Path(args["out"]).exists()


async def test_a_pager_that_cannot_be_had_gives_the_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "less")
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("t")
        await on.shows("what was said")


async def test_details_show_input_and_output_with_nothing_in_them_acting() -> None:
    async with watching(one_session(), (100, 50), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("tab", "3", "down", "enter")
        await on.shows("Bash: failed", "$ make test", "␛[31mboom␛[0m", "[red]no markup[/red]", "took: 1m02s, slow")
        await on.press("home")
        await on.shows("Add a greeting: completed")
        await on.press("escape")
        await on.hides("seen by", "took:")


async def test_details_that_are_gone_are_said_to_be() -> None:
    async with watching(one_session(), (100, 40), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.press("tab", "home", "enter")
        await on.shows("There is no such node.")


async def test_an_error_is_shown_whole_on_wish() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("2 more lines: e shows them")
        await on.press("tab", "3", "down", "e")
        await on.shows("1 test failed", "[red]no markup[/red]")
        await on.press("e")
        await on.hides("1 test failed")


async def test_depth_and_folds_hide_and_show() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Grep password")
        await on.press("minus")
        await on.hides("Grep password")
        await on.shows("depth 2", "▸ ◆ Subagent")
        await on.press("minus")
        await on.hides("Read src")
        await on.press("plus", "plus")
        await on.shows("Grep password")
        await on.press("tab", "home", "left")
        await on.hides("Read src")
        await on.press("right")
        await on.shows("Read src")
        await on.press("space")
        await on.hides("Read src")
        await on.press("space", "c")
        await on.hides("Read src")
        await on.shows("Grep password")
        await on.press("c")
        await on.shows("Read src")


async def test_left_goes_to_what_a_node_is_part_of() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Grep password")
        await on.press("tab", "home", "down", "left")
        assert on.app.outline.chosen is not None
        assert on.app.outline.chosen.id == "t1"


async def test_past_sessions_come_and_go() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("3 live")
        assert "Long ago" not in on.text
        await on.press("P")
        await on.shows("old Long ago", "1 past")
        await on.press("P")
        await on.hides("Long ago")


async def test_help_names_the_keys() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.press("question_mark")
        await on.shows("answer what waits", "next that waits for you")
        await on.press("escape")
        await on.hides("answer what waits")


async def test_q_quits_and_hangs_up() -> None:
    link = one_session()
    async with watching(link, SMALL, LOOK) as on:
        await on.shows("Clean up")
        await on.press("q")
    assert on.app.return_value == 0
    assert link.closed


async def test_an_error_of_the_daemon_is_told() -> None:
    link = one_session()
    link.errors["activity.tree"] = Failure("activity_not_found", "There is no such session.")
    async with watching(link, wishes=LOOK) as on:
        await on.shows("There is no such session. (activity_not_found)")


async def test_a_session_that_is_named_is_shown_first_a_past_one_too() -> None:
    link = one_session()
    for wanted, shown in ((link.sessions[0]["id"][:8], "Another thing"), (link.past[0]["id"], "Long ago")):
        async with watching(link, wishes=Wishes(SYMBOLS, session=wanted)) as on:
            await on.shows(shown)
            assert on.app.sessions.chosen is not None
            assert on.app.sessions.chosen.id.startswith(wanted)


async def test_a_session_that_is_named_and_not_there_is_said() -> None:
    async with watching(one_session(), wishes=Wishes(SYMBOLS, session="ffff")) as on:
        await on.shows("There is no session ffff.", "Long ago", "Clean up")


async def test_a_click_chooses_what_is_under_it() -> None:
    async with watching(one_session(), wishes=LOOK) as on:
        await on.shows("Clean up")
        await on.pilot.click("#sessions", offset=(4, 3))
        await on.shows("Another thing")
        await on.pilot.click("#tree", offset=(6, 1))
        assert on.app.outline.has_focus
        assert on.app.outline.chosen is not None
        assert on.app.outline.chosen.id == "z2"
