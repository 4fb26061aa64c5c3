"""A file that grows is read on in whole lines, whatever became of it in between."""

import os
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.files import appended
from claude_code_mcp.platform.files.appended import Piece, Place, read_on


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.jsonl"


def _append(file: Path, data: bytes) -> None:
    with file.open("ab") as out:
        out.write(data)


def _lines(file: Path, place: Place | None = None) -> tuple[list[bytes], Place | None]:
    lines: list[bytes] = []
    for piece in read_on(file, place):
        lines += piece.lines
        place = piece.after
    return lines, place


def test_only_what_was_appended_is_read(file: Path) -> None:
    _append(file, b"one\ntwo\n")
    lines, place = _lines(file)
    assert lines == [b"one", b"two"]
    _append(file, b"three\n")
    lines, place = _lines(file, place)
    assert lines == [b"three"]
    assert _lines(file, place) == ([], place)


def test_a_torn_last_line_waits_for_its_end_and_a_half_character_for_its_other_half(file: Path) -> None:
    letter = "é".encode()
    _append(file, b"one\ntw" + letter[:1])
    lines, place = _lines(file)
    assert lines == [b"one"]
    assert _lines(file, place)[0] == []
    _append(file, letter[1:] + b"\n")
    assert _lines(file, place)[0] == [b"tw" + letter]


def test_a_cut_file_is_read_from_its_beginning(file: Path) -> None:
    _append(file, b"one\ntwo\n")
    _, place = _lines(file)
    file.write_bytes(b"new\n")
    (piece,) = read_on(file, place)
    assert (piece.lines, piece.restarted) == ([b"new"], True)


def test_a_file_that_was_emptied_is_told_to_be(file: Path) -> None:
    _append(file, b"one\n")
    _, place = _lines(file)
    file.write_bytes(b"")
    (piece,) = read_on(file, place)
    assert (piece.lines, piece.restarted, piece.after.offset) == ([], True, 0)


def test_a_replaced_file_is_another_one(file: Path, tmp_path: Path) -> None:
    _append(file, b"one\ntwo\n")
    _, place = _lines(file)
    other = tmp_path / "other"
    other.write_bytes(b"one\ntwo\nthree\n")
    other.replace(file)
    (piece,) = read_on(file, place)
    assert (piece.lines, piece.restarted) == ([b"one", b"two", b"three"], True)


def test_a_file_written_anew_in_its_place_and_grown_longer_is_noticed(file: Path) -> None:
    _append(file, b"one\ntwo\n")
    _, place = _lines(file)
    file.write_bytes(b"eins\nzwei\ndrei\n")
    (piece,) = read_on(file, place)
    assert (piece.lines, piece.restarted) == ([b"eins", b"zwei", b"drei"], True)


def test_older_lines_are_given_again_up_to_where_one_was(file: Path) -> None:
    _append(file, b"one\ntwo\n")
    _, place = _lines(file)
    _append(file, b"three\n")
    (piece,) = read_on(file, place, start=4)
    assert (piece.start, piece.lines, piece.after) == (4, [b"two"], place)


def test_a_line_too_long_for_memory_is_told_by_its_size_and_the_next_is_whole(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appended, "LINE_LIMIT_BYTES", 3 << 20)
    _append(file, b"before\n" + b"x" * (8 << 20) + b"\nafter\n")
    pieces = list(read_on(file, None))
    assert [(piece.start, piece.long_bytes, piece.lines[0][:6]) for piece in pieces] == [
        (0, 0, b"before"),
        (7, 8 << 20, b"xxxxxx"),
        (7 + (8 << 20) + 1, 0, b"after"),
    ]
    assert len(pieces[1].lines[0]) == appended.HEAD_BYTES


def test_a_line_too_long_without_an_end_waits(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appended, "LINE_LIMIT_BYTES", 1 << 20)
    _append(file, b"before\n" + b"x" * (3 << 20))
    pieces = list(read_on(file, None))
    assert [piece.lines for piece in pieces] == [[b"before"]]


def test_what_is_no_file_gives_nothing_and_what_is_gone_raises(file: Path) -> None:
    os.mkfifo(file)
    assert list(read_on(file, None)) == []
    file.unlink()
    with pytest.raises(FileNotFoundError):
        list(read_on(file, None))


def test_a_place_is_kept_and_taken_up_again(file: Path) -> None:
    _append(file, b"one\n")
    _, place = _lines(file)
    stored = msgspec.json.decode(msgspec.json.encode(place), type=Place)
    _append(file, b"two\n")
    assert _lines(file, stored)[0] == [b"two"]


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 16))
def test_any_cut_into_appends_gives_the_same_lines(parts: list[bytes], piece_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "f"
        file.touch()
        place: Place | None = None
        lines: list[bytes] = []
        pieces: list[Piece] = []
        for part in parts:
            _append(file, part)
            pieces = list(read_on(file, place, piece_bytes=piece_bytes))
            lines += [line for piece in pieces for line in piece.lines]
            place = pieces[-1].after if pieces else place
        whole = b"".join(parts)
        assert lines == whole.split(b"\n")[:-1]
