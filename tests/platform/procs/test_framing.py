import hashlib
import tracemalloc
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.procs.framing import HEAD_BYTES, Framer, Line, Oversized

CAP = 32
_streams = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\0", b"\0\0", b"{}", b"\xff\xfe", b"\xe2\x80\xa8", b"x" * 20, b"y" * 40]),
    max_size=30,
).map(b"".join)
_cuts = st.lists(st.integers(0, 800), max_size=20)


def framed(pieces: list[bytes], offset: int = 0) -> list[Line]:
    framer = Framer(offset, cap_bytes=CAP)
    lines = [line for piece in pieces for line in framer.feed(piece)]
    torn = framer.finish()
    return lines + ([torn] if torn else [])


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(edge, len(stream)) for edge in at), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@given(_streams, _cuts, st.integers(0, 10**12))
def test_any_way_of_cutting_the_stream_gives_the_same_lines(stream: bytes, cuts: list[int], offset: int) -> None:
    assert framed(cut(stream, cuts), offset) == framed([stream], offset)


@given(_streams, _cuts)
def test_the_lines_tell_every_byte_of_the_stream(stream: bytes, cuts: list[int]) -> None:
    end = 0
    for line in framed(cut(stream, cuts)):
        assert line.offset == end
        end = line.end
        whole = stream[line.offset : line.end]
        assert whole.endswith(b"\n") is not line.torn
        text = whole.removesuffix(b"\n")[line.nuls :]
        assert whole[: line.nuls] == b"\0" * line.nuls
        assert not text.startswith(b"\0")
        if line.oversized is None:
            assert line.data == text
            assert len(text) <= CAP
        else:
            assert line.data == b""
            assert line.oversized == Oversized(len(text), hashlib.sha256(text).hexdigest(), text[:HEAD_BYTES])
            assert len(text) > CAP
    assert end == len(stream)


@given(_streams, st.integers(0, 30))
def test_a_framer_that_begins_at_a_line_start_goes_on_as_if_it_had_seen_all(stream: bytes, skip: int) -> None:
    lines = framed([stream])
    start = lines[skip].offset if skip < len(lines) else len(stream)
    assert framed([stream[start:]], start) == lines[skip:]


def test_bytes_that_are_no_text_and_carriage_returns_stay_as_they_are() -> None:
    assert [line.data for line in framed([b"\xff\r\n\r\n\n"])] == [b"\xff\r", b"\r", b""]


def test_nul_bytes_before_a_line_are_counted_and_taken_off() -> None:
    assert framed([b"\0\0", b"\0{}\n"]) == [Line(0, 6, b"{}", nuls=3)]


def test_a_gigabyte_without_a_newline_takes_little_memory_and_is_told_by_size_and_hash() -> None:
    framer = Framer()
    piece = b"z" * (1024 * 1024)
    tracemalloc.start()
    for _ in range(1024):
        assert framer.feed(piece) == []
    (line,) = framer.feed(b"end\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 * 1024 * 1024
    assert line.oversized is not None
    assert line.oversized.size_bytes == 1024 * 1024 * 1024 + 3
    assert line.oversized.head == b"z" * HEAD_BYTES
    assert framer.feed(b"{}\n") == [Line(line.end, line.end + 3, b"{}")]


def test_a_hole_of_nul_bytes_takes_no_memory() -> None:
    framer = Framer()
    hole = 128 * 1024 * 1024
    for _ in range(128):
        assert framer.feed(b"\0" * (1024 * 1024)) == []
    assert framer.feed(b"{}\n") == [Line(0, hole + 3, b"{}", nuls=hole)]
