"""The screen of a running application as text, waited for and compared with what is stored."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from claude_code_mcp.surfaces.cli.node_lines import Look, Signs
from claude_code_mcp.surfaces.tui.app import WatchApp
from claude_code_mcp.surfaces.tui.frame import Wishes
from tests.surfaces.tui.fake_link import FakeLink

STORED = Path(__file__).parent / "screens"
TRIES = 400
SMALL, LARGE = (80, 24), (120, 40)
SYMBOLS = Look(Signs.SYMBOLS)


def text_of(app: App[Any]) -> str:
    """Return what is on the screen, without colours and without blanks at the ends of lines."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


class Watching:
    """An application at work, its keys and its screen."""

    def __init__(self, pilot: Pilot[int], app: WatchApp, link: FakeLink) -> None:
        self.pilot = pilot
        self.app = app
        self.link = link

    @property
    def text(self) -> str:
        return text_of(self.app)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, true: Callable[[], object]) -> None:
        """Let it work until something is so."""
        for _ in range(TRIES):
            await self.pilot.pause(0.01)
            if true():
                return
        raise AssertionError(f"it did not come so far:\n{self.text}")

    async def shows(self, *wanted: str) -> None:
        await self.until(lambda: all(one in self.text for one in wanted))

    async def hides(self, *gone: str) -> None:
        await self.until(lambda: not any(one in self.text for one in gone))


@asynccontextmanager
async def watching(
    link: FakeLink, size: tuple[int, int] = SMALL, wishes: Wishes | None = None
) -> AsyncGenerator[Watching]:
    app = WatchApp(link, wishes or Wishes(), settle_s=0)
    link.told = app.say
    app.sessions._now = lambda: NOW
    app.outline._now_s = lambda: 0.0
    async with app.run_test(size=size) as pilot:
        yield Watching(pilot, app, link)


def stored(name: str, text: str) -> None:
    """Compare with the stored screen; with UPDATE_SCREENS in the environment, store it."""
    file = STORED / f"{name}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        file.write_text(text + "\n", "utf-8")
    assert text + "\n" == file.read_text("utf-8"), f"{file.name} differs; UPDATE_SCREENS=1 stores the new screen"


NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
