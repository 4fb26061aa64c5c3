"""Lines that can wait are given together; whatever cannot wait takes them along at once."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs.output import HELD_BEATS, Piece, Source, pieces
from tests.platform.procs.children import until

pytestmark = pytest.mark.anyio


class Beats:
    """A watcher of one file that changes all the time; the test gives the beats."""

    def __init__(self) -> None:
        self.thick = True
        self.wake: Callable[[], None] = lambda: None

    def add(self, path: Path, wake: Callable[[], None]) -> Callable[[], None] | None:
        self.wake = wake
        return lambda: None

    def expect(self, path: Path) -> None:
        pass

    def is_thick(self, path: Path) -> bool:
        return self.thick

    def close(self) -> None:
        pass


class Followed:
    """A file that is followed, what was asked of its bytes, and what was given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.beats = Beats()
        self.asked: list[bytes] = []
        self.given: list[Piece] = []
        self.over = False

    def can_wait(self, data: bytes) -> bool:
        self.asked.append(data)
        return b"urgent" not in data

    def was_asked(self, times: int) -> bool:
        return len(self.asked) == times

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self.beats.wake()

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        source = Source(
            self.path,
            lambda: os.open(self.path, os.O_RDONLY),
            lambda: self.over,
            lambda _: lambda: None,
            self.can_wait,
        )

        async def follow() -> None:
            async for piece in pieces(source, 0, self.beats):
                self.given.append(piece)

        task = asyncio.create_task(follow())
        yield
        self.over = True
        self.beats.wake()
        async with asyncio.timeout(5):
            await task


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    path = tmp_path / "stdout"
    path.write_bytes(b"one\n")
    return Followed(path)


async def test_what_can_wait_is_left_for_some_beats_and_given_with_what_came_since(followed: Followed) -> None:
    async with followed.following():
        for beat in range(HELD_BEATS):
            await until(partial(followed.was_asked, beat + 1))
            assert followed.given == []
            followed.write(b"more\n")
        await until(lambda: bool(followed.given))
        assert followed.given == [Piece(0, b"one\n" + b"more\n" * HELD_BEATS)]


async def test_what_cannot_wait_is_given_at_once_with_what_waited(followed: Followed) -> None:
    async with followed.following():
        await until(lambda: followed.asked == [b"one\n"])
        followed.write(b"urgent\n")
        await until(lambda: bool(followed.given))
        assert followed.given == [Piece(0, b"one\nurgent\n")]


async def test_where_changes_are_few_nothing_waits(followed: Followed) -> None:
    followed.beats.thick = False
    async with followed.following():
        await until(lambda: followed.given == [Piece(0, b"one\n")])
        followed.write(b"two\n")
        await until(lambda: followed.given == [Piece(0, b"one\n"), Piece(4, b"two\n")])
    assert followed.asked == []


async def test_at_the_end_nothing_waits(followed: Followed) -> None:
    async with followed.following():
        await until(lambda: followed.asked == [b"one\n"])
    assert followed.given == [Piece(0, b"one\n")]
