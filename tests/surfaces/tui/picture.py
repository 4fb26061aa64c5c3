"""`python -m tests.surfaces.tui.picture FILE`: a picture of `watch` from real sessions, for the README."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

import claude_agent_sdk

from claude_code_mcp.surfaces.cli.client import dialer
from claude_code_mcp.surfaces.tui.app import WatchApp
from claude_code_mcp.surfaces.tui.link import DaemonLink
from tests.surfaces.tui.machine import Machine, machine
from tests.surfaces.tui.screen import text_of

SIZE = (108, 30)
TRIES = 3000
_FOREIGN = re.compile(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)
_NUMBERED = re.compile(r"terminal-\d+-")


async def _drawn(on: Machine) -> str:
    link = DaemonLink(dialer(on.client.state_dir, on.env, own_env=on.env))
    app = WatchApp(link)
    link.told = app.say
    async with app.run_test(size=SIZE) as pilot:
        wanted = ("3 live", "1 waits for you", "git push origin main", "handbook")
        for _ in range(TRIES):
            await pilot.pause(0.02)
            if all(one in text_of(app) for one in wanted):
                break
        else:
            raise SystemExit(f"the screen never had all of it:\n{text_of(app)}")
        await pilot.press("tab", "enter", "up")
        await pilot.pause(0.5)
        print(text_of(app))
        svg = app.export_screenshot(title="claude-code-mcp watch", simplify=True)
    return _NUMBERED.sub("watch-", _FOREIGN.sub("", svg))


def main(file: Path) -> None:
    """Draw it into `file`. It names no font on the network: whoever looks at it sees one of their own."""
    binary = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
    with tempfile.TemporaryDirectory(prefix="ccm-", dir="/tmp") as folder:
        base = Path(folder)
        for name in ("home", "tmp"):
            (base / name).mkdir()
        with machine(base, base / "home", base / "tmp", binary) as on:
            file.write_text(asyncio.run(_drawn(on)), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
