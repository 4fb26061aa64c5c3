"""Creating and restoring through a real daemon: what comes back, what is kept, what is refused."""

import json
import os
import time
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs.identity import identity_of
from tests.features.checkpoints.looking import seen
from tests.support.daemon import CallFailed, Terminal


def test_a_restore_brings_back_every_byte_and_keeps_what_was_there(terminal: Terminal, folder: Path) -> None:
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("README.md")
    (folder / "empty").mkdir()
    before = seen(folder)
    first = terminal.call("checkpoints.create", message="whole")

    (folder / "src" / "app.py").write_text("print('two')\n")
    (folder / "README.md").unlink()
    (folder / "link").unlink()
    (folder / "run.sh").chmod(0o644)
    (folder / "empty").rmdir()
    (folder / "new.txt").write_text("new")
    changed = seen(folder)
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"], project_path=str(folder))

    assert seen(folder) == before
    assert reply["restored_files"] == len(reply["changes"]) == 6
    assert {item["path"]: item["change"] for item in reply["changes"]} == {
        "README.md": "create", "empty": "create", "link": "create", "new.txt": "delete",
        "run.sh": "attributes", "src/app.py": "change",
    }  # fmt: skip
    assert reply["conflicts"] == ["new.txt", "run.sh", "src/app.py"]
    backup = terminal.call("checkpoints.show", checkpoint_id=reply["backup_id"])
    assert (backup["trigger"], backup["parent_id"]) == ("safety", first["id"])
    terminal.call("checkpoints.restore", checkpoint_id=reply["backup_id"])
    assert seen(folder) == changed


def test_a_dry_run_says_what_would_be_done_and_does_nothing(terminal: Terminal, folder: Path) -> None:
    first = terminal.call("checkpoints.create", message="whole")
    (folder / "src" / "app.py").write_text("print('two')\n")
    before = seen(folder)
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"], dry_run=True)
    assert seen(folder) == before
    assert [(item["path"], item["change"]) for item in reply["changes"]] == [("src/app.py", "change")]
    assert reply["dry_run"]
    assert reply["backup_id"] is None
    assert len(terminal.call("checkpoints.list")["items"]) == 1
    assert reply["_text"].startswith(f"Would restore {first['id']}")


@pytest.mark.parametrize("wish", [{"dry_run": True}, {"create_backup": False, "force": True}])
def test_a_restore_of_named_paths_sees_what_happened_there_and_nowhere_else(
    terminal: Terminal, folder: Path, wish: dict[str, bool]
) -> None:
    for name in ("deep/er/kept.txt", "deep/er/gone.txt", "deep/later.txt", "lost/all.txt", "other/x.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    first = terminal.call("checkpoints.create", message="whole")
    (folder / "deep" / "er" / "gone.txt").unlink()
    (folder / "deep" / "er" / "kept.txt").write_text("changed")
    (folder / "deep" / "er" / "fresh").mkdir()
    (folder / "deep" / "er" / "fresh" / "new.txt").write_text("new")
    (folder / "deep" / "er" / ".gitignore").write_text("kept.txt\nlog.txt\n")
    (folder / "deep" / "er" / "log.txt").write_text("ignored")
    (folder / "deep" / "later.txt").write_text("later")
    (folder / "lost" / "all.txt").unlink()
    (folder / "lost").rmdir()
    (folder / "other" / "x.txt").write_text("left alone")
    paths = ["deep/er", "lost/all.txt"]
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"], paths=paths, allow_config=True, **wish)
    assert {item["path"]: item["change"] for item in reply["changes"]} == {
        "deep/er/.gitignore": "delete", "deep/er/fresh": "delete", "deep/er/fresh/new.txt": "delete",
        "deep/er/gone.txt": "create", "deep/er/kept.txt": "change", "lost": "create", "lost/all.txt": "create",
    }  # fmt: skip
    assert (folder / "other" / "x.txt").read_text() == "left alone"
    assert (folder / "deep" / "er" / "log.txt").read_text() == "ignored"


def test_only_the_named_paths_are_restored_and_the_project_stands_where_it_stood(
    terminal: Terminal, folder: Path
) -> None:
    first = terminal.call("checkpoints.create", message="one")
    (folder / "src" / "app.py").write_text("print('two')\n")
    (folder / "README.md").write_text("Changed.\n")
    second = terminal.call("checkpoints.create", message="two")
    terminal.call("checkpoints.restore", checkpoint_id=first["id"], paths=["src"])
    assert (folder / "src" / "app.py").read_text() == "print('one')\n"
    assert (folder / "README.md").read_text() == "Changed.\n"
    assert terminal.call("checkpoints.timeline")["current"] == second["id"]


def test_nothing_changed_is_the_checkpoint_that_is_there_unless_a_new_one_is_wanted(terminal: Terminal) -> None:
    first = terminal.call("checkpoints.create", message="one")
    again = terminal.call("checkpoints.create", message="again")
    assert (again["id"], again["unchanged"], first["unchanged"]) == (first["id"], True, False)
    new = terminal.call("checkpoints.create", message="again", always=True)
    assert new["id"] != first["id"]
    assert new["parent_id"] == first["id"]


def test_after_a_restore_the_next_checkpoint_begins_a_branch(terminal: Terminal, folder: Path) -> None:
    ids = []
    for text in ("one", "two"):
        (folder / "README.md").write_text(text)
        ids.append(terminal.call("checkpoints.create", message=text)["id"])
    terminal.call("checkpoints.restore", checkpoint_id=ids[0])
    (folder / "README.md").write_text("three")
    third = terminal.call("checkpoints.create", message="three")
    assert third["parent_id"] == ids[0]
    timeline = terminal.call("checkpoints.timeline")
    assert [(item["checkpoint"]["message"], item["depth"]) for item in timeline["items"]] == [
        ("one", 0),
        ("two", 1),
        ("three", 0),
    ]
    assert timeline["current"] == third["id"]


def test_redo_takes_restores_back_one_after_the_other(terminal: Terminal, folder: Path) -> None:
    ids = []
    for text in ("one", "two", "three"):
        (folder / "README.md").write_text(text)
        ids.append(terminal.call("checkpoints.create", message=text)["id"])
    (folder / "README.md").write_text("not kept by anybody")
    terminal.call("checkpoints.restore", checkpoint_id=ids[1])
    terminal.call("checkpoints.restore", checkpoint_id=ids[0])
    assert (folder / "README.md").read_text() == "one"
    terminal.call("checkpoints.redo")
    assert (folder / "README.md").read_text() == "two"
    terminal.call("checkpoints.redo")
    assert (folder / "README.md").read_text() == "not kept by anybody"
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.redo")
    assert refused.value.code == "nothing_to_redo"


def test_files_that_can_run_something_need_consent_and_are_named(terminal: Terminal, folder: Path) -> None:
    (folder / ".claude").mkdir()
    (folder / ".claude" / "settings.json").write_text(json.dumps({"hooks": {}}))
    first = terminal.call("checkpoints.create", message="with hooks")
    (folder / ".claude" / "settings.json").unlink()
    (folder / "README.md").write_text("changed")
    before = seen(folder)
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert refused.value.code == "configuration_change"
    assert refused.value.error["details"]["paths"] == [".claude/settings.json"]
    assert seen(folder) == before
    assert len(terminal.call("checkpoints.list")["items"]) == 1  # a refused restore leaves no safety checkpoint
    assert terminal.call("checkpoints.timeline")["current"] == first["id"]
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"], allow_config=True)
    assert [item["path"] for item in reply["executable"]] == [".claude/settings.json"]
    assert (folder / ".claude" / "settings.json").exists()


def test_without_a_backup_changes_that_nobody_keeps_are_a_conflict(terminal: Terminal, folder: Path) -> None:
    first = terminal.call("checkpoints.create", message="one")
    (folder / "README.md").write_text("precious")
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=first["id"], create_backup=False)
    assert refused.value.code == "restore_conflict"
    assert (folder / "README.md").read_text() == "precious"
    terminal.call("checkpoints.restore", checkpoint_id=first["id"], create_backup=False, force=True)
    assert (folder / "README.md").read_text() == "Read me.\n"


def test_a_checkpoint_of_another_project_is_not_restored_here(terminal: Terminal, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a").write_text("a")
    theirs = terminal.call("checkpoints.create", project_path=str(other))
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=theirs["id"])
    assert refused.value.code == "checkpoint_not_found"
    assert str(other) in str(refused.value)


def test_a_path_outside_the_project_is_refused(terminal: Terminal) -> None:
    first = terminal.call("checkpoints.create")
    for path in ("../x", "/etc/passwd", "src/../../x", "a\0b"):
        with pytest.raises(CallFailed) as refused:
            terminal.call("checkpoints.restore", checkpoint_id=first["id"], paths=[path])
        assert refused.value.code == "bad_checkpoint_request"


def test_a_job_in_the_tree_is_a_conflict_unless_forced_and_is_ended_then(terminal: Terminal, folder: Path) -> None:
    first = terminal.call("checkpoints.create")
    (folder / "README.md").write_text("changed")
    job = terminal.call("jobs.execute", command="sleep 600", project_path=str(folder / "src"))
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert refused.value.code == "tree_in_use"
    assert refused.value.error["details"]["occupants"][0]["id"] == job["job_id"]
    assert (folder / "README.md").read_text() == "changed"
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"], force=True)
    assert (folder / "README.md").read_text() == "Read me.\n"
    assert len(reply["stopped"]) == 1
    assert terminal.call("jobs.status", job_id=job["job_id"])["status"] == "killed"


def test_another_claude_code_in_the_tree_is_a_conflict_and_is_never_ended(
    terminal: Terminal, folder: Path, home: Path
) -> None:
    first = terminal.call("checkpoints.create")
    (folder / "README.md").write_text("changed")
    # Claude Code's own registry entry, for a process that lives: this one.
    registry = home / ".claude" / "sessions"
    registry.mkdir(parents=True)
    me = identity_of(os.getpid())
    assert me is not None
    entry = {
        "pid": os.getpid(), "sessionId": "0197c0de-0000-7000-8000-000000000001", "cwd": str(folder),
        "status": "busy", "kind": "interactive", "entrypoint": "cli", "startedAt": int(time.time() * 1000),
        "procStart": str(me.start),
    }  # fmt: skip
    (registry / f"{os.getpid()}.json").write_text(json.dumps(entry))
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert refused.value.code == "tree_in_use"
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"], force=True)
    assert (folder / "README.md").read_text() == "Read me.\n"
    assert reply["stopped"] == []
    assert entry["sessionId"] in reply["occupants"][0]


def test_ignored_things_stay_out_and_stay_where_they_are(terminal: Terminal, folder: Path) -> None:
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "a.log").write_text("1")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "x.js").write_text("x")
    (folder / ".env").write_text("SECRET=1")
    first = terminal.call("checkpoints.create", include_files=["a.log"])
    names = {item["path"] for item in terminal.call("checkpoints.files", checkpoint_id=first["id"])["items"]}
    assert names == {".env", ".gitignore", "README.md", "a.log", "src", "src/app.py"}
    assert sum(first["left_out"].values()) == 1
    (folder / "b.log").write_text("2")
    terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert (folder / "b.log").exists()
    assert (folder / "node_modules" / "x.js").exists()


def test_secrets_are_left_out_where_the_project_says_so(terminal: Terminal, folder: Path) -> None:
    (folder / ".env").write_text("SECRET=1")
    terminal.call("checkpoints.settings", secrets="leave_out")
    one = terminal.call("checkpoints.create")
    names = {item["path"] for item in terminal.call("checkpoints.files", checkpoint_id=one["id"])["items"]}
    assert ".env" not in names
    (folder / ".env").write_text("SECRET=2")
    terminal.call("checkpoints.restore", checkpoint_id=one["id"])
    assert (folder / ".env").read_text() == "SECRET=2"
