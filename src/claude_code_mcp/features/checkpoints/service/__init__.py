"""Taking, restoring, comparing and keeping checkpoints."""

from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.branching import Around, Branching
from claude_code_mcp.features.checkpoints.service.checkpoints import Checkpoints
from claude_code_mcp.features.checkpoints.service.occupants import Occupants
from claude_code_mcp.features.checkpoints.service.opening import CheckpointRoom, checkpoint_room
from claude_code_mcp.features.checkpoints.service.sealing import Sealing
from claude_code_mcp.features.checkpoints.service.taking import TakeWish, Taking

__all__ = [
    "Around",
    "Book",
    "Branching",
    "CheckpointRoom",
    "Checkpoints",
    "Occupants",
    "Sealing",
    "TakeWish",
    "Taking",
    "checkpoint_room",
]
