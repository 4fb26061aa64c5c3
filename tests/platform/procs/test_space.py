import os
from contextlib import aclosing
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs.errors import DiskLow
from claude_code_mcp.platform.procs.space import Disk, DiskWatch

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024


class FakeDisk:
    """A file system whose room the test sets."""

    def __init__(self) -> None:
        self.free = 1000 * MIB
        self.files = 10_000
        self.looks = 0

    def look(self, path: Path) -> os.statvfs_result:
        self.looks += 1
        free = self.free // 4096
        return os.statvfs_result((4096, 4096, 2000 * MIB // 4096, free, free, 20_000, self.files, self.files, 0, 255))

    def watch(self, path: Path, keep_s: float = 0.0) -> DiskWatch:
        return DiskWatch(path, low_bytes=100 * MIB, keep_s=keep_s, look=self.look)


@pytest.fixture
def disk() -> FakeDisk:
    return FakeDisk()


def test_the_room_is_that_of_the_file_system_that_holds_the_path(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    sample = DiskWatch(tmp_path).sample()
    assert sample.total_bytes == found.f_blocks * found.f_frsize
    assert abs(sample.free_bytes - found.f_bavail * found.f_frsize) < 512 * MIB


def test_little_room_is_low_and_refuses_with_a_remedy(disk: FakeDisk, tmp_path: Path) -> None:
    watch = disk.watch(tmp_path)
    watch.refuse_when_low()
    disk.free = 99 * MIB
    with pytest.raises(DiskLow, match="99 MiB") as caught:
        watch.refuse_when_low()
    assert caught.value.details == {"free_bytes": 99 * MIB, "low_bytes": 100 * MIB}
    assert caught.value.remedy


def test_a_disk_that_was_low_needs_some_more_room_to_be_well_again(disk: FakeDisk, tmp_path: Path) -> None:
    watch = disk.watch(tmp_path)
    seen: list[bool] = []
    for free in (101, 99, 110, 124, 126, 110):
        disk.free = free * MIB
        seen.append(watch.sample().low)
    assert seen == [False, True, True, True, False, False]


def test_few_files_left_is_low_too(disk: FakeDisk, tmp_path: Path) -> None:
    disk.files = 10
    assert disk.watch(tmp_path).sample().low


def test_a_sample_is_kept_for_a_while(disk: FakeDisk, tmp_path: Path) -> None:
    watch = disk.watch(tmp_path, keep_s=60)
    assert watch.sample() is watch.sample()
    assert disk.looks == 1


async def test_changes_tell_when_it_becomes_low_and_when_it_recovers(disk: FakeDisk, tmp_path: Path) -> None:
    watch = disk.watch(tmp_path)
    seen: list[Disk] = []
    async with aclosing(watch.changes(every_s=0.001)) as changes:
        async for sample in changes:
            seen.append(sample)
            if len(seen) == 3:
                break
            disk.free = 50 * MIB if len(seen) == 1 else 500 * MIB
    assert [sample.low for sample in seen] == [False, True, False]
