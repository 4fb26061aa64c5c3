"""What may be asked about checkpoints."""

from typing import Annotated, Literal

from pydantic import Field

from claude_code_mcp.features.checkpoints.models.things import SecretsPolicy, Strategy
from claude_code_mcp.kernel.operation import Request

ProjectPath = Annotated[str, Field(min_length=1, max_length=4096)]
CheckpointRef = Annotated[str, Field(min_length=1, max_length=64)]
TreePath = Annotated[str, Field(min_length=1, max_length=4096)]
Pattern = Annotated[str, Field(min_length=1, max_length=1000)]
SecretPattern = Annotated[Pattern, Field(pattern=r"^[^!#]")]
What = Literal["files", "conversation", "both"]


class OfProject(Request):
    """About one project."""

    project_path: ProjectPath | None = None
    """Its folder; default: the client's."""


class CreateCheckpoint(OfProject):
    """Take a project as it is now."""

    message: str = Field(default="", max_length=2000)
    """What it is for."""
    include_files: list[Pattern] = Field(default_factory=list, max_length=200)
    """Patterns (as in .gitignore) of what is taken although it is ignored; the rest of the tree is taken anyway."""
    label: str | None = Field(default=None, min_length=1, max_length=100)
    """A short name."""
    pin: bool = False
    """Keep it until it is unpinned."""
    always: bool = False
    """A new one even where nothing changed since the last."""
    session_id: str | None = Field(default=None, max_length=64)
    """The session whose point in the conversation it keeps."""


class RestoreCheckpoint(OfProject):
    """Make a project what a checkpoint says."""

    checkpoint_id: CheckpointRef
    """The checkpoint."""
    create_backup: bool = True
    """Keep the tree as it is in a safety checkpoint first; redo goes back to it."""
    paths: list[TreePath] = Field(default_factory=list, max_length=1000)
    """Only these, and what is below them."""
    dry_run: bool = False
    """Only say what would be done."""
    what: What = "files"
    """files, conversation (a session cut at that point), or both."""
    allow_config: bool = False
    """Also change files that can run something (hooks, .mcp.json, CLAUDE.md …)."""
    skip_sealed: bool = False
    """Leave secrets alone whose key is not at hand."""
    force: bool = False
    """Although somebody works there (ours are stopped first) or changes would be lost; allows all of the above."""


class RedoRestore(OfProject):
    """Take the last restore back."""

    dry_run: bool = False
    """Only say what would be done."""
    create_backup: bool = True
    """Keep the tree as it is in a safety checkpoint first."""
    allow_config: bool = False
    """Also change files that can run something."""
    skip_sealed: bool = False
    """Leave secrets alone whose key is not at hand."""
    force: bool = False
    """Although somebody works there."""


class ListCheckpoints(OfProject):
    """Find checkpoints."""

    session_id: str | None = Field(default=None, max_length=64)
    """Only those of this session."""
    everywhere: bool = False
    """Of all projects."""
    limit: int = Field(default=50, ge=1, le=1000)
    """Most checkpoints in the reply."""
    before: CheckpointRef | None = None
    """Go on after this one (`next` of the last reply)."""


class ShowTimeline(OfProject):
    """Look at a project's checkpoints as a tree."""

    limit: int = Field(default=50, ge=1, le=1000)
    """Most checkpoints in the reply, the newest."""


class DiffCheckpoints(OfProject):
    """Compare two checkpoints, or one and the working tree."""

    checkpoint_id: CheckpointRef | None = None
    """From; default: where the project stands."""
    compare_with: CheckpointRef | None = None
    """To; default: the working tree."""
    paths: list[TreePath] = Field(default_factory=list, max_length=1000)
    """Only these, and what is below them."""
    format: Literal["stat", "names", "unified"] = "stat"
    """Lines changed for each file, only names, or the lines themselves."""
    limit: int = Field(default=200, ge=1, le=5000)
    """Most files in the reply."""
    max_lines: int = Field(default=1000, ge=1, le=20000)
    """Most lines of unified text."""


class OneCheckpoint(Request):
    """About one checkpoint."""

    checkpoint_id: CheckpointRef
    """The checkpoint."""


class ListFiles(OneCheckpoint):
    """List what a checkpoint holds."""

    paths: list[TreePath] = Field(default_factory=list, max_length=1000)
    """Only these, and what is below them."""
    limit: int = Field(default=500, ge=1, le=10000)
    """Most entries in the reply."""
    after: str = Field(default="", max_length=16384)
    """Go on after this path (`next` of the last reply)."""


class LabelCheckpoint(OneCheckpoint):
    """Name a checkpoint."""

    label: str | None = Field(default=None, min_length=1, max_length=100)
    """A short name; none takes it away."""


class PinCheckpoint(OneCheckpoint):
    """Keep a checkpoint."""

    off: bool = False
    """Unpin it."""


class DeleteCheckpoints(Request):
    """Forget checkpoints."""

    checkpoint_ids: list[CheckpointRef] = Field(min_length=1, max_length=1000)
    """The checkpoints."""


class Sweep(Request):
    """Remove what no checkpoint needs."""

    grace_s: float = Field(default=3600, ge=0, le=30 * 86400)
    """Leave alone what is younger."""
    expire: bool = False
    """First forget what the projects' retention says."""


class VerifyStore(Request):
    """Read and hash every byte."""

    repair: bool = False
    """Put back what is lost, where a project's tree still has it."""


class ExportCheckpoints(OfProject):
    """Write checkpoints into one file."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    """The file."""
    checkpoint_ids: list[CheckpointRef] = Field(default_factory=list, max_length=1000)
    """Which; default: all of the project."""
    overwrite: bool = False
    """Replace a file that is there."""


class ImportCheckpoints(OfProject):
    """Take in a file that export wrote."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    """The file."""


class ShowUsage(Request):
    """Look at the room that checkpoints take."""


class SetCheckpoints(OfProject):
    """Show or change how a project's checkpoints are taken and kept; what is not named stays."""

    strategy: Strategy | None = None
    """manual, per_prompt, per_tool_use, smart or interval."""
    interval_s: float | None = Field(default=None, ge=10, le=7 * 86400)
    """With interval: how often."""
    include: list[Pattern] | None = Field(default=None, max_length=200)
    """Patterns of what is taken although it is ignored."""
    exclude: list[Pattern] | None = Field(default=None, max_length=200)
    """Patterns of what is left out."""
    defaults: bool | None = None
    """Leave out dependencies, build folders and caches."""
    git: bool | None = None
    """Heed git's ignore rules."""
    secrets: SecretsPolicy | None = None
    """.env and its like: keep, seal (with a key from the keyring), leave_out, or as_git."""
    secret_files: list[SecretPattern] | None = Field(default=None, max_length=200)
    """Patterns (as in .gitignore) of what counts as a secret beside .env and its like."""
    most_file_bytes: int | None = Field(default=None, ge=1024, le=1 << 40)
    """Larger files are left out."""
    keep_last: int | None = Field(default=None, ge=0, le=100_000)
    """Automatic checkpoints that stay."""
    keep_hourly: int | None = Field(default=None, ge=0, le=100_000)
    """Hours of which the newest stays."""
    keep_daily: int | None = Field(default=None, ge=0, le=100_000)
    """Days of which the newest stays."""
    keep_bytes: int | None = Field(default=None, ge=0, le=1 << 50)
    """Above so much in the store the oldest automatic ones go; 0: no bound."""


class ManageKeys(Request):
    """Look after the keys that secrets are sealed with."""

    action: Literal["show", "new", "export", "import"] = "show"
    """show them, make a new one that seals from now on, write all into a file, or take in such a file."""
    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """For export, import: the file. Whoever has it opens every sealed secret."""


class ManageCheckpoints(OfProject):
    """Create, list, restore, compare or delete checkpoints."""

    action: Literal["create", "list", "restore", "compare", "delete"]
    """What to do."""
    session_id: str | None = Field(default=None, max_length=64)
    """Session; names the project too."""
    checkpoint_id: CheckpointRef | None = None
    """For restore, compare, delete."""
    compare_with: CheckpointRef | None = None
    """For compare; default: the working tree."""
    label: str | None = Field(default=None, min_length=1, max_length=100)
    """For create: a short name."""
    allow_config: bool = False
    """For restore: also files that can run something."""
    force: bool = False
    """For restore: although somebody works there."""
