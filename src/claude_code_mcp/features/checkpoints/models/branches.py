"""Going on from a checkpoint in another way, and comparing what became of it."""

from typing import Annotated, Literal

from pydantic import Field

from claude_code_mcp.features.checkpoints.models.requests import CheckpointRef, OneCheckpoint
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.operation import Reply, Request

Into = Literal["in_place", "worktree", "folder"]
Path4096 = Annotated[str, Field(min_length=1, max_length=4096)]


class ForkCheckpoint(OneCheckpoint):
    """Go on from a checkpoint in a new session."""

    prompt: str | None = None
    """First message; without it the session waits."""
    into: Into = "in_place"
    """in_place restores the project itself, worktree a new git worktree, folder a new folder."""
    path: Path4096 | None = None
    """The new folder; default: beside the project."""
    branch: str | None = Field(default=None, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
    """Branch of the worktree; default: none, its HEAD is detached."""
    title: str | None = Field(default=None, max_length=200)
    """Name of the session, and of the folder."""
    allow_config: bool = False
    """In place: also files that can run something."""
    force: bool = False
    """In place: although somebody works there."""


class ForkedCheckpoint(Reply):
    """Where it goes on."""

    checkpoint_id: str
    """Where it began."""
    project_path: str
    """The folder that has its files."""
    into: str
    """in_place, worktree or folder."""
    session_id: str | None = None
    """The session that goes on; none where there was no conversation yet, and no prompt."""
    status: str | None = None
    """State of the session."""
    cursor: int | None = None
    """Give this to session_wait."""
    message_uuid: str | None = None
    """The last message that it knows; none: it begins anew."""
    files: int = 0
    """Files that were put there or changed."""
    backup_id: str | None = None
    """In place: the tree as it was before."""
    notes: list[str] = Field(default_factory=list)
    """What else is to be known."""

    def text(self) -> str:
        """Return where it goes on, and the next call."""
        parts = [f"Forked {self.checkpoint_id} ({self.into}): {self.project_path}, {self.files} files."]
        if self.session_id:
            parts.append(f"session_id: {self.session_id}\nstatus: {self.status}\ncursor: {self.cursor}")
        parts.append(
            f"history: up to message {self.message_uuid}" if self.message_uuid else "history: none, it begins anew"
        )
        if self.backup_id:
            parts.append(f"What was there is kept as {self.backup_id}; redo brings it back.")
        return "\n".join([*parts, *(f"note: {note}" for note in self.notes)])


class CompareBranches(Request):
    """Compare what became of a project in several ways."""

    branches: list[CheckpointRef] = Field(min_length=2, max_length=8)
    """Checkpoints, or sessions: of each its folder as it is now."""
    base: CheckpointRef | None = None
    """Compare with this; default: where they parted."""
    command: str | None = Field(default=None, max_length=100_000)
    """Test each with this shell command, in a temporary copy."""
    timeout_s: float = Field(default=300, gt=0, le=3600)
    """Longest time for one test."""


class TestRun(Reply):
    """How the command ended in one branch."""

    __test__ = False
    """No test of ours, whatever its name."""
    passed: bool
    """It ended with 0."""
    code: int | None = None
    """Exit code; none where it was ended."""
    state: str = ""
    """completed, failed, timed_out …"""
    seconds: float = 0
    """How long it took."""
    output: str = ""
    """The end of what it said."""


class BranchRow(Reply):
    """One way."""

    branch: str
    """As it was named in the request."""
    checkpoint_id: str
    """Its files."""
    project_path: str
    """Its folder."""
    title: str = ""
    """Its label, or what it is for."""
    session_id: str | None = None
    """Its session."""
    files: int = 0
    """Files that differ from the base."""
    added: int = 0
    """Lines that came."""
    deleted: int = 0
    """Lines that went."""
    not_counted: int = 0
    """Files whose lines were not counted: binary, too large, or too many."""
    turns: int | None = None
    """Turns since the base."""
    cost_microusd: int | None = None
    """Cost since the base, in millionths of a dollar; none where nobody told."""
    worked_s: float | None = None
    """How long the turns took."""
    test: TestRun | None = None
    """How the command ended."""


class BranchComparison(Reply):
    """The ways, side by side."""

    base_id: str
    """What they are compared with."""
    items: list[BranchRow]
    """The ways, in the order of the request."""
    command: str | None = None
    """The command that was run in each."""

    def text(self) -> str:
        """Return a table, and what failing tests said."""
        head = ("branch", "files", "+lines", "-lines", "turns", "cost $", "time s", "test")
        rows = [head, *(_cells(item) for item in self.items)]
        widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
        table = [
            "  ".join(
                cell.ljust(width) if not n else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        failed = [
            f"--- {item.branch}: {item.test.state}\n{item.test.output}"
            for item in self.items
            if item.test and not item.test.passed
        ]
        return "\n".join([f"Compared with {self.base_id}", *table, *failed])


def _cells(item: BranchRow) -> tuple[str, ...]:
    test = "-" if item.test is None else f"{'ok' if item.test.passed else item.test.state} {item.test.seconds:.1f} s"
    return (
        one_line(item.title or item.branch, 40),
        str(item.files),
        f"+{item.added}",
        f"-{item.deleted}",
        _or_dash(item.turns),
        "-" if item.cost_microusd is None else f"{item.cost_microusd / 1_000_000:.4f}",
        "-" if item.worked_s is None else f"{item.worked_s:.1f}",
        test,
    )


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)
