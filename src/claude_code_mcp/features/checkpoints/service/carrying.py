"""Checkpoints on their way from one machine to another, in one file."""

import re
from pathlib import Path

import msgspec

from claude_code_mcp.features.checkpoints.errors import BadCheckpointRequest
from claude_code_mcp.features.checkpoints.models import Checkpoint, Trigger
from claude_code_mcp.features.checkpoints.models.care import ExportReply, ImportReply
from claude_code_mcp.features.checkpoints.service.book import Book
from claude_code_mcp.features.checkpoints.service.taking import Taking
from claude_code_mcp.kernel.ids import CheckpointId, is_uuid, uuid7
from claude_code_mcp.platform.blobs.carrying import NOTE_BYTES
from claude_code_mcp.platform.blobs.errors import ImportRefused, ObjectDamaged, ObjectMissing
from claude_code_mcp.platform.blobs.objects import Imported
from claude_code_mcp.platform.blobs.reading import Reader
from claude_code_mcp.platform.worktrees.errors import ManifestRefused
from claude_code_mcp.platform.worktrees.manifest import read_manifest
from claude_code_mcp.platform.worktrees.models import Manifest
from claude_code_mcp.platform.worktrees.taking import Needs

VERSION = 1
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class _Note(msgspec.Struct, kw_only=True):
    """What an export says beside its objects."""

    version: int
    project: str
    checkpoints: list[Checkpoint]


class Carrying:
    """Exports and imports."""

    def __init__(self, book: Book, taking: Taking) -> None:
        self._book = book
        self._taking = taking

    async def export_to(self, target: Path, found: list[Checkpoint], *, overwrite: bool) -> ExportReply:
        """Write checkpoints of one project into one file.

        Raises:
            BadCheckpointRequest: there is nothing to write, too much, or a file that is not to be replaced.
            ObjectMissing, ObjectDamaged, ManifestRefused: the store cannot give everything; there is no file then.
            BlobsUnavailable: a disk would not serve.
        """
        if not found:
            raise BadCheckpointRequest("There are no checkpoints to export.", remedy="Create one first.")
        note = msgspec.json.encode(_Note(version=VERSION, project=found[0].project, checkpoints=found))
        if len(note) > NOTE_BYTES:
            raise BadCheckpointRequest(
                f"{len(found)} checkpoints are too many for one file.", remedy="Export fewer at a time."
            )
        size = await self._taking.on_thread(lambda: self._export(target, found, note, overwrite))
        return ExportReply(path=str(target), checkpoints=len(found), size_bytes=size)

    async def import_from(self, source: Path, project: Path) -> ImportReply:
        """Take in a file that `export_to` wrote, as checkpoints of `project`; the tree is not touched.

        Raises:
            ImportRefused: it is no whole, honest export; nothing was taken in.
            BlobsUnavailable: a disk would not serve.
        """
        return await self._taking.to_end(self._take_in(source, project))

    async def _take_in(self, source: Path, project: Path) -> ImportReply:
        return await self._taking.on_thread(lambda: self._import(source, project))

    def _export(self, target: Path, found: list[Checkpoint], note: bytes, overwrite: bool) -> int:
        if target.exists() and not overwrite:
            raise BadCheckpointRequest(f"{target} is there already.", remedy="Name another file, or overwrite it.")
        blobs = self._taking.blobs
        with blobs.reader() as reader:
            needs = Needs(reader.read)
            for one in found:
                needs.add(one.digest)
            return blobs.export_to(target, needs.wanted, note)

    def _import(self, source: Path, project: Path) -> ImportReply:
        # The session keeps the sweep away from what comes in until the rows are there.
        with self._taking.blobs.reader():
            imported = self._taking.blobs.import_from(source)
            note = _read_note(source, imported)
            with self._taking.blobs.reader() as reader:
                sealed = set[bytes]()
                for one in note.checkpoints:
                    manifest = self._checked(source, one, reader)
                    sealed.update(entry.digest for entry in manifest.entries if entry.sealed)
            known, new = self._taking.soon(self._sorted(note.checkpoints, project))
            if new:
                self._taking.soon(self._book.bring_in(str(project), new))
        return ImportReply(
            project_path=str(project),
            checkpoint_ids=[one.id for one in new],
            known=known,
            objects_added=imported.added,
            sealed_files=len(sealed),
        )

    def _checked(self, source: Path, one: Checkpoint, reader: Reader) -> Manifest:
        """Return a checkpoint's tree, where it is whole: a manifest that a tree can have, and every content of it."""
        try:
            manifest = read_manifest(one.digest, reader.read)
            needs = Needs(reader.read)
            needs.add(one.digest)
            chunks = {chunk.digest for digest in needs.lists for chunk in reader.chunks(digest)}
        except (ManifestRefused, ObjectMissing, ObjectDamaged) as exc:
            raise _refused(source, exc.message) from exc
        missing = reader.missing({*needs.objects, *needs.lists, *chunks})
        if missing:
            raise _refused(source, f"it lacks {len(missing)} objects of checkpoint {one.id}")
        one.files, one.content_bytes = manifest.files, manifest.content_bytes
        return manifest

    async def _sorted(self, found: list[Checkpoint], project: Path) -> tuple[int, list[Checkpoint]]:
        """Return how many are here already, and the others as they will be kept: ids that are taken are given anew."""
        names: dict[str, CheckpointId] = {}
        new: list[Checkpoint] = []
        known = 0
        for one in sorted(found, key=lambda each: each.id):
            here = self._book.get(one.id)
            if here is not None and here.project == str(project) and here.manifest == one.manifest:
                known += 1
                continue
            names[one.id] = CheckpointId(uuid7()) if here is not None else one.id
            new.append(one)
        for one in new:
            parent = one.parent
            one.id = names[one.id]
            here = self._book.get(parent)
            mine = here is not None and here.project == str(project)
            one.parent = names.get(parent or "", parent if mine else None)
            one.project, one.trigger, one.pinned = str(project), Trigger.IMPORT, False
        return known, new


def _read_note(source: Path, imported: Imported) -> _Note:
    try:
        note = msgspec.json.decode(imported.note, type=_Note)
    except (msgspec.MsgspecError, RecursionError) as exc:
        raise _refused(source, f"what it says about its checkpoints cannot be read ({exc})") from None
    if note.version != VERSION:
        raise _refused(source, f"it is of version {note.version}, and this program reads version {VERSION}")
    ids = [one.id for one in note.checkpoints]
    if len(set(ids)) != len(ids) or not all(is_uuid(one) for one in ids):
        raise _refused(source, "its checkpoints have ids that are none")
    if not all(_DIGEST.match(one.manifest) for one in note.checkpoints):
        raise _refused(source, "a checkpoint names its tree by something that is no digest")
    return note


def _refused(source: Path, why: str) -> ImportRefused:
    return ImportRefused(
        f"{source} is no export that can be taken in: {why}.",
        remedy="Nothing was taken in. Export it again where it came from.",
        path=str(source),
    )
