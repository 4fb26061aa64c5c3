"""A project with a strategy is watched: nothing that happens is missed, and what did not happen costs no look."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path

import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.checkpoints.models import Strategy, TreeSettings
from claude_code_mcp.features.checkpoints.service import Book, TakeWish, Taking
from claude_code_mcp.features.checkpoints.service.trees import Trees
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.db.database import Database
from tests.support.checkpoints import file_keys

pytestmark = pytest.mark.anyio


@pytest.fixture
async def taking(tmp_path: Path, folder: Path) -> AsyncGenerator[Taking]:
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    database = await Database.open(state / "state.db", migrations())
    book = Book(database, SystemClock())
    made = Taking(book, Store.open(state / "blobs"), Trees(state / "trees"), file_keys(state))
    await book.set(str(folder), TreeSettings(strategy=Strategy.SMART))
    yield made
    await made.aclose()
    await database.close()


async def _still(taking: Taking, folder: Path) -> None:
    """Return when a take needs no look any more: new watches make a folder worth a look once more."""
    async with asyncio.timeout(30):
        while (await taking.take_tree(folder, TakeWish())).seen is not None:
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="watching is by inotify")
async def test_nothing_happened_costs_no_look_and_anything_is_seen(taking: Taking, folder: Path) -> None:
    one = await taking.take(folder, TakeWish())
    await _still(taking, folder)
    same = await taking.take_tree(folder, TakeWish())
    assert (same.seen, same.unchanged, same.checkpoint.id) == (None, True, one.id)
    known = {one.id}
    deeds: list[Callable[[], object]] = [
        partial((folder / "src" / "app.py").write_text, "changed"),
        partial((folder / "new.txt").write_text, "new"),
        partial((folder / "README.md").chmod, 0o700),
        partial((folder / "new.txt").rename, folder / "src" / "moved.txt"),
        partial((folder / "deep" / "er").mkdir, parents=True),
        partial((folder / "deep" / "er" / "x").write_text, "x"),
        (folder / "src" / "moved.txt").unlink,
    ]
    for number, change in enumerate(deeds):
        change()
        taken = await taking.take_tree(folder, TakeWish())
        assert taken.checkpoint.id not in known, number
        known.add(taken.checkpoint.id)
        await _still(taking, folder)


@pytest.mark.skipif(sys.platform != "linux", reason="watching is by inotify")
async def test_other_wishes_and_deletions_are_looked_at(taking: Taking, folder: Path) -> None:
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "a.log").write_text("a")
    one = await taking.take(folder, TakeWish())
    await _still(taking, folder)
    with_log = await taking.take(folder, TakeWish(include=("a.log",)))
    assert with_log.files == one.files + 1
    await _still(taking, folder)
    again = await taking.take(folder, TakeWish(always=True))
    await taking.book.delete([again.id], "by hand")
    assert (await taking.take_tree(folder, TakeWish())).seen is not None
