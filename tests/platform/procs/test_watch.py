"""A watched file is looked at soon, never without end, and never for the last time too early."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs.watch import BEAT_S, BURST, BURST_BACK, watcher
from tests.platform.procs.children import until

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")]

FLOOD_S = 0.6


class Looker:
    """Looks at a file's size whenever it is woken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sizes: list[int] = []

    def __call__(self) -> None:
        self.sizes.append(self.path.stat().st_size)


def grow(path: Path) -> int:
    """Append one byte and return the size."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"x")
    size = os.fstat(fd).st_size
    os.close(fd)
    return size


async def flooded(path: Path, seconds: float) -> int:
    """Let a file change all the time, for so long; return its size."""
    began, size = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        size = grow(path)
        await asyncio.sleep(0)
    return size


def most_looks(elapsed_s: float) -> float:
    """Return how many looks there may be in so much time."""
    return BURST + 2 + elapsed_s * (BURST_BACK + 1 / BEAT_S)


async def test_a_flood_of_changes_is_looked_at_on_beats_and_its_last_change_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "stdout"
    grow(path)
    watching, look = watcher(), Looker(path)
    leave = watching.add(path, look)
    began = time.monotonic()
    size = await flooded(path, FLOOD_S)
    await until(lambda: look.sizes[-1:] == [size])
    assert BURST <= len(look.sizes) <= most_looks(time.monotonic() - began)
    assert leave is not None
    leave()
    watching.close()


async def test_after_a_flood_a_single_change_is_seen_again(tmp_path: Path) -> None:
    path = tmp_path / "stdout"
    grow(path)
    watching, look = watcher(), Looker(path)
    watching.add(path, look)
    size = await flooded(path, FLOOD_S)
    await until(lambda: look.sizes[-2:] == [size, size])  # the look that found nothing new: it is heard again
    size = grow(path)
    await until(lambda: look.sizes[-1] == size)
    watching.close()


async def test_what_is_expected_is_seen_in_the_midst_of_a_flood_without_waiting_for_a_beat(tmp_path: Path) -> None:
    path = tmp_path / "stdout"
    grow(path)
    watching, look = watcher(), Looker(path)
    watching.add(path, look)
    await flooded(path, FLOOD_S)
    before, began = len(look.sizes), time.monotonic()
    watching.expect(path)
    assert len(look.sizes) == before + 1
    size = await flooded(path, FLOOD_S)
    await until(lambda: look.sizes[-1] == size)
    assert len(look.sizes) - before <= most_looks(time.monotonic() - began)
    watching.close()


async def test_a_quiet_file_beside_a_flood_is_seen(tmp_path: Path) -> None:
    noisy, quiet = tmp_path / "noisy", tmp_path / "quiet"
    grow(noisy)
    grow(quiet)
    watching, look = watcher(), Looker(quiet)
    watching.add(noisy, Looker(noisy))
    watching.add(quiet, look)
    await flooded(noisy, FLOOD_S)
    size = grow(quiet)
    await until(lambda: look.sizes == [size])
    watching.close()


async def test_a_file_whose_name_goes_during_a_flood_harms_nobody(tmp_path: Path) -> None:
    gone, kept = tmp_path / "gone", tmp_path / "kept"
    grow(gone)
    grow(kept)
    watching, look = watcher(), Looker(kept)
    woken: list[None] = []
    watching.add(gone, lambda: woken.append(None))
    watching.add(kept, look)
    await flooded(gone, FLOOD_S)
    gone.unlink()
    size = grow(kept)
    await until(lambda: look.sizes[-1:] == [size])
    assert woken
    watching.close()
