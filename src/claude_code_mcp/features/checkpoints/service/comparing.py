"""Branches side by side: what differs, what they cost, and how a test ends in each."""

import asyncio
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from claude_code_mcp.features.checkpoints.errors import BadCheckpointRequest, CheckpointNotFound
from claude_code_mcp.features.checkpoints.models import Checkpoint, Trigger
from claude_code_mcp.features.checkpoints.models.branches import BranchComparison, BranchRow, CompareBranches, TestRun
from claude_code_mcp.features.checkpoints.rules.branches import TURN, Spent, parted, spent
from claude_code_mcp.features.checkpoints.service.conversation import Conversations
from claude_code_mcp.features.checkpoints.service.laying import Laying
from claude_code_mcp.features.checkpoints.service.taking import TakeWish, Taking
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.ids import SessionId, uuid7
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.claude.transcript.cutting import Moment
from claude_code_mcp.platform.eventlog.log import page
from claude_code_mcp.platform.worktrees.diff import Difference, compare, text_diff
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.models import Entry, Kind

MOST_COUNTED = 500
"""Files whose lines are counted; of more, only that they differ is told."""
TURNS = 10_000


class Ran(Protocol):
    """How a command ended."""

    @property
    def code(self) -> int | None:
        """Its exit code, None where it was ended."""
        ...

    @property
    def state(self) -> str:
        """completed, failed, timed_out …"""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...

    @property
    def output(self) -> str:
        """The end of what it said."""
        ...


class Commands(Protocol):
    """Runs a command as a job, to its end."""

    async def run_through(self, command: str, folder: Path, timeout_s: float, caller: Caller) -> Ran:
        """Run a shell command in a folder, and return how it ended; one that takes longer is ended.

        Raises:
            ClaudeCodeMcpError: the policy for commands refuses it, or it cannot be started.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stat:
    """What differs from the base."""

    files: int
    added: int
    deleted: int
    not_counted: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Who else has a part in a comparison."""

    conversations: Conversations
    sessions: Sessions
    commands: Commands


class Comparing:
    """Compares branches."""

    def __init__(self, taking: Taking, laying: Laying, sides: Sides, copies: Path) -> None:
        self._taking = taking
        self._book = taking.book
        self._laying = laying
        self._conversations, self._sessions = sides.conversations, sides.sessions
        self._commands = sides.commands
        self._copies = copies

    def clear(self) -> None:
        """Remove the copies that a killed daemon left."""
        shutil.rmtree(self._copies, ignore_errors=True)

    async def compare(self, wish: CompareBranches, caller: Caller) -> BranchComparison:
        """Return the branches side by side; a session stands for its folder, which is taken now.

        Raises:
            CheckpointNotFound: one of them is neither a checkpoint nor a session.
            BadCheckpointRequest: they have nothing in common, so the base must be named.
        """
        found = [await self._branch(name, caller) for name in wish.branches]
        base = self._book.checkpoint(wish.base) if wish.base else parted(found, self._book.get)
        if base is None:
            raise BadCheckpointRequest(
                "These branches have no checkpoint in common.", remedy="Name the one to compare with: base."
            )
        rows = []
        for number, (name, one) in enumerate(zip(wish.branches, found, strict=True)):
            await caller.report(float(number), f"comparing {name}")
            stat = await self._taking.on_thread(partial(self._stat, base, one))
            test = await self._test(one, wish.command, wish.timeout_s, caller) if wish.command else None
            rows.append(_row(name, one, stat, await self._spent(base, one), test))
        return BranchComparison(base_id=base.id, items=rows, command=wish.command)

    async def _branch(self, name: str, caller: Caller) -> Checkpoint:
        try:
            return self._book.checkpoint(name)
        except CheckpointNotFound:
            place = self._conversations.place(name)
            if not place.project_path:
                raise
        point = await asyncio.to_thread(self._conversations.point, place, Moment())
        wish = TakeWish(trigger=Trigger.FORK, message="Compared", point=point, always=True, client=caller.client)
        return await self._taking.take(Path(place.project_path), wish)

    def _stat(self, base: Checkpoint, one: Checkpoint) -> Stat:
        with self._taking.blobs.reader() as reader:
            before, after = (read_manifest(digest, reader.read) for digest in (base.digest, one.digest))
            differences = [change for change in compare(before, after) if _is_file(change)]
            added = deleted = skipped = 0
            for change in differences[:MOST_COUNTED]:
                if any(entry is not None and entry.sealed for entry in (change.before, change.after)):
                    skipped += 1
                    continue
                contents = (partial(_content, reader, change.before), partial(_content, reader, change.after))
                lines = text_diff(*contents, change, most_lines=0)
                added, deleted = added + lines.added, deleted + lines.deleted
                skipped += lines.binary or lines.too_large
        return Stat(len(differences), added, deleted, skipped + max(0, len(differences) - MOST_COUNTED))

    async def _spent(self, base: Checkpoint, one: Checkpoint) -> Spent | None:
        """Return what the branch's session came to since the base, None where nobody told."""
        session = one.point.session_id
        if session is None or self._sessions.conversation(session) is None:
            return None
        found = await self._book.database.scan(
            lambda db: page(db, 0, session_id=SessionId(session), kinds=(TURN,), limit=TURNS)
        )
        # A session that goes on over the base has what came before it in the same log; a copy has none of it.
        after = base.created_at if base.point.session_id == session else ""
        return spent(event for event in found.events if after < event.at <= one.created_at)

    async def _test(self, one: Checkpoint, command: str, timeout_s: float, caller: Caller) -> TestRun:
        copy = self._copies / uuid7() / Path(one.project).name
        await asyncio.to_thread(copy.mkdir, mode=0o700, parents=True)
        try:
            await self._laying.lay(one, copy)
            ran = await self._commands.run_through(command, copy, timeout_s, caller)
        finally:
            await asyncio.to_thread(shutil.rmtree, copy.parent, ignore_errors=True)
        return TestRun(passed=ran.code == 0, code=ran.code, state=ran.state, seconds=ran.seconds, output=ran.output)


def _is_file(change: Difference) -> bool:
    return any(entry is not None and entry.kind != Kind.FOLDER for entry in (change.before, change.after))


def _content(reader: Reader, entry: Entry | None) -> bytes:
    if entry is None or entry.kind == Kind.FOLDER:
        return b""
    if entry.kind == Kind.LINK:
        return entry.target
    return (
        b"".join(reader.read(chunk.digest) for chunk in reader.chunks(entry.digest))
        if entry.chunked
        else reader.read(entry.digest)
    )


def _row(name: str, one: Checkpoint, stat: Stat, came_to: Spent | None, test: TestRun | None) -> BranchRow:
    return BranchRow(
        branch=name,
        checkpoint_id=one.id,
        project_path=one.project,
        title=one.label or Path(one.project).name,
        session_id=one.point.session_id,
        files=stat.files,
        added=stat.added,
        deleted=stat.deleted,
        not_counted=stat.not_counted,
        turns=came_to.turns if came_to is not None else None,
        cost_microusd=came_to.cost_microusd if came_to is not None else None,
        worked_s=came_to.worked_s if came_to is not None else None,
        test=test,
    )
