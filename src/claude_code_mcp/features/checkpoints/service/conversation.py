"""The point in a conversation that a checkpoint belongs to: found in Claude Code's transcript, ours or anybody's."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from claude_code_mcp.features.checkpoints.errors import ConversationCompacted
from claude_code_mcp.features.checkpoints.models import Checkpoint, Point
from claude_code_mcp.features.checkpoints.rules.strategies import moment_of
from claude_code_mcp.features.sessions.models import ConversationPlace
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.ids import is_uuid
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.transcript.cutting import Cut, Moment, Where, compacted_since, find_cut

RECENT_S = 24 * 3600.0
"""A conversation that nobody went on with for so long is not what a checkpoint by hand is about."""


class Conversations:
    """Where sessions stand, and where their conversations are cut."""

    def __init__(self, sessions: Sessions, homes: Callable[[], Iterable[Path]]) -> None:
        self._sessions = sessions
        self._homes = homes

    def place(self, session_id: str) -> ConversationPlace:
        """Return where a session's conversation is; that of somebody else has Claude Code's own id."""
        ours = self._sessions.conversation(self._sessions.own_id(session_id) or session_id)
        if ours is not None:
            return ours
        return ConversationPlace(session_id, "", session_id, None)

    def point(self, place: ConversationPlace, moment: Moment) -> Point:
        """Return the point of a moment; `transcript_bytes` is None where the transcript does not tell it (yet).

        Blocks: reads files.
        """
        bare = Point(
            session_id=place.session_id,
            conversation_id=place.conversation_id,
            prompt_id=moment.id if moment.where is Where.BEFORE_PROMPT else None,
            cost_microusd=place.cost_microusd,
        )
        path = place.transcript or self._transcript(place.conversation_id)
        if place.borrowed and place.at is not None:
            return msgspec.structs.replace(bare, message_uuid=place.at, transcript_path=str(path) if path else None)
        if path is None:
            # Nothing was ever said in it; but the line of a call that was seen is on its way.
            begun = moment.where in (Where.AFTER_TOOL, Where.BEFORE_TOOL)
            return bare if begun else msgspec.structs.replace(bare, transcript_bytes=0)
        cut = _cut(path, Moment() if place.borrowed else moment)
        if cut is None:
            return msgspec.structs.replace(bare, transcript_path=str(path))
        return msgspec.structs.replace(
            bare, message_uuid=cut.message_uuid, transcript_path=str(path), transcript_bytes=cut.end_bytes
        )

    def settled(self, one: Checkpoint, *, so_far: bool = False) -> Point:
        """Return a checkpoint's point, looked for once more where it was not written yet. Blocks: reads files.

        `so_far`: a turn that was broken off ends where it stands.
        """
        point = one.point
        if point.session_id is None or point.transcript_bytes is not None or point.message_uuid is not None:
            return point
        path = Path(point.transcript_path) if point.transcript_path else self._transcript(point.conversation_id or "")
        cut = _cut(path, moment_of(one.cause), so_far=so_far) if path is not None else None
        if path is None or cut is None:
            return point
        return msgspec.structs.replace(
            point, message_uuid=cut.message_uuid, transcript_path=str(path), transcript_bytes=cut.end_bytes
        )

    def reached(self, one: Checkpoint) -> Point:
        """Return a checkpoint's point for going on from it now. Blocks: reads files.

        Raises:
            ConversationCompacted: Claude Code cannot cut there any more.
        """
        point = self.settled(one, so_far=True)
        path, end = point.transcript_path, point.transcript_bytes
        if point.message_uuid is not None and path and end and compacted_since(Path(path), end):
            raise ConversationCompacted(
                f"The conversation {point.conversation_id} was compacted after checkpoint {one.id}.",
                remedy="Claude Code cannot go back to before that. Restore the files alone (what: files).",
                checkpoint_id=one.id,
            )
        return point

    async def current(self, project: Path) -> Point:
        """Return the point at which the conversation stands that somebody had last in a project, today."""
        found = await asyncio.to_thread(self._newest, project)
        if found is None:
            return Point()
        place = self.place(found)
        return await asyncio.to_thread(self.point, place, Moment())

    def _newest(self, project: Path) -> str | None:
        past = [home.newest_session(project) for home in self._all()]
        newest = max((one for one in past if one is not None), key=lambda one: one.last_active_at, default=None)
        if newest is None or time.time() - newest.last_active_at.timestamp() > RECENT_S:
            return None
        return newest.session_id

    def _transcript(self, conversation_id: str) -> Path | None:
        if not is_uuid(conversation_id):
            return None
        found = (home.find_transcript(conversation_id) for home in self._all())
        return next((path for path in found if path is not None), None)

    def _all(self) -> list[ClaudeHome]:
        return [ClaudeHome.of({"CLAUDE_CONFIG_DIR": str(home)}) for home in self._homes()]


def _cut(path: Path, moment: Moment, *, so_far: bool = False) -> Cut | None:
    cut = find_cut(path, moment, so_far=so_far)
    if cut is None and moment.where is Where.BEFORE_PROMPT:
        # It was not taken up yet, so all that is there was said before it.
        return find_cut(path, Moment())
    return cut
