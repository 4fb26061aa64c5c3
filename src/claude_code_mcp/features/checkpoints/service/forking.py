"""Going on from a checkpoint: its files in place or in a folder of their own, its conversation in a copy cut there."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from claude_code_mcp.features.checkpoints.models import Checkpoint, Point
from claude_code_mcp.features.checkpoints.models.branches import ForkCheckpoint, ForkedCheckpoint
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.conversation import Conversations
from claude_code_mcp.features.checkpoints.service.laying import Laying, new_folder
from claude_code_mcp.features.checkpoints.service.restoring import RestoreOrder, Restoring
from claude_code_mcp.features.sessions.models import SessionHandle, StartSession
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.features.sessions.service.observers import StartingPoint
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.platform.claude.transcript.cutting import Moment
from claude_code_mcp.platform.worktrees.linked import add_worktree

UNTOLD = "The transcript does not tell (any more) where the conversation stood, so there is none to go on with."
NONE_YET = "Nothing had been said at this checkpoint, so there is no conversation to go on with."


class Forking:
    """Begins branches. As a rewinder of sessions it brings projects back before they go on."""

    def __init__(
        self, book: Book, restoring: Restoring, laying: Laying, conversations: Conversations, sessions: Sessions
    ) -> None:
        self._book = book
        self._restoring = restoring
        self._laying = laying
        self._conversations = conversations
        self._sessions = sessions

    async def go_back(self, checkpoint_id: str, project_path: str | None, caller: Caller) -> StartingPoint:
        """Restore a checkpoint's files, keeping what was there, and return what a session goes on from.

        Raises:
            CheckpointNotFound: there is none of that id in the project.
            ConversationCompacted: Claude Code cannot cut there any more.
            TreeInUse, ConfigurationChange: somebody works there, or files that run something would change.
        """
        project = None if project_path is None else (Path(caller.cwd) / project_path).resolve()
        one = self._book.checkpoint(checkpoint_id, project)
        point = await self._point(one)
        await self._restoring.restore(RestoreOrder(root=Path(one.project), checkpoint=one), caller)
        return starting(one.project, point)

    async def fork(self, wish: ForkCheckpoint, caller: Caller) -> ForkedCheckpoint:
        """Begin a branch.

        Raises:
            CheckpointNotFound, BadCheckpointRequest, ConversationCompacted, WorktreeRefused: nothing was changed.
            TreeInUse, ConfigurationChange: in place, and somebody works there or files that run something change.
        """
        one = self._book.checkpoint(wish.checkpoint_id)
        point = await self._point(one)
        if wish.into == "in_place":
            order = RestoreOrder(
                root=Path(one.project), checkpoint=one, force=wish.force, allow_config=wish.allow_config
            )
            outcome = await self._restoring.restore(order, caller)
            files = outcome.restored.changes if outcome.restored is not None else 0
            folder, backup = Path(one.project), outcome.safety.id if outcome.safety is not None else None
        else:
            folder, backup = await self._apart(one, wish, caller), None
            files = await self._laying.lay(one, folder)
        handle = await self._session(wish, starting(str(folder), point), caller)
        session_id = handle.session_id if handle is not None else None
        await self._book.forked(one, str(folder), session_id)
        notes = list(handle.notes) if handle is not None else []
        if point.message_uuid is None:
            notes.append(NONE_YET if point.session_id is None or point.transcript_bytes == 0 else UNTOLD)
        return ForkedCheckpoint(
            checkpoint_id=one.id,
            project_path=str(folder),
            into=wish.into,
            session_id=session_id,
            status=handle.status if handle is not None else None,
            cursor=handle.cursor if handle is not None else None,
            message_uuid=point.message_uuid,
            files=files,
            backup_id=backup,
            notes=notes,
        )

    async def _apart(self, one: Checkpoint, wish: ForkCheckpoint, caller: Caller) -> Path:
        """Make the folder of a branch."""
        project = Path(one.project)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", wish.title or "").strip("-.")[:60] or one.id[-8:]
        folder = new_folder(project, wish.path, name, caller.cwd)
        if wish.into == "worktree":
            return await asyncio.to_thread(add_worktree, project, folder, wish.branch)
        await asyncio.to_thread(folder.mkdir, mode=0o755, parents=True, exist_ok=True)
        return folder

    async def _session(self, wish: ForkCheckpoint, point: StartingPoint, caller: Caller) -> SessionHandle | None:
        if wish.prompt is None:
            return await self._sessions.copy_at(point, wish.title, caller)
        return await self._sessions.start_at(StartSession(prompt=wish.prompt, title=wish.title), point, caller)

    async def _point(self, one: Checkpoint) -> Point:
        return await asyncio.to_thread(self._conversations.reached, one)


class Rejoining:
    """Goes on with the conversation of a checkpoint, whatever becomes of its files."""

    def __init__(self, conversations: Conversations, sessions: Sessions) -> None:
        self._conversations = conversations
        self._sessions = sessions

    async def point_of(self, session_id: str | None, project: Path, caller: Caller) -> Point:
        """Return where a session is in its conversation now; without one, the session that works in the project.

        Raises:
            SessionNotFound: nobody knows it.
        """
        if session_id is None:
            return await self._conversations.current(project)
        known = await self._sessions.show(session_id, caller)
        place = self._conversations.place(known.session_id)
        return await asyncio.to_thread(self._conversations.point, place, Moment())

    async def check(self, one: Checkpoint) -> None:
        """Return where nothing speaks against going on from a checkpoint's point.

        Raises:
            ConversationCompacted: Claude Code cannot cut there any more.
        """
        await asyncio.to_thread(self._conversations.reached, one)

    async def go_back(self, one: Checkpoint, caller: Caller) -> tuple[str | None, Sequence[str]]:
        """Copy the conversation of a checkpoint, cut at its point, into a session that waits for its next message;
        return its id, and what is to be known."""
        point = await asyncio.to_thread(self._conversations.reached, one)
        if point.message_uuid is None:
            return None, [NONE_YET if point.session_id is None or point.transcript_bytes == 0 else UNTOLD]
        title = (one.label or one.message or None) and (one.label or one.message)[:200]
        handle = await self._sessions.copy_at(starting(one.project, point), title, caller)
        return (handle.session_id, handle.notes) if handle is not None else (None, [NONE_YET])


def starting(folder: str, point: Point) -> StartingPoint:
    """Return what a session goes on from, in a folder."""
    return StartingPoint(folder, point.conversation_id, point.message_uuid)
