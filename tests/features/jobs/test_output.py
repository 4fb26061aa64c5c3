"""What jobs say: in order, by cursor, the last lines, a search, the middle cut out, and followed live."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.jobs.rules.display import clean, whole
from tests.features.jobs.test_running import run, said
from tests.support.daemon import CallFailed, Json, Terminal


def everything(terminal: Terminal, job_id: str, **wish: object) -> Json:
    """Read a job's output to its end, piece by piece."""
    whole_text = {"stdout": "", "stderr": ""}
    cursor = ""
    while True:
        page = terminal.call("jobs.output", job_id=job_id, cursor=cursor, wait_s=20, **wish)
        for stream in whole_text:
            whole_text[stream] += page[stream]
        cursor = page["cursor"]
        if page["over"]:
            return {**whole_text, "cursor": cursor}


def test_every_byte_is_given_once_and_in_order_however_it_is_read(terminal: Terminal) -> None:
    job = run(terminal, "for i in $(seq 1 500); do echo out $i; echo err $i >&2; done")
    for limit in (7, 1000, 1_000_000):
        found = everything(terminal, job["job_id"], limit_bytes=limit)
        assert found["stdout"] == "".join(f"out {n}\n" for n in range(1, 501))
        assert found["stderr"] == "".join(f"err {n}\n" for n in range(1, 501))
    only = everything(terminal, job["job_id"], stream="stderr")
    assert (only["stdout"], only["stderr"].count("\n")) == ("", 500)


def test_output_is_followed_while_it_is_written(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="while read x; do echo saw $x; done")
    cursor = ""
    for word in ("one", "two", "three"):
        terminal.call("jobs.interact", job_id=job["job_id"], input=word, wait_s=0)
        page = terminal.call("jobs.output", job_id=job["job_id"], cursor=cursor, wait_s=20)
        assert page["stdout"] == f"saw {word}\n"
        assert not page["over"]
        cursor = page["cursor"]
    terminal.call("jobs.interact", job_id=job["job_id"], eof=True, wait_s=0)
    end = terminal.call("jobs.output", job_id=job["job_id"], cursor=cursor, wait_s=20)
    assert (end["stdout"], end["over"]) == ("", True)


def test_binary_and_broken_text_is_safe_and_escape_sequences_are_shown_clean(terminal: Terminal) -> None:
    job = run(terminal, r"printf '\033[31mred\033[0m\n10%%\r100%%\n\377\376\000end\n\033]0;title\007done\n'")
    assert job["stdout"] == "red\n100%\n\ufffd\ufffd␀end\ndone\n"
    raw = terminal.call("jobs.output", job_id=job["job_id"], raw=True)
    assert raw["stdout"].startswith("\x1b[31mred\x1b[0m\n10%\r100%\n")


def test_a_piece_never_ends_within_a_character(terminal: Terminal) -> None:
    job = run(terminal, "printf '☃☃☃☃☃'")
    assert everything(terminal, job["job_id"], limit_bytes=4)["stdout"] == "☃☃☃☃☃"


def test_the_last_lines_are_given(terminal: Terminal) -> None:
    job = run(terminal, "seq 1 1000; seq 1 3 >&2")
    tail = terminal.call("jobs.tail", job_id=job["job_id"], lines=2)
    assert (tail["stdout"], tail["stderr"]) == ("999\n1000\n", "2\n3\n")
    assert tail["over"]


def test_output_over_its_limit_keeps_head_and_tail_and_names_what_is_gone(terminal: Terminal) -> None:
    command = "i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done; echo up; read x; seq 1 50000; echo end"
    job = terminal.call("jobs.execute", command=command, output_limit_bytes=65_536)
    said(terminal, job["job_id"], "^up")
    terminal.until_recorded("job.output_cut")
    terminal.call("jobs.interact", job_id=job["job_id"], input="go", wait_s=0)
    terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)
    done = terminal.call("jobs.status", job_id=job["job_id"])
    assert done["cut_bytes"] > 0
    head = terminal.call("jobs.output", job_id=job["job_id"], limit_bytes=50)
    assert head["stdout"].startswith("line 0\nline 1\n")
    found = everything(terminal, job["job_id"])
    assert found["stdout"].endswith("50000\nend\n")
    assert "\0" not in found["stdout"]
    gap = terminal.call("jobs.output", job_id=job["job_id"], cursor="20000")
    assert gap["stdout_gap_bytes"] > 0
    assert "bytes are gone" in gap["_text"]
    [path] = (terminal.state_dir / "jobs").glob("*/stdout")
    assert path.stat().st_blocks * 512 < path.stat().st_size


def test_one_endless_line_stays_within_the_limit(terminal: Terminal) -> None:
    code = "import os\nfor _ in range(200): os.write(1, b'x' * 100_000)\nprint('up', flush=True); input()"
    job = terminal.call("jobs.execute", argv=["python3", "-c", code], output_limit_bytes=1 << 20)
    said(terminal, job["job_id"], "up$")
    terminal.until_recorded("job.output_cut")
    terminal.call("jobs.interact", job_id=job["job_id"], input="", no_newline=True, eof=True, wait_s=0)
    terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)
    [path] = (terminal.state_dir / "jobs").glob("*/stdout")
    assert path.stat().st_size > 20_000_000
    assert path.stat().st_blocks * 512 <= (1 << 20) * 5 // 4 + 16_384


def test_a_search_finds_places_in_both_streams(terminal: Terminal) -> None:
    job = run(terminal, "seq 1 100000; echo needle here >&2; echo last needle")
    found = terminal.call("jobs.search", job_id=job["job_id"], pattern="needle|^777$")
    assert [(match["stream"], match["line"]) for match in found["matches"]] == [
        ("stdout", "777"),
        ("stdout", "last needle"),
        ("stderr", "needle here"),
    ]
    limited = terminal.call("jobs.search", job_id=job["job_id"], pattern="9", limit=3)
    assert (len(limited["matches"]), limited["more"]) == (3, True)
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.search", job_id=job["job_id"], pattern="(")
    assert caught.value.code == "bad_pattern"


def test_a_wait_for_a_line_looks_only_behind_its_cursor(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="echo ready; read x; echo ready again")
    first = terminal.call("jobs.wait", job_id=job["job_id"], pattern="^ready", wait_s=20)
    assert first["reached"]
    none = terminal.call("jobs.wait", job_id=job["job_id"], pattern="^ready", cursor=first["cursor"], wait_s=0)
    assert not none["reached"]
    terminal.call("jobs.interact", job_id=job["job_id"], input="x", wait_s=0)
    again = terminal.call("jobs.wait", job_id=job["job_id"], pattern="^ready", cursor=first["cursor"], wait_s=20)
    assert again["line"] == "ready again"


def test_output_outlives_its_deleted_file_as_an_empty_one(terminal: Terminal) -> None:
    job = run(terminal, "echo something")
    for path in (terminal.state_dir / "jobs").glob("*/std*"):
        Path(path).unlink()
    found = terminal.call("jobs.output", job_id=job["job_id"])
    assert (found["stdout"], found["over"]) == ("", True)


@given(st.binary(max_size=60))
def test_cleaned_text_never_acts_and_a_whole_piece_loses_nothing(data: bytes) -> None:
    text = clean(data)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    size = whole(data)
    assert 0 <= size <= len(data)


@given(st.text(max_size=40), st.integers(1, 200))
def test_pieces_that_end_whole_make_up_the_same_text(text: str, cut: int) -> None:
    data = text.encode()
    first = data[:cut]
    first = first[: whole(first)]
    assert (first.decode() + data[len(first) :].decode()) == text
