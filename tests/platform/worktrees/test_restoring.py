"""What a restore plans, asks consent for and leaves alone, and what happens when others write meanwhile."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from claude_code_mcp.platform.worktrees.errors import RestoreBlocked, RestoreConflict, TreeMoved
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions
from claude_code_mcp.platform.worktrees.plan import Action, RestoreWish
from claude_code_mcp.platform.worktrees.restoring import Consent, Restored
from tests.platform.worktrees.trees import Vault, clear, make, seen


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "home").mkdir(mode=0o700)
    return Vault(tmp_path / "home", tmp_path / "tree")


def test_a_plan_says_what_will_be_done_and_changes_nothing(vault: Vault) -> None:
    make(vault.root, {b"changed": b"1", b"gone/x": b"2", b"run": (b"3", 0o755), b"same": b"4"})
    digest = vault.take()
    clear(vault.root / "gone")
    (vault.root / "gone").rmdir()
    (vault.root / "changed").write_bytes(b"other")
    (vault.root / "run").chmod(0o644)
    make(vault.root, {b"extra/y": b"5"})
    before = seen(vault.root)
    plan = vault.plan(digest)
    assert {change.path: change.action for change in plan.changes} == {
        b"changed": Action.CHANGE, b"gone": Action.CREATE, b"gone/x": Action.CREATE, b"run": Action.ATTRIBUTES,
        b"extra": Action.DELETE, b"extra/y": Action.DELETE,
    }  # fmt: skip
    assert seen(vault.root) == before
    assert not plan.empty
    vault.restore(digest)
    assert vault.plan(digest).empty


def test_the_times_and_modes_of_files_and_folders_come_back(vault: Vault) -> None:
    make(vault.root, {b"dir/inner/file": b"1", b"dir/other": b"2"})
    for number, name in enumerate(("dir/inner/file", "dir/other", "dir/inner", "dir")):
        os.utime(vault.root / name, ns=(0, 1_500_000_000_123_456_789 + number))
    (vault.root / "dir/inner").chmod(0o750)
    digest = vault.take()
    looks = {path: (path.stat().st_mode, path.stat().st_mtime_ns) for path in vault.root.rglob("*")}
    clear(vault.root)
    vault.restore(digest)
    assert {path: (path.stat().st_mode, path.stat().st_mtime_ns) for path in vault.root.rglob("*")} == looks
    (vault.root / "dir/inner").chmod(0o700)
    (vault.root / "dir/inner/file").write_bytes(b"other")
    (vault.root / "dir/new").write_bytes(b"other")
    vault.restore(digest)
    assert {path: (path.stat().st_mode, path.stat().st_mtime_ns) for path in vault.root.rglob("*")} == looks


def test_folders_that_may_not_be_written_are_no_obstacle(vault: Vault) -> None:
    make(vault.root, {b"locked/in/file": b"1", b"locked/gone": b"2"})
    (vault.root / "locked/in").chmod(0o555)
    (vault.root / "locked").chmod(0o555)
    digest = vault.take()
    before = seen(vault.root)
    (vault.root / "locked").chmod(0o755)
    (vault.root / "locked/gone").unlink()
    (vault.root / "locked/in/file").write_bytes(b"changed")
    make(vault.root, {b"locked/extra": b"3"})
    (vault.root / "locked").chmod(0o555)
    assert vault.restore(digest).failed == ()
    assert seen(vault.root) == before
    (vault.root / "locked").chmod(0o755)
    (vault.root / "locked/in").chmod(0o755)


def test_only_the_paths_that_were_asked_for_are_restored(vault: Vault) -> None:
    make(vault.root, {b"a/x": b"1", b"a/y": b"2", b"ab": b"3", b"c": b"4"})
    digest = vault.take()
    clear(vault.root)
    make(vault.root, {b"a2": b"stays", b"c": b"edited"})
    vault.restore(digest, RestoreWish(paths=(b"a/x",)))
    assert seen(vault.root, times=False).keys() == {b"a", b"a/x", b"a2", b"c"}
    vault.restore(digest, RestoreWish(paths=(b"a", b"ab")))
    assert seen(vault.root, times=False).keys() == {b"a", b"a/x", b"a/y", b"a2", b"ab", b"c"}
    assert (vault.root / "c").read_bytes() == b"edited"
    make(vault.root, {b"a/new": b"5"})
    vault.restore(digest, RestoreWish(delete=False))
    assert (vault.root / "a/new").exists()
    assert (vault.root / "c").read_bytes() == b"4"


def test_what_was_changed_since_the_known_state_is_a_conflict_until_it_is_agreed_to(vault: Vault) -> None:
    make(vault.root, {b"mine": b"1", b"theirs": b"1"})
    digest = vault.take()
    (vault.root / "mine").write_bytes(b"known change")
    known = vault.manifest(vault.take())
    (vault.root / "theirs").write_bytes(b"unknown change")
    make(vault.root, {b"added": b"unknown"})
    before = seen(vault.root)
    plan = vault.plan(digest, RestoreWish(known=known))
    assert plan.conflicts == (b"added", b"theirs")
    with pytest.raises(RestoreConflict, match="added"):
        vault.carry_out(plan)
    assert seen(vault.root) == before
    vault.carry_out(plan, Consent(conflicts=True))
    assert {path: look[2] for path, look in seen(vault.root).items() if isinstance(look, tuple)} == {
        b"mine": b"1", b"theirs": b"1",
    }  # fmt: skip


def test_what_is_ignored_is_never_touched(vault: Vault) -> None:
    vault.ignore = IgnoreOptions()
    make(vault.root, {b"src/a.py": b"1", b".git/HEAD": b"ref: x", b".gitignore": b"*.log\n"})
    digest = vault.take()
    make(vault.root, {b"run.log": b"log", b"src/b.py": b"2", b"src/deep/debug.log": b"log", b"node_modules/x": b"3"})
    vault.restore(digest)
    assert seen(vault.root, times=False).keys() == {
        b".git", b".git/HEAD", b".gitignore", b"node_modules", b"node_modules/x", b"run.log", b"src", b"src/a.py",
        b"src/deep", b"src/deep/debug.log",
    }  # fmt: skip


def test_what_the_checkpoint_ignored_stays_although_it_is_not_ignored_any_more(vault: Vault) -> None:
    vault.ignore = IgnoreOptions()
    make(
        vault.root, {b".git/HEAD": b"ref: x", b".gitignore": b"*.db\nlogs/\n", b"data.db": b"precious", b"logs/1": b"2"}
    )
    digest = vault.take()
    (vault.root / ".gitignore").unlink()
    make(vault.root, {b"new.txt": b"3"})
    plan = vault.plan(digest)
    assert [one.path for one in plan.kept] == [b"data.db", b"logs", b"logs/1"]
    vault.carry_out(plan)
    assert (vault.root / "data.db").read_bytes() == b"precious"
    assert (vault.root / "logs/1").exists()
    assert not (vault.root / "new.txt").exists()


def test_a_file_that_is_ignored_now_comes_back_if_the_checkpoint_has_it(vault: Vault) -> None:
    vault.ignore = IgnoreOptions()
    make(vault.root, {b".git/HEAD": b"ref: x", b"conf/app.ini": b"as it was"})
    digest = vault.take()
    (vault.root / "conf/app.ini").write_bytes(b"edited")
    (vault.root / ".gitignore").write_text("conf\n")
    vault.restore(digest)
    assert (vault.root / "conf/app.ini").read_bytes() == b"as it was"
    assert not (vault.root / ".gitignore").exists()


def test_a_folder_with_something_ignored_in_it_does_not_make_room(vault: Vault) -> None:
    vault.ignore = IgnoreOptions()
    make(vault.root, {b".git/HEAD": b"ref: x", b"thing": b"a file"})
    digest = vault.take()
    (vault.root / "thing").unlink()
    make(vault.root, {b"thing/code": b"1", b"thing/node_modules/x": b"2"})
    plan = vault.plan(digest)
    assert [one.path for one in plan.blocked] == [b"thing/node_modules"]
    with pytest.raises(RestoreBlocked):
        vault.carry_out(plan)
    assert (vault.root / "thing/code").exists()


def test_a_file_that_is_edited_between_the_plan_and_the_restore_stops_it(vault: Vault) -> None:
    make(vault.root, {b"a": b"1", b"b": b"2"})
    digest = vault.take()
    make(vault.root, {b"a": b"edited", b"extra": b"x"})
    for name, data in (("a", b"again!"), ("extra", b"y"), ("b", None)):
        (vault.root / "b").unlink(missing_ok=True)
        plan = vault.plan(digest)
        if data is None:
            make(vault.root, {b"b": b"came back"})
        else:
            (vault.root / name).write_bytes(data)
        before = seen(vault.root)
        with pytest.raises(TreeMoved, match=name):
            vault.carry_out(plan)
        assert seen(vault.root) == before
    assert list(vault.journals.glob("*.restore")) == []


def test_a_restore_beside_a_busy_writer_loses_none_of_its_last_words(vault: Vault) -> None:
    """Whatever the writer wrote last to a path is there, or the checkpoint's content is, or it was rescued."""
    make(vault.root, {b"f%d" % number: b"old" * 50 for number in range(40)})
    digest = vault.take()
    for number in range(40):
        (vault.root / f"f{number}").write_bytes(b"edited")
    over = threading.Event()
    written: dict[int, bytes] = {}

    def write() -> None:
        count = 0
        while not over.is_set():
            count += 1
            number = count % 40
            temporary = vault.home / "temporary"
            temporary.write_bytes(b"words %d" % count)
            temporary.rename(vault.root / f"f{number}")
            written[number] = b"words %d" % count

    outcomes: list[Restored | TreeMoved] = []
    for _ in range(5):
        plan = None
        while plan is None:
            try:
                plan = vault.plan(digest)
            except TreeMoved:
                continue
        writer = threading.Thread(target=write)
        writer.start()
        try:
            outcomes.append(vault.carry_out(plan))
        except TreeMoved as moved:
            outcomes.append(moved)
        finally:
            over.set()
            writer.join()
            over.clear()
    assert outcomes
    for path in vault.root.glob("f*"):
        assert path.read_bytes() == b"old" * 50 or path.read_bytes().startswith((b"words", b"edited"))


_CHILD = """
import sys
from pathlib import Path
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from tests.platform.worktrees.trees import Vault
vault = Vault(Path(sys.argv[1]), Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for target in sys.argv[3:] * 4:
    try:
        vault.cache = None
        vault.restore(bytes.fromhex(target))
        print("done", flush=True)
    except ClaudeCodeMcpError as exc:
        print(exc.code, flush=True)
"""


def test_of_two_processes_that_restore_at_once_each_restores_whole_or_is_told(vault: Vault) -> None:
    digests = []
    states = []
    for version in (b"one", b"two"):
        clear(vault.root)
        make(vault.root, {b"d%d/f%d" % (number % 5, number): version * 30 for number in range(60)})
        digests.append(vault.take().hex())
        states.append(seen(vault.root))
    command = [sys.executable, "-c", _CHILD, str(vault.home), str(vault.root)]
    children = [
        subprocess.Popen([*command, *order], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for order in (digests, digests[::-1])
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    said = [child.communicate("go\n", timeout=60)[0].split() for child in children]
    assert {child.returncode for child in children} == {0}
    assert {word for words in said for word in words} <= {"done", "tree_busy", "tree_moved"}
    assert "done" in said[0] + said[1]
    assert seen(vault.root) in states, "never a mix of both"
    assert list(vault.journals.glob("*.restore")) == []


def test_a_restore_into_an_empty_folder_elsewhere_makes_a_copy(vault: Vault, tmp_path: Path) -> None:
    make(vault.root, {b"a/b": (b"1", 0o755), b"c": b"2", b"link": "a/b", b"e": None})
    digest = vault.take()
    before = seen(vault.root)
    other = Vault(vault.home, tmp_path / "fork")
    other.restore(digest)
    assert seen(other.root) == before
    assert stat.S_IMODE((other.root / "a/b").stat().st_mode) == 0o755
