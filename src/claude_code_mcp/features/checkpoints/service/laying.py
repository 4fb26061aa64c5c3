"""Laying a checkpoint's files into a folder of its own: a branch, or a copy to try something in."""

import os
from pathlib import Path

from claude_code_mcp.features.checkpoints.errors import BadCheckpointRequest
from claude_code_mcp.features.checkpoints.models import Checkpoint, TreeSettings
from claude_code_mcp.features.checkpoints.rules.options import ignore_options, scan_options
from claude_code_mcp.features.checkpoints.service.taking import Taking
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.plan import RestoreWish, make_plan
from claude_code_mcp.platform.worktrees.restoring import Consent, Supply, restore_tree, restoring
from claude_code_mcp.platform.worktrees.taking import Digests, take_tree


class Laying:
    """Puts the files of checkpoints into new folders. What is there already and is no part of them goes."""

    def __init__(self, taking: Taking, journals: Path) -> None:
        self._taking = taking
        self._journals = journals

    async def lay(self, one: Checkpoint, folder: Path) -> int:
        """Make `folder`, which nobody else uses yet, what the checkpoint says; return how many paths that took.

        Raises:
            RestoreBlocked, RestoreFailed, ContentMissing, ManifestRefused, BlobsUnavailable: it cannot be done.
        """
        return await self._taking.on_thread(lambda: self._lay(one, folder))

    def _lay(self, one: Checkpoint, folder: Path) -> int:
        settings = self._taking.soon(self._settings(one.project))
        with restoring(folder) as root_fd, self._taking.blobs.reader() as reader:
            target = read_manifest(one.digest, reader.read)
            also = frozenset(entry.path for entry in target.entries)
            contents = self._taking.contents(reader, settings)
            live = take_tree(
                folder, Digests(), scan_options(settings, also=also, seal_with=contents.seal_with)
            ).manifest
            wish = RestoreWish(contents=contents)
            plan = make_plan(folder, target, live, contents.read, wish, ignore_options(settings))
            consent = Consent(conflicts=True, outside_links=True)
            return restore_tree(root_fd, folder, plan, Supply(reader, contents.keys), self._journals, consent).changes

    async def _settings(self, project: str) -> TreeSettings:
        return self._taking.book.project(project).settings


def new_folder(project: Path, wished: str | None, name: str, cwd: str) -> Path:
    """Return the folder for a branch of `project`: the wished one, or a free name beside the project.

    Raises:
        BadCheckpointRequest: the wished one is not empty, or lies in the project.
    """
    if wished is None:
        stem = project.parent / f"{project.name}-{name}"
        tries = (stem if n == 1 else stem.with_name(f"{stem.name}-{n}") for n in range(1, 1000))
        return next(one for one in tries if not os.path.lexists(one))
    folder = Path(os.path.realpath(Path(cwd) / Path(wished).expanduser()))
    if folder == project or project in folder.parents:
        raise BadCheckpointRequest(f"{folder} lies in the project.", remedy="Name a folder outside, or none.")
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise BadCheckpointRequest(f"{folder} is not an empty folder.", remedy="Name another one, or none.")
    return folder
