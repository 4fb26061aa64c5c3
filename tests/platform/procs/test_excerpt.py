"""Looking into output files: the same as looking into the whole bytes, at the price of what is asked for."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.procs.excerpt import BLOCK, matches, opened, part, tail
from claude_code_mcp.platform.procs.ring import Cut

LINES = st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=40)


@given(LINES, st.booleans(), st.integers(1, 50))
def test_the_last_lines_are_those_of_the_whole(lines: list[bytes], ended: bool, wanted: int) -> None:
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    fd = os.memfd_create("out")
    try:
        os.write(fd, data)
        found = tail(fd, wanted, 1 << 20, Cut())
    finally:
        os.close(fd)
    assert (
        found.data == b"".join(data.splitlines(keepends=True)[-wanted:])
        or b"\r" in data
        or set(data) & set(b"\x0b\x0c\x1c\x1d\x1e\x85")
    )
    assert found.end == len(data)
    assert data.endswith(found.data)
    assert found.data.count(b"\n") <= wanted


def test_the_last_lines_of_a_huge_file_cost_one_block(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        file.truncate(10 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d\n" % n for n in range(200)))
    with opened(path) as fd:
        found = tail(fd, 100, 1 << 20, Cut())
    assert found.data.splitlines() == [b"line %d" % n for n in range(100, 200)]


def test_a_line_without_end_is_given_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"first\n" + b"x" * (3 * BLOCK))
    with opened(path) as fd:
        found = tail(fd, 2, BLOCK, Cut())
    assert found.data == b"x" * BLOCK
    assert found.start == 6 + 2 * BLOCK


def test_a_range_that_was_cut_goes_on_after_the_gap(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(bytes(range(100)))
    cut = Cut(20, 60)
    with opened(path) as fd:
        assert part(fd, 10, 50, cut).data == bytes(range(10, 20))
        found = part(fd, 20, 10, cut)
        assert (found.start, found.gap_bytes, found.data) == (60, 40, bytes(range(60, 70)))
        assert part(fd, 45, 10, cut).gap_bytes == 15
        assert part(fd, 95, 50, cut).end == 100
        assert part(fd, 100, 50, cut).data == b""
        assert tail(fd, 1000, 1000, cut).start == 60


@given(st.lists(st.integers(0, 3 * BLOCK), max_size=20))
def test_every_match_is_found_once_wherever_the_blocks_end(places: list[int]) -> None:
    data = bytearray(b"." * (3 * BLOCK + 20))
    for place in places:
        data[place : place + 6] = b"needle"
    wanted = [match.start() for match in re.finditer(b"needle", data)]
    fd = os.memfd_create("out")
    try:
        os.write(fd, data)
        assert [found.start for found in matches(fd, re.compile(b"needle"), 0, Cut())] == wanted
        if wanted:
            later = [found.start for found in matches(fd, re.compile(b"needle"), wanted[0] + 6, Cut())]
            assert later == wanted[1:]
    finally:
        os.close(fd)


@pytest.mark.parametrize("before", [0, 10, 2000])
def test_a_match_comes_with_its_line(tmp_path: Path, before: int) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"one\n" + b"a" * before + b"needle" + b"b" * 5000 + b"\nlast\n")
    with opened(path) as fd:
        (found,) = matches(fd, re.compile(b"needle"), 0, Cut())
    assert found.start == 4 + before
    assert len(found.line) <= 1000
    assert b"\n" not in found.line
    if before < 1000:
        assert found.line.startswith(b"a" * before + b"needle")


def test_the_beginning_of_a_line_is_no_other_place(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"x" * (2 * BLOCK) + b"\nxyz\n")
    with opened(path) as fd:
        assert [found.start for found in matches(fd, re.compile(b"^x", re.M), 0, Cut())] == [0, 2 * BLOCK + 1]
        assert [found.start for found in matches(fd, re.compile(b"^x", re.M), 5, Cut())] == [2 * BLOCK + 1]
        assert [found.start for found in matches(fd, re.compile(b"(?<=x)y"), 2 * BLOCK + 2, Cut())] == [2 * BLOCK + 2]
