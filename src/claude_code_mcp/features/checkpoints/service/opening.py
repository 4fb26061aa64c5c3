"""Putting the checkpoints of one state directory together, and settling what was cut off."""

import logging
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.caring import Caring
from claude_code_mcp.features.checkpoints.service.carrying import Carrying
from claude_code_mcp.features.checkpoints.service.checkpoints import Checkpoints, Workers
from claude_code_mcp.features.checkpoints.service.differing import Differing
from claude_code_mcp.features.checkpoints.service.occupants import Occupants
from claude_code_mcp.features.checkpoints.service.restoring import Restoring
from claude_code_mcp.features.checkpoints.service.taking import Taking
from claude_code_mcp.features.checkpoints.service.trees import Trees
from claude_code_mcp.features.projects.service import Projects
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.seal.keepers import KeyFile, SystemKeyring
from claude_code_mcp.platform.seal.keys import SealKeys
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.tasks import Tasks

BLOBS = "blobs"
TREES = "trees"
JOURNALS = "restores"
KEYS = "seal-keys.json"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckpointRoom:
    """Everything about checkpoints that has to be begun and ended."""

    checkpoints: Checkpoints
    taking: Taking

    async def begin(self, tasks: Tasks) -> None:
        """Settle what an earlier daemon left, and begin to look after the store."""
        try:
            await self.checkpoints.restoring.settle()
        except ClaudeCodeMcpError:
            log.exception("a restore that was cut off could not be settled; the next restore tries again")
        tasks.start("checkpoint store", self.checkpoints.caring.run())

    def busy(self) -> bool:
        """Tell whether anything is being taken or restored."""
        return self.taking.busy()

    async def aclose(self) -> None:
        """Carry restores to their end, and give up what is being taken."""
        await self.taking.aclose()


def checkpoint_room(settings: Settings, book: Book, projects: Projects, occupants: Occupants) -> CheckpointRoom:
    """Return the checkpoints of the state directory that the settings name.

    Raises:
        BlobsUnavailable: the disk of the object store would not serve.
    """
    directory = Path(settings.state_dir)
    key_file = settings.checkpoint_key_file
    keys = SealKeys(directory / KEYS, SystemKeyring() if key_file is None else KeyFile(key_file))
    taking = Taking(book, Store.open(directory / BLOBS), Trees(directory / TREES), keys)
    workers = Workers(
        taking,
        Restoring(book, taking, occupants, directory / JOURNALS),
        Differing(book, taking),
        Caring(book, taking),
        Carrying(book, taking),
        projects,
    )
    return CheckpointRoom(Checkpoints(book, workers), taking)
