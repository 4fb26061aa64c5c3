"""Being told what changed below some directories: one watch of the system for all, looking again where it has none."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from watchfiles._rust_notify import RustNotify

from claude_code_mcp.platform.files.offload import off_loop

STEP_MS = 60
"""How often the watching thread looks whether something came; changes are told one such step after the last."""
GATHER_MS = 400
"""The longest that changes are gathered while more come."""
QUIET_MS = 5000
"""How often the roots themselves are looked for while nothing comes."""
logger = logging.getLogger(__name__)


class TreeWatch:
    """Tells which paths changed below the roots. What is missed at the beginning, or in a storm, is for a look around
    to find, which its user takes now and then anyway."""

    def __init__(self, roots: Callable[[], Sequence[Path]]) -> None:
        self._roots = roots
        self._stop = asyncio.Event()
        self._complaint = ""
        self._well = False

    def look_again(self) -> None:
        """Begin anew: other directories are to be watched."""
        self._stop.set()

    async def changes(self, again_s: float) -> AsyncGenerator[set[Path]]:
        """Yield sets of changed paths for ever, an empty one each time that watching began anew.

        Where the system cannot watch, an empty set comes every `again_s` seconds: look around yourself. A root that is
        not there is looked for as often.
        """
        while True:
            roots = self._roots()
            self._stop = asyncio.Event()
            yield set()
            self._well = False
            if any(is_there(root) for root in roots):
                async with contextlib.aclosing(self._watched(roots, again_s)) as watched:
                    async for paths in watched:
                        yield paths
            # Roots that came or went are taken up at once; where nothing could be watched at all, not before a while.
            if not self._stop.is_set() and not self._well:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(again_s):
                        await self._stop.wait()

    async def _watched(self, roots: Sequence[Path], again_s: float) -> AsyncGenerator[set[Path]]:
        there = [root for root in roots if is_there(root)]
        missing = [root for root in roots if root not in there]
        try:
            # Not by `awatch`: for each batch it makes a task group and cancels it, at ten times the cost of this.
            with RustNotify([str(root) for root in there], False, False, 0, True, True) as watch:
                while True:
                    look_ms = int(again_s * 1000) if missing else QUIET_MS
                    found = await off_loop(watch.watch, GATHER_MS, STEP_MS, look_ms, self._stop)
                    if found == "stop":
                        return
                    self._well = True
                    if not isinstance(found, str):
                        yield {Path(path) for _, path in found}
                    if any(is_there(root) for root in missing) or not all(is_there(root) for root in there):
                        return
        except asyncio.CancelledError:
            self._stop.set()  # or the thread would go on watching
            raise
        except (OSError, RuntimeError) as exc:
            # No watch is left (fs.inotify.max_user_watches), or a root went away: looking around does for the time.
            if str(exc) != self._complaint:
                self._complaint = str(exc)
                logger.warning("these directories cannot be watched and are looked at now and then: %s", exc)


def is_there(folder: Path) -> bool:
    """Tell whether a directory is there that may be looked into."""
    try:
        return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    except OSError:
        return False
