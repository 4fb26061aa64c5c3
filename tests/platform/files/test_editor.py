import json
import os
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.errors import FileBroken, FileBusy, FileRefused, FileUnavailable
from claude_code_mcp.platform.files.json_text import set_value

OLD = '{\n  "kept": 1\n}\n'
NEW = '{\n  "kept": 1,\n  "new": 2\n}\n'

KILLED_AT = """
import os, sys
from pathlib import Path
from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.json_text import set_value

path, at, peer = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "peer"
planned = editor.plan(path, lambda text: set_value(text, ["new"], 2))
seen = 0

def count(event, args):
    global seen
    if event in {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir", "os.listdir"}:
        seen += 1
        if seen == at:
            os.kill(os.getpid(), 9)

sys.addaudithook(count)
editor.apply(planned, peer=peer)
"""

MANY = """
import sys
from pathlib import Path
from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.json_text import set_value

for number in range(20):
    key = f"{sys.argv[2]}-{number}"
    planned = editor.plan(Path(sys.argv[1]), lambda text: set_value(text, [key], number))
    editor.apply(planned)
"""


def add(text: str) -> str:
    return set_value(text, ["new"], 2)


def leftovers(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir() if entry.name != "f.json")


def identity(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written; reading it changes its atime alone."""
    info = path.stat()
    return info.st_ino, info.st_mtime_ns, info.st_mode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "place" / "f.json"
    path.parent.mkdir()
    path.write_text(OLD)
    path.chmod(0o640)
    return path


def test_a_plan_shows_the_change_and_touches_nothing(path: Path) -> None:
    before = identity(path)
    planned = editor.plan(path, add)
    assert planned.changed
    assert planned.diff() == (
        f'--- {path}\n+++ {path}\n@@ -1,3 +1,4 @@\n {{\n-  "kept": 1\n+  "kept": 1,\n+  "new": 2\n }}\n'
    )
    assert identity(path) == before
    assert leftovers(path.parent) == []


def test_applying_writes_the_plan_and_keeps_the_mode(path: Path) -> None:
    done = editor.apply(editor.plan(path, add))
    assert done.wrote
    assert path.read_text() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert leftovers(path.parent) == []


def test_without_a_change_nothing_is_written(path: Path) -> None:
    editor.apply(editor.plan(path, add))
    before = identity(path)
    planned = editor.plan(path, add)
    assert not planned.changed
    assert planned.diff() == ""
    assert not editor.apply(planned).wrote
    assert identity(path) == before


def test_a_missing_file_is_made_private_with_its_directories(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        path = tmp_path / "a" / "b" / "f.json"
        planned = editor.plan(path, add)
        assert planned.diff().startswith("--- /dev/null\n")
        assert not path.parent.exists()
        editor.apply(planned)
    finally:
        os.umask(umask)
    assert json.loads(path.read_text()) == {"new": 2}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_linked_file_is_edited_behind_its_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to("place/f.json")
    editor.apply(editor.plan(link, add))
    assert os.readlink(link) == "place/f.json"
    assert path.read_text() == NEW
    assert leftovers(path.parent) == []


def test_a_link_to_nothing_gets_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to("target.json")
    editor.apply(editor.plan(link, add))
    assert link.is_symlink()
    assert json.loads((tmp_path / "target.json").read_text()) == {"new": 2}


def test_a_backup_holds_the_old_text_for_us_alone(path: Path) -> None:
    done = editor.apply(editor.plan(path, add), backup=True)
    assert done.backup is not None
    assert done.backup.parent == path.parent
    assert done.backup.read_text() == OLD
    assert stat.S_IMODE(done.backup.stat().st_mode) == 0o600


def test_what_another_program_wrote_between_plan_and_apply_survives(path: Path) -> None:
    planned = editor.plan(path, add)
    path.write_text('{"theirs": true}')
    done = editor.apply(planned)
    assert json.loads(path.read_text()) == {"theirs": True, "new": 2}
    assert done.plan.before == '{"theirs": true}'


def test_what_another_program_writes_during_the_edit_survives(path: Path) -> None:
    calls = 0

    def interrupted(text: str) -> str:
        nonlocal calls
        calls += 1
        if calls == 2:
            path.write_text('{"theirs": true}')
        return add(text)

    editor.apply(editor.plan(path, interrupted))
    assert calls == 3
    assert json.loads(path.read_text()) == {"theirs": True, "new": 2}
    assert leftovers(path.parent) == []


def test_a_file_that_never_rests_is_reported_and_left(path: Path) -> None:
    calls = 0

    def chased(text: str) -> str:
        nonlocal calls
        calls += 1
        path.write_text(json.dumps({"theirs": calls}))
        return add(text)

    with pytest.raises(FileBusy):
        editor.apply(editor.plan(path, chased))
    assert json.loads(path.read_text()) == {"theirs": calls}
    assert leftovers(path.parent) == []


def test_processes_that_edit_at_once_all_get_their_word_in(path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MANY, str(path), name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    expected = {"kept": 1} | {f"{name}-{number}": number for name in "abc" for number in range(20)}
    assert json.loads(path.read_text()) == expected
    assert leftovers(path.parent) == []


@pytest.mark.parametrize("peer", ["alone", "peer"])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_file(path: Path, peer: str) -> None:
    outcomes = []
    for at in range(1, 60):
        path.write_text(OLD)
        child = subprocess.run([sys.executable, "-c", KILLED_AT, str(path), str(at), peer], check=False, timeout=60)
        outcomes.append(path.read_text())
        assert outcomes[-1] in {OLD, NEW}
        if (lock := path.with_name("f.json.lock")).exists():
            os.utime(lock, (0, 0))
        editor.apply(editor.plan(path, partial(set_value, path=["after"], value=at)), peer=True)
        assert leftovers(path.parent) == []
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        if child.returncode == 0:
            break
        assert child.returncode == -9
    else:
        pytest.fail("the edit never came to its end")
    assert {OLD, NEW} == set(outcomes)


@pytest.mark.parametrize("text", ['{"a": ', '{"a": 1,}', "[]"])
def test_broken_json_is_refused_with_its_place(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(FileBroken) as caught:
        editor.plan(path, add)
    assert str(path) in caught.value.message
    assert caught.value.details["line"] == 1
    assert path.read_text() == text


def test_a_file_that_breaks_between_plan_and_apply_is_left(path: Path) -> None:
    planned = editor.plan(path, add)
    path.write_text("{")
    with pytest.raises(FileBroken):
        editor.apply(planned)
    assert path.read_text() == "{"
    assert leftovers(path.parent) == []


def test_things_that_are_no_text_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe{}")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "read-only").write_text("{}")
    (tmp_path / "read-only").chmod(0o444)
    for name in ("fifo", "directory", "binary", "circle", "read-only", "binary/below"):
        with pytest.raises(FileRefused):
            editor.plan(tmp_path / name, add)


def test_a_file_beyond_the_limit_is_refused(path: Path) -> None:
    with pytest.raises(FileRefused, match="more than the 10"):
        editor.plan(path, add, limit_bytes=10)


def test_a_huge_file_is_edited_and_its_diff_is_short(path: Path) -> None:
    known = {f"project-{number}": {"history": ["x" * 90] * 10} for number in range(10_000)}
    path.write_text(json.dumps(known, indent=2))
    planned = editor.plan(path, lambda text: set_value(text, ["project-5000", "new"], 2))
    editor.apply(planned)
    known["project-5000"]["new"] = 2  # type: ignore[assignment]  # the added value is of another kind on purpose
    assert json.loads(path.read_text()) == known
    assert len(planned.diff()) < 2000
    assert '+    "new": 2\n' in planned.diff()


def test_one_endless_line_is_not_shown_whole(path: Path) -> None:
    path.write_text(json.dumps({"secret": "s" * 100_000}))
    diff = editor.plan(path, add).diff()
    assert len(diff) < 3000
    assert "\\ No newline at end of file" in diff


def test_a_disk_that_refuses_costs_nothing(path: Path) -> None:
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from claude_code_mcp.platform.files import editor, errors\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n    editor.apply(editor.plan(Path(sys.argv[1]), lambda text: text + ' ' * 200))\n"
        "except errors.FileUnavailable as exc:\n    sys.exit(7)\n"
    )
    child = subprocess.run([sys.executable, "-B", "-c", script, str(path)], check=False, timeout=60)
    assert child.returncode == 7
    assert FileUnavailable.code == "file_unavailable"
    assert path.read_text() == OLD
    assert leftovers(path.parent) == []


def test_reading_a_missing_file_gives_nothing(tmp_path: Path) -> None:
    assert editor.read_text(tmp_path / "absent") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_keeps_the_owner_of_a_file(path: Path) -> None:
    os.chown(path, 12345, 23456)
    editor.apply(editor.plan(path, add))
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_somebody_else_is_refused(short_tmp: Path) -> None:
    short_tmp.chmod(0o777)  # where everybody may go; the directories above a test's own may be closed to others
    path = short_tmp / "f.json"
    path.write_text(OLD)
    path.chmod(0o666)
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from claude_code_mcp.platform.files import editor, errors\n"
        "from claude_code_mcp.platform.files.json_text import set_value\n"
        "os.setuid(12345)\n"
        "try:\n    editor.plan(Path(sys.argv[1]), lambda text: text + ' ')\n"
        "except errors.FileRefused as exc:\n    sys.exit(7 if 'belongs to user id 0' in str(exc) else 8)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60).returncode == 7
