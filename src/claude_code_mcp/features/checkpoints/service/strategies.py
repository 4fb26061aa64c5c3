"""Taking what strategies want, beside the session: never in its way, and honest about what came between."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from claude_code_mcp.features.checkpoints.models import Checkpoint, Point, Project, Strategy
from claude_code_mcp.features.checkpoints.rules.strategies import (
    BEGAN,
    ENDED,
    Occasion,
    Wanted,
    When,
    at_work,
    wanted,
)
from claude_code_mcp.features.checkpoints.service.conversation import Conversations
from claude_code_mcp.features.checkpoints.service.taking import TakeWish, Taking
from claude_code_mcp.features.sessions.models import Message, Session, SessionState
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.transcript.cutting import Where
from claude_code_mcp.platform.eventlog.log import last_seq, page
from claude_code_mcp.platform.tasks import Tasks

HOLD_S = 2.0
"""How long a prompt waits at most until the tree before it has been read."""
LATE_S = 5.0
"""A checkpoint that was taken so long after its moment says so."""
SETTLE_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""When a transcript is looked into again for a line that was on its way."""
ASKED_S, ASKED_TRIES = 0.5, 10
"""How long a question about a risky call may be on its way, and how often it is looked for."""
KNOWN = 2000
BUSY = frozenset({SessionState.RUNNING, SessionState.WAITING})
_DECIDED = frozenset({"approval.answered", "approval.closed", "tool.finished", "tool.failed"})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A checkpoint that is wanted of a project: since which event of the log, at what time, for how many moments."""

    root: Path
    wish: Wanted
    seq: int
    at: datetime
    moments: int = 1


@dataclass(slots=True)
class _Look:
    """A look at a tree: which event was the newest when it was over."""

    seq: int = 0


class Automatic:
    """Takes checkpoints that nobody asked for by name. As a gate of sessions it sees prompts before they run."""

    def __init__(self, taking: Taking, conversations: Conversations, tasks: Tasks) -> None:
        self._taking = taking
        self._book = taking.book
        self.conversations = conversations
        self._tasks = tasks
        self._done: OrderedDict[str, None] = OrderedDict()
        self._projects: list[Project] = []
        self._as_of = -1

    def projects(self) -> list[Project]:
        """Return the projects of which checkpoints are taken by themselves."""
        if self._as_of != self._book.settled:
            self._as_of = self._book.settled
            self._projects = [one for one in self._book.projects() if one.settings.strategy is not Strategy.MANUAL]
        return self._projects

    def project_of(self, folder: str) -> Project | None:
        """Return the innermost of these projects that a folder is in, None where it is in none."""
        held = [one for one in self.projects() if folder == one.path or folder.startswith(f"{one.path.rstrip('/')}/")]
        return max(held, key=lambda one: len(one.path), default=None)

    async def before(self, session: Session, messages: Sequence[Message]) -> None:
        """Have the tree taken as it is before a prompt; wait until it was read where the strategy is `per_prompt` and
        the session rests, two seconds at most."""
        project = self.project_of(session.project_path)
        if project is None:
            return
        first = messages[0]
        one = Occasion(When.PROMPT, session.id, first.id, text=first.text)
        wish = wanted(project.settings.strategy, one)
        if wish is None or self.known(wish):
            return
        asked = Asked(Path(project.path), wish, self._book.database.read(last_seq), self._book.now())
        read = asyncio.Event()
        self._tasks.start(f"checkpoint before {first.id}", self._take_soon(asked, read))
        if project.settings.strategy is Strategy.PER_PROMPT and session.state not in BUSY:
            try:
                async with asyncio.timeout(HOLD_S):
                    await read.wait()
            except TimeoutError:
                log.info("session %s: its prompt does not wait longer for a checkpoint", session.id)

    async def _take_soon(self, asked: Asked, read: asyncio.Event) -> None:
        try:
            await self.take(asked, read)
        except ClaudeCodeMcpError as exc:
            log.warning("no checkpoint was taken before a prompt in %s: %s", asked.root, exc)
        finally:
            read.set()

    def known(self, wish: Wanted) -> bool:
        """Tell whether a wish was seen to already, by this daemon or an earlier one."""
        if wish.cause in self._done:
            return True
        rows = self._book.find(None, wish.session_id, limit=100)
        return any(one.cause == wish.cause for one in rows)

    async def take(self, asked: Asked, read: asyncio.Event | None = None) -> Checkpoint:
        """Take a checkpoint that is wanted; `read` is set when the tree has been read.

        Raises:
            ClaudeCodeMcpError: it cannot be taken now.
        """
        wish = asked.wish
        self._remember(wish.cause)
        place = self.conversations.place(wish.session_id) if wish.session_id else None
        loop = asyncio.get_running_loop()
        look = _Look()

        def seen() -> None:
            look.seq = self._taking.soon(self._newest())
            if read is not None:
                loop.call_soon_threadsafe(read.set)

        def finish(one: Checkpoint) -> None:
            one.point = self.conversations.point(place, wish.moment) if place is not None else Point()
            one.remarks = self._taking.soon(self._remarks(asked, look.seq))

        try:
            one = await self._taking.take(
                asked.root,
                TakeWish(
                    trigger=wish.trigger,
                    message=wish.message,
                    always=wish.always,
                    cause=wish.cause,
                    seen=seen,
                    finish=finish,
                ),
            )
        except BaseException:
            self._done.pop(wish.cause, None)
            raise
        if one.cause == wish.cause and one.point.session_id is not None and not _told(one.point):
            self._tasks.start(f"point of {one.id}", self._settle(one))
        return one

    def _remember(self, cause: str) -> None:
        self._done[cause] = None
        while len(self._done) > KNOWN:
            self._done.popitem(last=False)

    async def _newest(self) -> int:
        return self._book.database.read(last_seq)

    async def _remarks(self, asked: Asked, until: int) -> list[str]:
        """Say what came between the moment and the end of the look at the tree, at `until` in the log."""
        remarks = []
        wish = asked.wish
        since_s = (self._book.now() - asked.at).total_seconds()
        if since_s > LATE_S:
            remarks.append(f"Taken {since_s:.0f} s after its moment.")
        if asked.moments > 1:
            remarks.append(
                f"Stands for {asked.moments} moments that came at once; this is how the tree was after them."
            )
        if not wish.session_id:
            return remarks
        own = wish.moment.id
        if wish.moment.where is Where.BEFORE_TOOL and not await self._waits(asked):
            remarks.append("The command may have begun before the tree was read.")
        between = [event for event in self._after(asked) if event.seq <= until and event.tool_use_id != own]
        began = at_work(event for event in between if event.kind == BEGAN)
        if began:
            remarks.append(f"{began} had begun before the tree was read.")
        return remarks

    async def _waits(self, asked: Asked) -> bool:
        """Tell whether a call waits for a person; that it is asked about comes a moment after the call."""
        for _ in range(ASKED_TRIES):
            after, call = self._after(asked), asked.wish.moment.id
            if _held(after, call):
                return True
            if any(event.tool_use_id == call and event.kind in ENDED for event in after):
                break
            await asyncio.sleep(ASKED_S / ASKED_TRIES)
        return False

    def _after(self, asked: Asked) -> list[Recorded]:
        session = SessionId(asked.wish.session_id)
        return self._book.database.read(lambda db: page(db, asked.seq, session_id=session, limit=500)).events

    async def _settle(self, one: Checkpoint) -> None:
        """Note the point of a checkpoint when its line has come into the transcript."""
        for pause_s in SETTLE_S:
            await asyncio.sleep(pause_s)
            point = await asyncio.to_thread(self.conversations.settled, one)
            if _told(point):

                def change(found: Checkpoint, point: Point = point) -> None:
                    found.point = point

                await self._book.change(one.id, change)
                return


def _told(point: Point) -> bool:
    return point.message_uuid is not None or point.transcript_bytes is not None


def _held(after: Sequence[Recorded], call: str) -> bool:
    """Tell whether a call waits for a person: it was asked about, and nothing was decided since."""
    held = False
    for event in after:
        if event.kind == "approval.asked" and event.tool_use_id == call:
            held = True
        elif event.kind in _DECIDED and (not event.kind.startswith("tool.") or event.tool_use_id == call):
            held = False
    return held
