"""Giving the middle of a growing file back to the disk."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.procs.models import RunState
from claude_code_mcp.platform.procs.ring import Cut, planned, punch
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import python, spec, until

LIMIT = 1 << 20


@given(st.lists(st.integers(0, 3 << 20), max_size=30))
def test_what_stays_is_a_head_and_a_tail_within_the_limit(growth: list[int]) -> None:
    size, cut = 0, Cut()
    for more in growth:
        size += more
        before, cut = cut, planned(size, LIMIT, cut)
        assert cut == planned(size, LIMIT, cut)
        assert before.end <= cut.end <= size
        assert before.start == cut.start or before == Cut()
        assert size - cut.size_bytes <= LIMIT + LIMIT // 4 + 8192
        if cut.size_bytes:
            assert cut.start >= LIMIT // 4
            assert size - cut.end >= LIMIT // 2


def test_a_file_within_its_limit_is_not_cut() -> None:
    assert planned(LIMIT, LIMIT, Cut()) == Cut()
    assert planned(10 * LIMIT, 0, Cut()) == Cut()


def test_a_punched_part_is_off_the_disk_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out"
    data = os.urandom(4 * LIMIT)
    path.write_bytes(data)
    fd = os.open(path, os.O_RDWR)
    try:
        cut = planned(len(data), LIMIT, Cut())
        punch(fd, cut)
        punch(fd, cut)
    finally:
        os.close(fd)
    kept = path.read_bytes()
    assert kept[: cut.start] == data[: cut.start]
    assert kept[cut.end :] == data[cut.end :]
    assert not any(kept[cut.start : cut.end])
    assert path.stat().st_blocks * 512 <= LIMIT + LIMIT // 4 + 8192


@pytest.mark.anyio
async def test_a_writer_notices_nothing_when_its_output_is_cut_under_it(runs: Runs) -> None:
    code = "import os,sys\nfor n in range(2000): os.write(1, b'%06d' % n + b'x' * 4090)\nprint('end')"
    run = await runs.spawn(spec(*python(code)))
    path = run.files.path / "stdout"
    cut = Cut()
    fd = os.open(path, os.O_RDWR)
    try:

        def trim() -> bool:
            nonlocal cut
            wanted = planned(path.stat().st_size, LIMIT, cut)
            punch(fd, wanted)
            cut = wanted
            return run.state() is RunState.EXITED

        await until(trim)
        trim()
    finally:
        os.close(fd)
    assert path.stat().st_size == 2000 * 4096 + 4
    found = path.read_bytes()
    assert found.startswith(b"000000")
    assert found.endswith(b"xend\n")
    assert path.stat().st_blocks * 512 <= LIMIT + LIMIT // 4 + 8192
