"""Any order of edits, creates, restores, redos, forks, deletions, sweeps, crashes, beside a model of dictionaries."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from claude_code_mcp.app import migrations
from claude_code_mcp.features.checkpoints.models import PendingRestore
from claude_code_mcp.features.checkpoints.models.branches import ForkCheckpoint
from claude_code_mcp.features.checkpoints.models.requests import Sweep, VerifyStore
from claude_code_mcp.features.checkpoints.service import Book, TakeWish, Taking
from claude_code_mcp.features.checkpoints.service.caring import Caring
from claude_code_mcp.features.checkpoints.service.conversation import Conversations
from claude_code_mcp.features.checkpoints.service.forking import Forking
from claude_code_mcp.features.checkpoints.service.laying import Laying
from claude_code_mcp.features.checkpoints.service.occupants import Occupant, Occupants
from claude_code_mcp.features.checkpoints.service.restoring import RestoreOrder, Restoring
from claude_code_mcp.features.checkpoints.service.trees import Tree, Trees
from claude_code_mcp.features.sessions.models import SessionHandle
from claude_code_mcp.features.sessions.service import Sessions
from claude_code_mcp.features.sessions.service.observers import StartingPoint
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.worktrees.taking import Digests
from tests.support.checkpoints import file_keys

T = TypeVar("T")
Files = dict[str, bytes]
PATHS = ("a.txt", "b.txt", "deep/c.txt", "deep/er/d.txt")
NOBODY = Caller(cwd="/", surface=Surface.CLI)
pytestmark = pytest.mark.e2e


class Empty(Occupants):
    """Nobody is ever at work in the tree."""

    def __init__(self) -> None:
        pass

    async def within(self, root: Path, caller: Caller) -> list[Occupant]:
        return []

    async def stop(self, occupants: Sequence[Occupant], caller: Caller) -> list[Occupant]:
        return []


class Silent(Sessions):
    """Nobody ever said anything, so a fork has no conversation to copy."""

    def __init__(self) -> None:
        pass

    async def copy_at(self, point: StartingPoint, title: str | None, caller: Caller) -> SessionHandle | None:
        assert point.message_uuid is None
        return None


class Checkpointing(RuleBasedStateMachine):
    """The model: what the tree holds, what each checkpoint holds, where the project stands, what redo brings back."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="checkpoints-"))
        self.root = self.place / "tree"
        self.root.mkdir()
        self.loop = asyncio.new_event_loop()
        self.files: Files = {}
        self.kept: dict[str, Files] = {}
        self.position: str | None = None
        self.redo: list[str] = []
        self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _open(self) -> None:
        state = self.place / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        self.database = await Database.open(state / "state.db", migrations())
        self.book = Book(self.database, SystemClock())
        self.taking = Taking(self.book, Store.open(state / "blobs"), Trees(state / "trees"), file_keys(state))
        self.restoring = Restoring(self.book, self.taking, Empty(), state / "restores")
        self.caring = Caring(self.book, self.taking)
        sessions = Silent()
        laying = Laying(self.taking, state / "restores")
        self.forking = Forking(self.book, self.restoring, laying, Conversations(sessions, tuple), sessions)
        await self.restoring.settle()

    async def _close(self) -> None:
        await self.taking.aclose()
        await self.database.close()

    def teardown(self) -> None:
        assert self.run(self.caring.verify(VerifyStore())).whole
        self.run(self._close())
        self.loop.close()
        shutil.rmtree(self.place)

    @rule(path=st.sampled_from(PATHS), content=st.binary(max_size=8))
    def edit(self, path: str, content: bytes) -> None:
        write(self.root, path, content)
        self.files[path] = content

    @rule(path=st.sampled_from(PATHS))
    def remove(self, path: str) -> None:
        remove(self.root, path)
        self.files.pop(path, None)

    @rule(always=st.booleans())
    def create(self, always: bool) -> None:
        one = self.run(self.taking.take(self.root, TakeWish(always=always)))
        self.kept[one.id] = dict(self.files)
        self.position = one.id

    def _chosen(self, number: int) -> str:
        return sorted(self.kept)[number % len(self.kept)]

    def _restore(self, order: RestoreOrder) -> None:
        outcome = self.run(self.restoring.restore(order, NOBODY))
        assert outcome.safety is not None
        self.kept.setdefault(outcome.safety.id, dict(self.files))
        assert self.kept[outcome.safety.id] == self.files
        self._moved(order, outcome.safety.id)

    def _moved(self, order: RestoreOrder, safety: str) -> None:
        target = self.kept[order.checkpoint.id]
        self.position = order.checkpoint.id if order.whole else safety
        wanted = {path.decode() for path in order.paths}
        for path in PATHS:
            if order.whole or path in wanted:
                self.files.pop(path, None)
                self.files.update({path: target[path]} if path in target else {})
        if order.redo:
            self.redo.pop()
        else:
            self.redo.append(safety)

    @precondition(lambda self: self.kept)
    @rule(number=st.integers(0, 99))
    def restore(self, number: int) -> None:
        self._restore(RestoreOrder(root=self.root, checkpoint=self.book.checkpoint(self._chosen(number))))

    @precondition(lambda self: self.kept)
    @rule(number=st.integers(0, 99), path=st.sampled_from(PATHS))
    def restore_one_file(self, number: int, path: str) -> None:
        one = self.book.checkpoint(self._chosen(number))
        self._restore(RestoreOrder(root=self.root, checkpoint=one, paths=(path.encode(),)))

    @precondition(lambda self: self.redo)
    @rule()
    def take_back(self) -> None:
        target = self.restoring.redo_target(self.root)
        assert target.id == self.redo[-1]
        self._restore(RestoreOrder(root=self.root, checkpoint=target, redo=True))

    @precondition(lambda self: self.kept)
    @rule(number=st.integers(0, 99))
    def delete(self, number: int) -> None:
        one = self.book.checkpoint(self._chosen(number))
        assert self.run(self.book.delete([one.id], "by hand")) == 1
        del self.kept[one.id]
        self.redo = [kept for kept in self.redo if kept != one.id]
        if self.position == one.id:
            self.position = one.parent

    @rule()
    def sweep(self) -> None:
        self.run(self.caring.sweep(Sweep(grace_s=0)))

    @rule()
    def start_anew(self) -> None:
        self.run(self._close())
        self.run(self._open())

    @precondition(lambda self: self.kept)
    @rule(number=st.integers(0, 99), written=st.booleans())
    def crash_around_a_restore(self, number: int, written: bool) -> None:
        """Die after the restore was begun: before anything was written, or when all was and nobody had noted it."""
        order = RestoreOrder(root=self.root, checkpoint=self.book.checkpoint(self._chosen(number)))
        safety = self.run(self._half(order, written=written))
        self.kept.setdefault(safety, dict(self.files))
        self.position = safety
        there = self.kept[order.checkpoint.id] == self.files
        self.run(self._close())
        self.run(self._open())
        if written:
            self._moved(order, safety)
        elif self.book.project(self.root).position != safety:
            # Nothing was left to be done, so it counts as done.
            assert there
            self._moved(order, safety)
        elif self.book.project(self.root).redo[-1:] == [safety] and len(self.redo) < len(
            self.book.project(self.root).redo
        ):
            self._moved(order, safety)

    async def _half(self, order: RestoreOrder, *, written: bool) -> str:
        taken = await self.taking.take_tree(self.root, TakeWish(also=()))
        manifest = await self.restoring._manifest(order.checkpoint, Tree(self.root))
        pending = PendingRestore(
            id=uuid7(), project=str(self.root), target=order.checkpoint.id, safety=taken.checkpoint.id, redo=False,
            begun_at=self.book.stamp(),
        )  # fmt: skip
        await self.book.begin_restore(pending)
        if written:
            async with self.taking.trees.held(self.root) as tree:
                live = (await self.taking.look(tree, Digests())).manifest
                plan = await self.restoring._plan(order, manifest, live, None)
                await self.taking.on_thread(lambda: self.restoring._write(order, plan))
        return taken.checkpoint.id

    @invariant()
    def the_tree_is_as_it_should_be(self) -> None:
        assert held(self.root) == self.files

    @invariant()
    def the_rows_are_as_they_should_be(self) -> None:
        assert {one.id for one in self.book.of_project(str(self.root))} == set(self.kept)
        project = self.book.project(self.root)
        assert project.position == self.position
        assert list(project.redo) == self.redo[-50:]
        assert not self.book.pending_restores()


class Branching(Checkpointing):
    """The same with forks beside it, which hold what they were begun from and what was done in them since."""

    def __init__(self) -> None:
        super().__init__()
        self.forks: list[Files] = []
        self.kept_in_forks: dict[str, tuple[int, Files]] = {}

    @initialize(contents=st.lists(st.binary(max_size=8), min_size=2, max_size=2, unique=True), newest=st.booleans())
    def begin_where_a_restore_can_be_taken_back(self, contents: list[bytes], newest: bool) -> None:
        """Left to chance, hardly a fork is made, and hardly any while there is something to redo."""
        for path, content in zip(PATHS, contents, strict=False):
            self.edit(path, content)
            self.create(always=True)
        older, newer = sorted(self.kept)
        self._restore(RestoreOrder(root=self.root, checkpoint=self.book.checkpoint(older)))
        self._fork(newer if newest else older)

    @precondition(lambda self: self.kept)
    @rule(number=st.integers(0, 99))
    def fork(self, number: int) -> None:
        self._fork(self._chosen(number))

    def _fork(self, chosen: str) -> None:
        folder = self._fork_root(len(self.forks))
        wish = ForkCheckpoint(checkpoint_id=chosen, into="folder", path=str(folder))
        forked = self.run(self.forking.fork(wish, NOBODY))
        assert (forked.project_path, forked.session_id) == (str(folder), None)
        assert forked.files >= len(self.kept[chosen])
        assert self.book.project(folder).position == chosen
        self.forks.append(dict(self.kept[chosen]))

    def _fork_root(self, number: int) -> Path:
        return self.place / f"fork-{number}"

    @precondition(lambda self: self.forks)
    @rule(number=st.integers(0, 99), path=st.sampled_from(PATHS), content=st.none() | st.binary(max_size=8))
    def edit_a_fork(self, number: int, path: str, content: bytes | None) -> None:
        chosen = number % len(self.forks)
        if content is None:
            remove(self._fork_root(chosen), path)
            self.forks[chosen].pop(path, None)
        else:
            write(self._fork_root(chosen), path, content)
            self.forks[chosen][path] = content

    @precondition(lambda self: self.forks)
    @rule(number=st.integers(0, 99))
    def create_in_a_fork(self, number: int) -> None:
        chosen = number % len(self.forks)
        one = self.run(self.taking.take(self._fork_root(chosen), TakeWish(always=True)))
        self.kept_in_forks[one.id] = (chosen, dict(self.forks[chosen]))

    @precondition(lambda self: self.kept_in_forks)
    @rule(number=st.integers(0, 99))
    def restore_in_a_fork(self, number: int) -> None:
        checkpoint_id = sorted(self.kept_in_forks)[number % len(self.kept_in_forks)]
        chosen, files = self.kept_in_forks[checkpoint_id]
        order = RestoreOrder(root=self._fork_root(chosen), checkpoint=self.book.checkpoint(checkpoint_id))
        self.run(self.restoring.restore(order, NOBODY))
        self.forks[chosen] = dict(files)

    @invariant()
    def each_fork_is_as_it_should_be(self) -> None:
        assert [held(self._fork_root(number)) for number in range(len(self.forks))] == self.forks


def write(root: Path, path: str, content: bytes) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def remove(root: Path, path: str) -> None:
    (root / path).unlink(missing_ok=True)
    with suppress(OSError):
        (root / path).parent.rmdir() if "/" in path else None


def held(root: Path) -> Files:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("machine", [Checkpointing, Branching])
def test_whatever_is_done_in_whatever_order_nothing_is_lost(machine: type[Checkpointing]) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None, derandomize=True)
    )
