"""What differs between two trees and between two texts, as git says it where git is asked."""

import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from claude_code_mcp.platform.worktrees.diff import Change, Difference, TextDiff, compare, text_diff
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest


def file(path: bytes, content: bytes = b"x", mode: int = 0o644) -> Entry:
    return Entry(path, Kind.FILE, mode, len(content), 0, content.ljust(32, b"\0"))


def tree(*entries: Entry) -> Manifest:
    return Manifest(tuple(sorted(entries, key=lambda entry: entry.path)))


def told(before: Manifest, after: Manifest) -> dict[bytes, Change]:
    return {item.path: item.change for item in compare(before, after)}


def test_each_kind_of_difference_has_its_name() -> None:
    before = tree(
        file(b"changed", b"1"), file(b"gone", b"2"), file(b"mode", b"3"), file(b"type", b"4"), file(b"old name", b"5"),
        Entry(b"link", Kind.LINK, 0, 0, 0, target=b"a"), Entry(b"dir", Kind.FOLDER, 0o755, 0, 1),
    )  # fmt: skip
    after = tree(
        file(b"changed", b"one"), file(b"mode", b"3", 0o755), Entry(b"type", Kind.LINK, 0, 0, 0, target=b"x"),
        file(b"new name", b"5"), file(b"come", b"6"), Entry(b"link", Kind.LINK, 0, 0, 0, target=b"b"),
        Entry(b"dir", Kind.FOLDER, 0o755, 0, 2),
    )  # fmt: skip
    assert told(before, after) == {
        b"changed": Change.CHANGED, b"gone": Change.DELETED, b"mode": Change.MODE, b"type": Change.TYPE,
        b"new name": Change.RENAMED, b"come": Change.ADDED, b"link": Change.CHANGED,
    }  # fmt: skip


def test_files_that_are_alike_are_not_taken_for_renamed() -> None:
    two = tree(file(b"a", b"same"), file(b"b", b"same"))
    assert told(two, tree(file(b"c", b"same"))) == {
        b"a": Change.DELETED, b"b": Change.DELETED, b"c": Change.ADDED,
    }  # fmt: skip
    assert told(tree(file(b"a", b"")), tree(file(b"b", b""))) == {b"a": Change.DELETED, b"b": Change.ADDED}


def diffed(old: bytes, new: bytes, most_lines: int = 100_000) -> TextDiff:
    item = Difference(Change.CHANGED, b"f", *(Entry(b"f", Kind.FILE, 0o644, len(one), 0, b"") for one in (old, new)))
    return text_diff(lambda: old, lambda: new, item, most_lines=most_lines)


texts = st.lists(st.sampled_from([b"a", b"b", b"c", b"", b"def f():", b"\xff"]), max_size=30).flatmap(
    lambda lines: st.sampled_from([b"\n".join(lines), b"\n".join([*lines, b""])])
)


@settings(max_examples=40, deadline=None)
@given(texts, texts)
def test_a_text_diff_is_one_that_patch_takes(old: bytes, new: bytes) -> None:
    found = diffed(old, new)
    lines = found.text.split("\n")[2:]
    assert found.added == sum(line.startswith("+") for line in lines)
    assert found.deleted == sum(line.startswith("-") for line in lines)
    assert (found.text == "") == (old == new)
    assert _applied(old, found.text) == new


def _applied(old: bytes, text: str) -> bytes:
    """Apply a unified diff by its own words."""
    source = old.split(b"\n")
    out: list[bytes] = []
    at = 0
    joined = b"\n" if old.endswith(b"\n") or not old else b""
    lines = text.split("\n")[2:] if text else []
    ends_bare = False
    for number, line in enumerate(lines):
        if line.startswith("@@"):
            first, _, count = line.split()[1][1:].partition(",")
            start = int(first) - (count != "0")
            out += source[at:start]
            at = start
        elif line.startswith("\\"):
            ends_bare = ends_bare or lines[number - 1][0] in "+ "
        else:
            at += line[0] in " -"
            if line[0] in " +":
                out.append(line[1:].replace("\\xff", "\udcff").encode("utf-8", "surrogateescape"))
    rest = source[at:]
    if rest and rest != [b""]:
        return b"\n".join([*out, *rest])
    ending = b"" if ends_bare or not out else b"\n"
    return b"\n".join(out) + ending if out or joined else b""


def test_a_text_diff_reads_as_git_shows_it(tmp_path: Path) -> None:
    old = b"".join(b"line %d\n" % number for number in range(40))
    new = old.replace(b"line 5\n", b"five\n").replace(b"line 30\n", b"").replace(b"line 39\n", b"last")
    (tmp_path / "a").write_bytes(old)
    (tmp_path / "b").write_bytes(new)
    by_git = subprocess.run(
        ["git", "diff", "--no-index", "--no-color", "a", "b"], cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout
    ours = [line for line in diffed(old, new).text.split("\n") if not line.startswith(("---", "+++"))]
    theirs = by_git.rstrip("\n").split("\n")[4:]
    assert [line.split(" @@")[0] for line in ours] == [line.split(" @@")[0] for line in theirs]


def test_what_is_no_text_or_too_much_is_said_not_shown() -> None:
    assert diffed(b"a\0b", b"c") == TextDiff(binary=True)
    assert diffed(b"x" * 3_000_000, b"y") == TextDiff(too_large=True)
    cut = diffed(b"", b"line\n" * 500, most_lines=10)
    assert (cut.cut, cut.added, len(cut.text.split("\n"))) == (True, 500, 10)


def test_two_texts_that_have_nothing_in_common_take_no_time() -> None:
    old = b"".join(b"%d\n" % (number % 7) for number in range(60_000))
    new = b"".join(b"%d\n" % (number % 5) for number in range(60_000))
    found = diffed(old, new)
    assert found.added > 59_000
