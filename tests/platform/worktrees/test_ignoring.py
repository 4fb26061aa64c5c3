"""What is left out is what git leaves out, to the name; and what overrides that."""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions, Secrets
from claude_code_mcp.platform.worktrees.looked import Scan, ScanOptions
from claude_code_mcp.platform.worktrees.models import Kind
from claude_code_mcp.platform.worktrees.rooted import open_root
from claude_code_mcp.platform.worktrees.scan import scan_tree

AS_GIT = IgnoreOptions(defaults=False, secrets=Secrets.AS_GIT)
NAMES = ["a", "b", "ab", "foo", "bar", "foo.o", "a.c", "B", "x y", "[a]", "a*", ".e", "é", "#c", "!n", "t ", "\\q"]
PIECES = [
    "a", "b", "*", "**", "?", "[ab]", "[!a]", "[a-c]", "foo", "bar", ".o", "*.c", "\\*", "\\[", "[[:alpha:]]", "[",
    "ab",
    "é", "B", "\\#", "\\!", " ", "x y", "[^b]", "[]-]", "[a\\]]", "***", "\\ ", "[[:upper:]", "[[:nope:]]",
    "[b-]", "\\",
]  # fmt: skip
components = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join)
lines = st.tuples(
    st.sampled_from(["", "", "", "!", "#"]),
    st.sampled_from(["", "", "/"]),
    st.lists(components, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "/", " ", "\r", "\t"]),
).map("".join)
ignore_files = st.lists(lines, min_size=1, max_size=5).map(lambda found: "\n".join(found) + "\n")
places = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
LONG = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(autouse=True)
def _own_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True).stdout


def by_git(folder: Path) -> list[bytes]:
    listed = git(folder, "ls-files", "-co", "-z", "--exclude-standard")
    return sorted({path for path in listed.split(b"\0") if path and os.path.lexists(os.fsencode(folder) + b"/" + path)})


def scanned(folder: Path, options: IgnoreOptions = AS_GIT, also: Iterable[bytes] = ()) -> Scan:
    fd = open_root(folder)
    try:
        return scan_tree(fd, os.fsencode(folder), ScanOptions(ignore=options, also=frozenset(also)))
    finally:
        os.close(fd)


def kept(folder: Path, options: IgnoreOptions = AS_GIT, also: Iterable[bytes] = ()) -> list[bytes]:
    scan = scanned(folder, options, also)
    links = [entry.path for entry in scan.entries if entry.kind == Kind.LINK]
    return sorted([one.path for one in scan.pending] + links)


def lay(root: Path, files: Iterable[str], text: str = "") -> None:
    for name in files:
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue


def lay_rules(root: Path, rules: Iterable[tuple[str, str]]) -> None:
    for folder, text in rules:
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_text(text)


nested_rules = st.lists(st.tuples(places | st.just("."), ignore_files), min_size=1, max_size=4)


@LONG
@given(st.lists(places, min_size=3, max_size=25), nested_rules, ignore_files | st.none())
def test_nested_ignore_files_mean_what_they_mean_to_git(
    files: list[str], rules: list[tuple[str, str]], info: str | None
) -> None:
    with tempfile.TemporaryDirectory() as home:
        root = Path(home)
        git(root, "init", "-q")
        lay(root, files)
        lay_rules(root, rules)
        if info is not None:
            (root / ".git/info/exclude").write_text(info)
        assert kept(root) == by_git(root)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(places, min_size=3, max_size=25), nested_rules, ignore_files, st.booleans())
def test_other_places_and_case_mean_what_they_mean_to_git(
    files: list[str], rules: list[tuple[str, str]], excludes: str, fold: bool
) -> None:
    with tempfile.TemporaryDirectory() as home:
        root = Path(home) / "tree"
        root.mkdir()
        git(root, "init", "-q")
        lay(root, files)
        lay_rules(root, rules)
        (Path(home) / "my ignores").write_text(excludes)
        git(root, "config", "core.excludesFile", str(Path(home) / "my ignores"))
        git(root, "config", "core.ignoreCase", str(fold).lower())
        assert kept(root) == by_git(root)
        for inner in [entry for entry in root.iterdir() if entry.is_dir() and entry.name != ".git"][:2]:
            if subprocess.run(["git", "check-ignore", "-q", str(inner)], cwd=root, check=False).returncode:
                assert kept(inner) == by_git(inner), "a folder of a repository has the rules of the whole"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(places, min_size=3, max_size=20), nested_rules, st.sampled_from([2, 3, 4]))
def test_what_git_tracks_is_kept_although_it_is_ignored(
    files: list[str], rules: list[tuple[str, str]], version: int
) -> None:
    with tempfile.TemporaryDirectory() as home:
        root = Path(home)
        git(root, "init", "-q")
        lay(root, files)
        tracked = [path for path in sorted(root.rglob("*")) if path.is_file() and ".git" not in path.parts][::2]
        for path in tracked:
            git(root, "add", "-f", "--", f":(literal){path.relative_to(root)}")
        git(root, "update-index", "--index-version", str(version))
        lay_rules(root, rules)
        assert kept(root) == by_git(root)


def test_a_repository_in_the_tree_has_its_own_rules(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, ["x.log", "inner/x.log", "inner/y.tmp"])
    git(tmp_path / "inner", "init", "-q")
    lay_rules(tmp_path, [(".", "*.log\n"), ("inner", "*.tmp\n")])
    assert kept(tmp_path) == [b".gitignore", b"inner/.gitignore", b"inner/x.log"]
    assert kept(tmp_path / "inner") == by_git(tmp_path / "inner")


def test_an_ignore_file_that_is_a_link_is_not_followed_just_as_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, ["x.log", "rules"], "*.log\n")
    (tmp_path / ".gitignore").symlink_to("rules")
    assert kept(tmp_path) == by_git(tmp_path) == [b".gitignore", b"rules", b"x.log"]


def test_hostile_patterns_cost_no_time(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, ["a" * 200, "b/" + "a" * 200])
    rules = "\n".join(["*a" * 80 + "b", "**/" * 60 + "x", "[" * 500, "?*" * 100 + "z"] * 50)
    (tmp_path / ".gitignore").write_text(rules)
    assert kept(tmp_path) == sorted([b".gitignore", b"a" * 200, b"b/" + b"a" * 200])


def test_defaults_leave_out_what_can_be_made_again_and_say_so(tmp_path: Path) -> None:
    lay(tmp_path, ["src/a.py", "node_modules/x/y.js", "src/__pycache__/a.pyc", "build/out.o", ".git/config"])
    scan = scanned(tmp_path, IgnoreOptions())
    assert [one.path for one in scan.pending] == [b"src/a.py"]
    assert {(one.reason, one.count) for one in scan.left_out} == {("defaults", 3), (".git", 1)}
    assert {path for one in scan.left_out for path in one.examples} == {
        b"node_modules", b"src/__pycache__", b"build", b".git",
    }  # fmt: skip


def test_a_project_takes_back_a_default_in_its_own_files(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, ["build/a", "dist/b", "target/c"])
    (tmp_path / ".gitignore").write_text("!build/\n")
    (tmp_path / ".checkpointignore").write_text("!dist\n*.tmp\n")
    lay(tmp_path, ["x.tmp"])
    assert kept(tmp_path, IgnoreOptions()) == [b".checkpointignore", b".gitignore", b"build/a", b"dist/b"]


def test_our_own_ignore_file_is_stronger_than_gits_and_nests(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, ["keep.log", "other.log", "in/deep.log", "in/x"])
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / ".checkpointignore").write_text("!keep.log\n")
    (tmp_path / "in/.checkpointignore").write_text("x\n!deep.log\n")
    assert kept(tmp_path) == [b".checkpointignore", b".gitignore", b"in/.checkpointignore", b"in/deep.log", b"keep.log"]


@pytest.mark.parametrize(
    ("policy", "found"), [(Secrets.KEEP, True), (Secrets.AS_GIT, False), (Secrets.LEAVE_OUT, False)]
)
def test_secrets_are_kept_left_out_or_treated_as_git_does(tmp_path: Path, policy: Secrets, found: bool) -> None:
    git(tmp_path, "init", "-q")
    lay(tmp_path, [".env", "app/.env.local"])
    (tmp_path / ".gitignore").write_text(".env*\n")
    names = kept(tmp_path, IgnoreOptions(secrets=policy))
    assert names == ([b".env", b".gitignore", b"app/.env.local"] if found else [b".gitignore"])


def test_what_is_asked_for_is_taken_whatever_else_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay(
        tmp_path,
        ["node_modules/pkg/a.js", "node_modules/pkg/b.js", "node_modules/other/c.js", "out/log/1", "notes.log"],
    )
    (tmp_path / ".gitignore").write_text("out\n*.log\n")
    options = IgnoreOptions(include=("node_modules/pkg/", "out/log/*", "*.log"))
    assert kept(tmp_path, options) == [
        b".gitignore", b"node_modules/pkg/a.js", b"node_modules/pkg/b.js", b"notes.log", b"out/log/1",
    ]  # fmt: skip
    assert kept(tmp_path, IgnoreOptions(exclude=("*.js", "out")), also=[b"out/log/1"]) == [b".gitignore", b"out/log/1"]
