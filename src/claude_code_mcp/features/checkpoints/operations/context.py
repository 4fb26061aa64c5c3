"""What the operations of checkpoints need, and what several of them may raise."""

from typing import Protocol

from claude_code_mcp.features.checkpoints.service import Checkpoints
from claude_code_mcp.features.projects.errors import BadProjectPath, ProjectNotADirectory, ProjectNotFound
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.blobs.errors import BlobsBusy, BlobsUnavailable, ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.worktrees.errors import ManifestRefused, TreeBusy, TreeNotFound

APART = (Surface.CLI, Surface.HTTP)
"""For people and scripts; a model does with the others, and each tool costs it tokens."""
PLACE = (ProjectNotFound, ProjectNotADirectory, BadProjectPath)
STORE = (BlobsUnavailable, BlobsBusy, ObjectMissing, ObjectDamaged, ManifestRefused)
TREE = (TreeNotFound, TreeBusy)


class Context(Protocol):
    """What these operations need."""

    @property
    def checkpoints(self) -> Checkpoints:
        """Checkpoints."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Sessions."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...
