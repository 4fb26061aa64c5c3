"""Differences, lists and files, asked of a real daemon."""

import os
from pathlib import Path

import pytest

from tests.support.daemon import CallFailed, Terminal


def test_two_checkpoints_and_the_working_tree_are_compared_by_line(terminal: Terminal, folder: Path) -> None:
    (folder / "moved.txt").write_text("the very same text\n")
    (folder / "logo.png").write_bytes(b"\x89PNG\0\0")
    first = terminal.call("checkpoints.create", message="one")
    (folder / "src" / "app.py").write_text("print('two')\nprint('three')\n")
    (folder / "moved.txt").rename(folder / "src" / "moved.txt")
    (folder / "logo.png").write_bytes(b"\x89PNG\0\0\0")
    (folder / "README.md").chmod(0o755)
    second = terminal.call("checkpoints.create", message="two")
    (folder / "src" / "app.py").write_text("print('four')\n")

    reply = terminal.call("checkpoints.diff", checkpoint_id=first["id"], compare_with=second["id"])
    assert [(item["change"], item["old_path"], item["path"]) for item in reply["items"]] == [
        ("mode", None, "README.md"),
        ("changed", None, "logo.png"),
        ("changed", None, "src/app.py"),
        ("renamed", "moved.txt", "src/moved.txt"),
    ]
    assert (reply["files"], reply["added"], reply["deleted"], reply["cut"]) == (4, 2, 1, False)
    assert reply["items"][1]["binary"]
    live = terminal.call("checkpoints.diff", format="unified")
    assert (live["before"], live["after"]) == (second["id"], "working tree")
    assert live["diff"].splitlines()[:6] == [
        "--- src/app.py",
        "+++ src/app.py",
        "@@ -1,2 +1 @@",
        "-print('two')",
        "-print('three')",
        "+print('four')",
    ]


def test_a_comparison_is_bounded_and_says_that_it_was_cut(terminal: Terminal, folder: Path) -> None:
    terminal.call("checkpoints.create")
    for number in range(30):
        (folder / f"f{number:02}.txt").write_text("line\n" * 50)
    reply = terminal.call("checkpoints.diff", limit=10, format="names")
    assert (len(reply["items"]), reply["files"], reply["cut"]) == (10, 30, True)
    reply = terminal.call("checkpoints.diff", max_lines=60, format="unified")
    assert reply["cut"]
    assert len(reply["diff"].splitlines()) <= 60 + 30
    reply = terminal.call("checkpoints.diff", paths=["f03.txt"])
    assert [(item["path"], item["added"]) for item in reply["items"]] == [("f03.txt", 50)]


def test_a_project_without_checkpoints_cannot_be_compared(terminal: Terminal) -> None:
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.diff")
    assert refused.value.code == "checkpoint_not_found"


def test_names_that_are_no_utf8_are_shown_and_can_be_named(terminal: Terminal, folder: Path) -> None:
    strange = os.path.join(os.fsencode(folder), b"caf\xe9")
    with open(strange, "wb") as file:
        file.write(b"one")
    first = terminal.call("checkpoints.create")
    with open(strange, "wb") as file:
        file.write(b"two")
    files = terminal.call("checkpoints.files", checkpoint_id=first["id"], paths=["caf\\xe9"])
    assert [item["path"] for item in files["items"]] == ["caf\\xe9"]
    terminal.call("checkpoints.restore", checkpoint_id=first["id"], paths=["caf\\xe9"])
    with open(strange, "rb") as file:
        assert file.read() == b"one"


def test_lists_are_read_page_by_page_and_files_too(terminal: Terminal, folder: Path) -> None:
    made = []
    for number in range(5):
        (folder / "README.md").write_text(str(number))
        made.append(terminal.call("checkpoints.create", message=str(number))["id"])
    page = terminal.call("checkpoints.list", limit=2)
    seen = [item["id"] for item in page["items"]]
    while page["next"]:
        page = terminal.call("checkpoints.list", limit=2, before=page["next"])
        seen += [item["id"] for item in page["items"]]
    assert seen == made[::-1]
    page = terminal.call("checkpoints.files", checkpoint_id=made[0], limit=2)
    names = [item["path"] for item in page["items"]]
    page = terminal.call("checkpoints.files", checkpoint_id=made[0], limit=2, after=page["next"])
    assert names + [item["path"] for item in page["items"]] == ["README.md", "src", "src/app.py"]
    assert terminal.call("checkpoints.timeline", limit=2)["older"] == 3


def test_what_cannot_be_kept_is_said(terminal: Terminal, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    terminal.call("checkpoints.settings", most_file_bytes=1024)
    (folder / "big.bin").write_bytes(b"x" * 2000)
    one = terminal.call("checkpoints.create")
    files = terminal.call("checkpoints.files", checkpoint_id=one["id"])
    assert {item["path"]: item["why"] for item in files["omitted"]} == {"big.bin": "too_large", "pipe": "special"}
    terminal.call("checkpoints.restore", checkpoint_id=one["id"])
    assert (folder / "big.bin").exists()
    assert (folder / "pipe").exists()
