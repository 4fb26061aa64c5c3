"""Follows every transcript of the known homes: live ones into the log, all of them into the index."""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.captures import store
from claude_code_mcp.features.captures.service.homes import Homes
from claude_code_mcp.features.captures.service.reading import Errand, Outcome, new_row, read_all
from claude_code_mcp.features.captures.service.recorder import Recorder
from claude_code_mcp.features.captures.service.registry import POLL_S
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.redaction import Scrubber
from claude_code_mcp.platform.claude.transcript.entry import Origin
from claude_code_mcp.platform.claude.transcript.files import Found, TranscriptFile, found, locate, transcripts_in
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.errors import StoreUnavailable
from claude_code_mcp.platform.files.offload import off_loop
from claude_code_mcp.platform.files.tree_watch import is_there

FOLLOW_S, COUNT_S = 0.02, 0.2
"""How long one pass reads at most before what it found is written down."""
FOLLOWED, COUNTED = 8, 100
"""Transcripts that one pass reads on at most: followed ones, and ones that are only counted."""
LOOK_S = 300.0
"""How often all directories are looked at although nothing was told: a watch may miss something in a storm."""
OWN_S = 5.0
"""How often transcripts are counted on whose sessions' own output we follow: they tell the log nothing."""
POLL_REST = 50.0
"""Without being told, looking takes at most one part in so many of our time."""
AGAIN_S = 2.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """Which transcripts are followed, and how.

    `keep_s`: those written so many seconds ago at most, and those that are `live`. `owner`: the session of ours that a
    conversation is, if it is one; `in_other_hands`: somebody else works on it now; `serves`: a process of ours does, or
    is about to. `watch`: be told of changes, instead of looking now and then.
    """

    keep_s: float
    live: Callable[[str], bool]
    owner: Callable[[str], SessionId | None]
    in_other_hands: Callable[[str], bool]
    serves: Callable[[SessionId], bool]
    scrubber: Scrubber
    watch: bool = True


class Tailer:
    """Reads what is appended, once for all who want something of it, in passes that never hold anybody up."""

    def __init__(self, recorder: Recorder, database: Database, homes: Homes, policy: Policy) -> None:
        self._recorder = recorder
        self._database = database
        self._homes = homes
        self._policy = policy
        self._hot: dict[Path, None] = {}
        self._cold: dict[Path, None] = {}
        self._own: dict[Path, None] = {}
        self._own_due: asyncio.TimerHandle | None = None
        self._due = asyncio.Event()
        self._look = asyncio.Event()
        self._idle = asyncio.Event()
        self._looking = False
        self._look.set()
        homes.on_new(self.look_around)

    def look_around(self) -> None:
        """Look at all directories again soon."""
        self._look.set()

    def touch(self, path: Path) -> None:
        """Read this transcript on soon, before those that are only counted."""
        self._hot[path] = None
        self._idle.clear()
        self._due.set()

    def take_up_own(self) -> None:
        """Count those of our own sessions on that wait for it: the time is up, or how things stand with one changed."""
        if self._own_due is not None:
            self._own_due.cancel()
        self._own_due = None
        if self._own:
            self._cold.update(self._own)
            self._own.clear()
            self._idle.clear()
            self._due.set()
            self._own_due = asyncio.get_running_loop().call_later(OWN_S, self.take_up_own)

    @property
    def waiting(self) -> int:
        """How many transcripts changed and were not read on yet."""
        return len(self._hot) + len(self._cold) + len(self._own)

    async def caught_up(self) -> None:
        """Wait until nothing is left to read for now."""
        await self._idle.wait()

    async def read(self) -> None:
        """Read whatever is due, for ever."""
        while True:
            if not self._hot and not self._cold:
                if not self._looking and not self._look.is_set():
                    self._idle.set()
                await self._due.wait()
            self._due.clear()
            try:
                await self._pass()
            except StoreUnavailable as exc:
                logger.warning("transcripts wait for the disk: %s", exc)
                await asyncio.sleep(AGAIN_S)

    async def look(self) -> None:
        """Look around at the beginning, whenever asked to, and now and then, for ever."""
        took_s = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self._policy.watch else max(POLL_S, POLL_REST * took_s)):
                    await self._look.wait()
            began_s = time.monotonic()
            self._looking = True
            self._idle.clear()
            self._look.clear()
            try:
                await self._look_everywhere()
            except StoreUnavailable as exc:
                logger.warning("transcripts wait for the disk: %s", exc)
                self._look.set()
                await asyncio.sleep(AGAIN_S)
            finally:
                self._looking = False
            took_s = time.monotonic() - began_s
            self._due.set()

    async def changed(self, paths: Iterable[Path]) -> bool:
        """Take up what is told to have changed; return whether any of it is more than what we are told anyway."""
        news = False
        for path in paths:
            file = locate(path)
            if file is not None and self._is_told(file):
                self._touch_own(file.path)
            elif file is not None:
                news = True
                self.touch(file.path)
            elif path.suffix == "":
                news = True
                # What was in a new directory before it was watched is told by nobody.
                for inside in await off_loop(_below, path):
                    self.touch(inside)
        return news

    def _is_told(self, file: TranscriptFile) -> bool:
        """Tell whether a process of ours writes a transcript, of whose main thread its output says it all."""
        owner = self._policy.owner(file.session_id) if not file.agent_id else None
        return owner is not None and self._policy.serves(owner) and not self._policy.in_other_hands(file.session_id)

    def _touch_own(self, path: Path) -> None:
        """Count a transcript of ours on: now, or with all such that change in the next `OWN_S`."""
        self._own[path] = None
        if self._own_due is None:
            self.take_up_own()

    async def _look_everywhere(self) -> None:
        known = await self._database.scan(store.read_until)
        for home in self._homes.all():
            there = await off_loop(_transcripts, home)
            projects = f"{home / 'projects'}/"
            missing: set[str] = {path for path in known if path.startswith(projects)} - {
                str(one.file.path) for one in there
            }
            readable = await off_loop(is_there, Path(projects))
            if missing and readable:
                await self._forget(missing)
            for one in sorted(there, key=lambda one: one.mtime_ns, reverse=True):
                self._weigh(one, known.get(str(one.file.path)))
            if self._hot or self._cold:
                self._idle.clear()
                self._due.set()

    def _weigh(self, one: Found, known: tuple[int, int, int, int, int | None] | None) -> None:
        changed = known is None or known[:4] != (one.device, one.inode, one.size_bytes, one.mtime_ns)
        if self._origin(one) is not None:
            followed = known[4] if known else None
            if changed or followed is None:
                self._hot.setdefault(one.file.path)
        elif changed:
            self._cold.setdefault(one.file.path)

    def _origin(self, one: Found) -> Origin | None:
        """Return whose events a transcript gives, None for one that is only counted."""
        file, policy = one.file, self._policy
        age_s = self._recorder.clock.now().timestamp() - one.mtime_ns / 1e9
        if age_s > policy.keep_s and not policy.live(file.session_id):
            return None
        owner = policy.owner(file.session_id)
        if owner is not None and not file.agent_id and not policy.in_other_hands(file.session_id):
            # What our own runs' main threads do is in their output already.
            return None
        return Origin(file.session_id, file.agent_id, owner or "", policy.scrubber)

    async def _pass(self) -> None:
        source, most, budget_s = (self._hot, FOLLOWED, FOLLOW_S) if self._hot else (self._cold, COUNTED, COUNT_S)
        paths = list(source)[:most]
        if not paths:
            return
        for path in paths:
            del source[path]
        there = await off_loop(lambda: [(path, found(path)) for path in paths])
        await self._forget({str(path) for path, one in there if one is None})
        errands = [self._errand(one) for _, one in there if one is not None]
        try:
            outcomes = await off_loop(read_all, errands, self._recorder.clock.now(), budget_s)
            await self._keep(outcomes)
        except BaseException:
            # Nothing of it was kept, so it is read again.
            source.update(dict.fromkeys(paths))
            self._due.set()
            raise
        left = [errand.found.file.path for errand in errands[len(outcomes) :]]
        more = [outcome.errand.found.file.path for outcome in outcomes if outcome.more]
        source.update(dict.fromkeys((*left, *more)))
        if self._hot or self._cold:
            self._due.set()

    def _errand(self, one: Found) -> Errand:
        row = self._database.read(lambda db: store.transcript(db, str(one.file.path)))
        told = not one.file.agent_id and self._policy.owner(one.file.session_id) is not None
        return Errand(one, row or new_row(one), self._origin(one), told=told)

    async def _keep(self, outcomes: Sequence[Outcome]) -> None:
        """Write down what was read and how far, in one transaction."""

        def write(db: sqlite3.Connection) -> None:
            for outcome in outcomes:
                if outcome.gone:
                    store.drop_transcript(db, outcome.errand.row.path)
                else:
                    store.put_transcript(db, outcome.errand.row)

        if outcomes:
            await self._recorder.record([event for one in outcomes for event in one.events], write)

    async def _forget(self, paths: Iterable[str]) -> None:
        gone = list(paths)

        def write(db: sqlite3.Connection) -> None:
            for path in gone:
                store.drop_transcript(db, path)

        if gone:
            await self._recorder.record([], write)


def _transcripts(home: Path) -> list[Found]:
    return list(transcripts_in(home))


def _below(folder: Path) -> list[Path]:
    try:
        return [file.path for path in folder.rglob("*.jsonl") if (file := locate(path)) is not None]
    except OSError:
        return []
