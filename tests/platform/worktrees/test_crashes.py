"""A restore that is killed at any step, or refused by the disk, leaves a tree that is wholly old or wholly new."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_code_mcp.platform.blobs.errors import BlobsUnavailable
from claude_code_mcp.platform.worktrees import staging
from claude_code_mcp.platform.worktrees.errors import RestoreFailed, TreeMoved
from claude_code_mcp.platform.worktrees.journal import Phase, open_journals
from claude_code_mcp.platform.worktrees.plan import Plan
from claude_code_mcp.platform.worktrees.restoring import recover
from tests.platform.worktrees.dying import LIVED, RAISED, killed_at, refused_at
from tests.platform.worktrees.trees import Shape, Vault, clear, make, seen

NEW: Shape = {
    b"same.txt": b"same",
    b"changed.txt": b"as it will be",
    b"mode.sh": (b"#!/bin/sh\n", 0o755),
    b"made/deep/one": b"1",
    b"made/deep/two": b"",
    b"made/link": "deep/one",
    b"empty": None,
    b"was-file/inner": b"now a folder",
    b"was-folder": b"now a file",
    b"was-link": b"now a file",
    b"now-link": "changed.txt",
    b"kept/stays": b"stays",
}
OLD: Shape = {
    b"same.txt": b"same",
    b"changed.txt": b"as it was, and longer",
    b"mode.sh": (b"#!/bin/sh\n", 0o644),
    b"gone/deep/one": b"will go",
    b"gone/link": "deep",
    b"gone.txt": b"will go too",
    b"was-file": b"a file",
    b"was-folder/inner": b"a folder",
    b"was-folder/more/x": b"x",
    b"was-link": "same.txt",
    b"now-link": b"a file",
    b"kept/stays": b"stays",
    b"kept/goes": b"goes",
}
MOST_STEPS = 400


class Case:
    """A tree in its old state, a target, and how to begin anew."""

    def __init__(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        self.vault = Vault(home, tmp_path / "tree")
        make(self.vault.root, NEW)
        self.target = self.vault.take()
        self.new = seen(self.vault.root)
        self.begin()
        self.source = self.vault.take()
        self.old = seen(self.vault.root)

    def begin(self) -> Plan:
        """Make the tree old again, with the times that it had, and return the plan."""
        clear(self.vault.root)
        make(self.vault.root, OLD)
        if hasattr(self, "source"):
            self.vault.cache = None
            self.vault.restore(self.source)
            assert seen(self.vault.root) == self.old
        return self.vault.plan(self.target)

    def state(self) -> str:
        """Return which of its two states the tree is in."""
        now = seen(self.vault.root)
        if now == self.new:
            return "new"
        assert now == self.old, {path for path in now.keys() | self.old.keys() if now.get(path) != self.old.get(path)}
        return "old"

    def settled(self) -> str:
        """Recover as the next start would, and return the state of the tree; nothing is left behind."""
        recover(self.vault.journals)
        assert list(self.vault.journals.glob("*.restore")) == []
        return self.state()


def sweep(run: Callable[[int], bool]) -> int:
    """Call `run` with each number of steps until that many are not taken; return how many there were."""
    step = 1
    while run(step):
        step += 1
        assert step < MOST_STEPS
    return step - 1


@pytest.mark.parametrize("few", [0, 64], ids=["one sync for all", "each file synced"])
def test_a_restore_killed_at_any_step_ends_fully_old_or_fully_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(staging, "FEW", few)
    case = Case(tmp_path)
    states: list[str] = []

    def run(step: int) -> bool:
        plan = case.begin()
        if not killed_at(step, lambda: case.vault.carry_out(plan)):
            return False
        states.append(case.settled())
        case.vault.restore(case.target)
        assert case.state() == "new"
        return True

    steps = sweep(run)
    assert case.state() == "new"
    # There is one point of no return: nothing before it is new, nothing after it is old.
    assert states == sorted(states, reverse=True)
    assert set(states) == {"old", "new"}
    assert steps > 40


def first_steps(case: Case) -> dict[Phase, int]:
    """Return at which step a restore must be killed to leave a journal in each phase."""
    found: dict[Phase, int] = {}

    def run(step: int) -> bool:
        plan = case.begin()
        died = killed_at(step, lambda: case.vault.carry_out(plan))
        for file in open_journals(case.vault.journals):
            found.setdefault(file.journal.phase, step)
        recover(case.vault.journals)
        return died

    sweep(run)
    return found


def test_a_recovery_killed_at_any_step_is_finished_by_the_next(tmp_path: Path) -> None:
    case = Case(tmp_path)
    firsts = first_steps(case)
    for phase, state in ((Phase.STAGING, "old"), (Phase.COMMIT, "new"), (Phase.CLEANUP, "new")):
        # Deep in the staging there is most to be removed; a commit that has only begun has most to be done.
        at = firsts[Phase.COMMIT] - 8 if phase is Phase.STAGING else firsts[phase]

        def run(step: int, at: int = at, phase: Phase = phase, state: str = state) -> bool:
            plan = case.begin()
            assert killed_at(at, lambda: case.vault.carry_out(plan))
            assert [file.journal.phase for file in open_journals(case.vault.journals)] == [phase]
            died = killed_at(step, lambda: recover(case.vault.journals))
            assert case.settled() == state
            return died

        assert sweep(run) > 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES])
def test_a_disk_that_refuses_any_step_costs_nothing(tmp_path: Path, number: int) -> None:
    case = Case(tmp_path)
    states: list[str] = []

    def run(step: int) -> bool:
        plan = case.begin()
        ended = refused_at(step, number, lambda: case.vault.carry_out(plan), (RestoreFailed, BlobsUnavailable))
        states.append(case.settled())
        assert ended == RAISED or states[-1] == "new", "who is not told that it failed has it done"
        case.vault.restore(case.target)
        assert case.state() == "new"
        return ended != LIVED

    sweep(run)
    assert {"old", "new"} <= set(states)


def test_a_tree_that_is_not_there_now_is_recovered_when_it_is_back(tmp_path: Path) -> None:
    case = Case(tmp_path)
    plan = case.begin()
    assert killed_at(60, lambda: case.vault.carry_out(plan))
    away = tmp_path / "away"
    case.vault.root.rename(away)
    assert recover(case.vault.journals) == []
    case.vault.root.mkdir()
    assert recover(case.vault.journals) == [], "another folder at the same place is another tree"
    case.vault.root.rmdir()
    away.rename(case.vault.root)
    assert case.settled() in {"old", "new"}


def test_what_a_person_changed_between_the_crash_and_the_recovery_is_not_lost(tmp_path: Path) -> None:
    case = Case(tmp_path)
    at = first_steps(case)[Phase.COMMIT]
    plan = case.begin()
    assert killed_at(at, lambda: case.vault.carry_out(plan))
    (case.vault.root / "gone.txt").write_bytes(b"precious")
    (case.vault.root / "changed.txt").unlink()
    (case.vault.root / "changed.txt").write_bytes(b"precious too")

    (recovered,) = recover(case.vault.journals)

    assert recovered.finished
    assert [one.path for one in recovered.restored.left] == [b"gone.txt"]
    (rescued,) = recovered.restored.rescued
    assert rescued.path == b"changed.txt"
    assert (case.vault.root / rescued.why.rpartition(" ")[2]).read_bytes() == b"precious too"
    assert (case.vault.root / "gone.txt").read_bytes() == b"precious"
    assert (case.vault.root / "changed.txt").read_bytes() == b"as it will be"


def test_a_new_restore_settles_the_one_that_was_cut_off_before_it_does_anything(tmp_path: Path) -> None:
    case = Case(tmp_path)
    at = first_steps(case)[Phase.COMMIT]
    plan = case.begin()
    assert killed_at(at, lambda: case.vault.carry_out(plan))
    with pytest.raises(TreeMoved, match="cut off"):
        case.vault.carry_out(plan)
    assert case.settled() == "new"
    case.vault.restore(case.source)
    assert case.settled() == "old"
