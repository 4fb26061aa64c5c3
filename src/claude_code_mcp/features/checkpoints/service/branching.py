"""The side of checkpoints that is about sessions, put together: automatic ones, points of conversations, branches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.checkpoints.models.branches import (
    BranchComparison,
    CompareBranches,
    ForkCheckpoint,
    ForkedCheckpoint,
)
from claude_code_mcp.features.checkpoints.service.comparing import Commands, Comparing, Sides
from claude_code_mcp.features.checkpoints.service.conversation import Conversations
from claude_code_mcp.features.checkpoints.service.forking import Forking, Rejoining
from claude_code_mcp.features.checkpoints.service.laying import Laying
from claude_code_mcp.features.checkpoints.service.opening import JOURNALS, CheckpointRoom
from claude_code_mcp.features.checkpoints.service.strategies import Automatic
from claude_code_mcp.features.checkpoints.service.watching import Watching
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.platform.eventlog.log import Followers
from claude_code_mcp.platform.tasks import Tasks

COPIES = "copies"


@dataclass(frozen=True, slots=True)
class Around:
    """What is around checkpoints: sessions, the homes of everybody's Claude Codes, the log, who runs commands."""

    sessions: Sessions
    homes: Callable[[], Iterable[Path]]
    followers: Followers
    commands: Commands
    tasks: Tasks


class Branching:
    """Branches, and what is taken by itself. Each of the two operations is one call."""

    def __init__(self, room: CheckpointRoom, around: Around, directory: Path) -> None:
        book, taking = room.checkpoints.book, room.taking
        conversations = Conversations(around.sessions, around.homes)
        laying = Laying(taking, directory / JOURNALS)
        self.automatic = Automatic(taking, conversations, around.tasks)
        self._watching = Watching(book, self.automatic, around.sessions, around.followers)
        self._forking = Forking(book, room.checkpoints.restoring, laying, conversations, around.sessions)
        self._comparing = Comparing(
            taking, laying, Sides(conversations, around.sessions, around.commands), directory / COPIES
        )
        self.rejoining = Rejoining(conversations, around.sessions)
        around.sessions.go_back_through(self._forking)
        room.checkpoints.conversations = self.rejoining

    def start(self, tasks: Tasks) -> None:
        """Begin to follow what sessions do."""
        self._comparing.clear()
        self._watching.start(tasks)

    async def fork(self, wish: ForkCheckpoint, caller: Caller) -> ForkedCheckpoint:
        """Go on from a checkpoint in a new session; see `Forking.fork`."""
        return await self._forking.fork(wish, caller)

    async def compare(self, wish: CompareBranches, caller: Caller) -> BranchComparison:
        """Return branches side by side; see `Comparing.compare`."""
        return await self._comparing.compare(wish, caller)
