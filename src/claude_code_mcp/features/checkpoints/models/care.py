"""What is answered about the store of checkpoints, their files and settings."""

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply


class SweepReply(Reply):
    """What was removed."""

    expired: int = 0
    """Checkpoints that retention forgot."""
    freed_bytes: int = 0
    """Room given back."""
    objects_deleted: int = 0
    """Objects that nothing needed."""
    packs_deleted: int = 0
    """Files of the store that went."""
    postponed: bool = False
    """Somebody used the store all the time: nothing was removed, ask again."""


class Damaged(Reply):
    """Something of the store that is not as it was written."""

    pack: str
    """The file of the store."""
    why: str
    """What is wrong."""
    objects: int
    """Objects in that place."""


class Affected(Reply):
    """A checkpoint that lacks something."""

    checkpoint_id: str
    """The checkpoint."""
    paths: list[str]
    """The files of it that cannot be restored, the first 50; none where the checkpoint itself cannot be read."""
    files: int
    """How many."""


class VerifyReply(Reply):
    """What a look at every byte found."""

    whole: bool
    """Everything that any checkpoint needs is there, byte for byte."""
    objects: int = 0
    """Objects that were read."""
    read_bytes: int = 0
    """Bytes that were hashed."""
    damages: list[Damaged] = Field(default_factory=list)
    """What is damaged."""
    lost: int = 0
    """Objects of which no whole copy is left."""
    healed: int = 0
    """Objects that were lost and are back."""
    affected: list[Affected] = Field(default_factory=list)
    """Checkpoints that lack something."""

    @property
    def exit_code(self) -> int:
        """1 where something is lost."""
        return 0 if self.whole else 1

    def text(self) -> str:
        """Return the verdict, and each damage."""
        head = f"{'whole' if self.whole else 'DAMAGED'}: {self.objects} objects, {self.read_bytes} bytes read"
        parts = [head] + [f"  {one.pack}: {one.why} ({one.objects} objects)" for one in self.damages]
        if self.healed:
            parts.append(f"  {self.healed} objects were brought back from the trees")
        parts += [
            f"  {one.checkpoint_id} lacks {one.files} files: {', '.join(one.paths[:10]) or 'its manifest'}"
            for one in self.affected
        ]
        if not self.whole:
            parts.append("Other checkpoints are as good as ever. `checkpoints verify --repair` looks in the trees.")
        return "\n".join(parts)


class ExportReply(Reply):
    """What was written."""

    path: str
    """The file."""
    checkpoints: int
    """Checkpoints in it."""
    size_bytes: int
    """Its size."""


class ImportReply(Reply):
    """What came in."""

    project_path: str
    """The project that they belong to now."""
    checkpoint_ids: list[str]
    """The checkpoints, oldest first."""
    known: int = 0
    """Those that were here before."""
    sealed_files: int = 0
    """Files that are sealed: restoring them needs the keys of where they come from (checkpoints key export, import)."""
    objects_added: int = 0
    """Objects that were new."""


class ProjectUsage(Reply):
    """The room that one project's checkpoints take."""

    project_path: str
    """The project."""
    checkpoints: int
    """How many."""
    content_bytes: int
    """What their different contents are together, each counted once."""
    stored_bytes: int
    """Their share of the store; what projects share is counted for each."""


class UsageReply(Reply):
    """The room that checkpoints take."""

    projects: list[ProjectUsage]
    """Each project."""
    stored_bytes: int
    """The whole store on disk."""
    content_bytes: int
    """What it would be uncompressed."""
    objects: int
    """Objects in it."""
    unneeded_bytes: int
    """What a sweep may give back, at most."""

    def text(self) -> str:
        """Return one line each, and the sum."""
        lines = [f"{one.stored_bytes:>14} {one.checkpoints:>6} {one.project_path}" for one in self.projects]
        total = f"{self.stored_bytes:>14} {sum(one.checkpoints for one in self.projects):>6} in all"
        return "\n".join([*lines, f"{total}; {self.unneeded_bytes} bytes are needed by none"])


class SettingsReply(Reply):
    """How a project's checkpoints are taken and kept."""

    project_path: str
    """The project."""
    strategy: str
    """manual, per_prompt, per_tool_use, smart or interval."""
    interval_s: float
    """With interval: how often."""
    include: list[str]
    """What is taken although it is ignored."""
    exclude: list[str]
    """What is left out."""
    defaults: bool
    """Dependencies, build folders and caches are left out."""
    git: bool
    """Git's ignore rules are heeded."""
    secrets: str
    """.env and its like: keep, seal, leave_out or as_git."""
    secret_files: list[str]
    """What counts as a secret beside them."""
    most_file_bytes: int
    """Larger files are left out."""
    keep_last: int
    """Automatic checkpoints that stay."""
    keep_hourly: int
    """Hours of which the newest stays."""
    keep_daily: int
    """Days of which the newest stays."""
    keep_bytes: int | None
    """Bound of the room in the store; none where there is no bound."""
    notes: list[str] = Field(default_factory=list)
    """What is to be known about the change."""


class KeyReply(Reply):
    """The keys that secrets are sealed with, by their names."""

    place: str
    """Where they lie: the keyring, or a file."""
    key_id: str | None
    """The one that seals; none where nothing was ever sealed."""
    known: list[str]
    """All of them, oldest first."""
    available: bool
    """The one that seals can be had now."""
    why: str | None = None
    """Why it cannot."""
    path: str | None = None
    """The file that was written."""
