"""How activity is shown is kept: per session over the default of all, with the fact in the same transaction."""

from pathlib import Path

import pytest

from claude_code_mcp.features.activity.models import ConfigureDisplay, DisplaySettings, DisplayWish
from claude_code_mcp.features.activity.service.showing import Showing, view_of
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog.log import page
from tests.features.activity.place import StandingClock, place

pytestmark = pytest.mark.anyio
ONE = SessionId("0197a4d0-0000-7000-8000-000000000001")
OTHER = SessionId("0197a4d0-0000-7000-8000-000000000002")


def told(database: Database) -> list[tuple[str, object]]:
    """Return whom each change was about, and what was set then."""
    events = database.read(lambda db: page(db, 0, kinds=("display.configured",))).events
    return [(event.subject, event.payload["settings"]) for event in events]


async def test_what_a_session_has_of_its_own_stands_over_the_default_and_the_default_over_ours(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        showing = Showing(here.database, StandingClock())
        await showing.configure(None, ConfigureDisplay(threshold_slow_ms=2000, max_tree_depth=3))
        await showing.configure(ONE, ConfigureDisplay(settings=DisplayWish(max_tree_depth=9)))
        assert showing.settings(ONE) == DisplaySettings(threshold_slow_ms=2000, max_tree_depth=9)
        assert showing.settings(OTHER) == DisplaySettings(threshold_slow_ms=2000, max_tree_depth=3)
        assert DisplaySettings().threshold_slow_ms == 500


async def test_settings_outlive_a_restart_and_each_change_is_a_fact(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await Showing(here.database, StandingClock()).configure(ONE, ConfigureDisplay(show_timings=False))
    async with place(tmp_path) as here:
        assert Showing(here.database, StandingClock()).settings(ONE).show_timings is False
        assert told(here.database) == [(ONE, {"show_timings": False})]


async def test_asking_or_setting_the_same_again_records_nothing(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        showing = Showing(here.database, StandingClock())
        for _ in range(2):
            await showing.configure(ONE, ConfigureDisplay(collapse_fast_ops=True))
            assert (await showing.configure(ONE, ConfigureDisplay())).collapse_fast_ops
        assert len(told(here.database)) == 1


async def test_reset_forgets_what_was_set_before(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        showing = Showing(here.database, StandingClock())
        await showing.configure(ONE, ConfigureDisplay(show_timings=False, max_tree_depth=2))
        found = await showing.configure(ONE, ConfigureDisplay(reset=True, max_tree_depth=4))
        assert found == DisplaySettings(max_tree_depth=4)


async def test_a_change_is_seen_by_the_next_look(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        showing = Showing(here.database, StandingClock())
        before = (showing.settings(ONE).highlight_errors, showing.version)
        await showing.configure(None, ConfigureDisplay(highlight_errors=False))
        assert (before[0], showing.settings(ONE).highlight_errors) == (True, False)
        assert showing.version > before[1]


def test_collapsing_leaves_out_what_took_less_than_a_fifth_of_the_threshold() -> None:
    assert view_of(DisplaySettings(collapse_fast_ops=True, threshold_slow_ms=500)).collapse_fast_ms == 100
    assert view_of(DisplaySettings()).collapse_fast_ms == 0
    assert view_of(DisplaySettings(max_tree_depth=3)).max_depth == 3
    assert view_of(DisplaySettings(max_tree_depth=3), max_depth=7).max_depth == 7
